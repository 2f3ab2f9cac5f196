import json
import math
from dataclasses import replace

import numpy as np
import pytest

from conftest import NOUNS, VERBS, answer, question, write_lines
from likewise.errors import InputError
from likewise.evaluation import conclude, from_json, to_json
from likewise.evaluation.mteb_bridge import evaluate_mteb, is_mteb, open_mteb
from likewise.evaluation.result import Evaluation
from likewise.models.cross_encoder import from_encoder
from likewise.models.folder.trained_on import TrainedOn

mteb = pytest.importorskip("mteb", reason="mteb is not installed")
INTENTS = [(question(verb, noun), noun) for verb in VERBS for noun in NOUNS[:4]]


@pytest.fixture
def intents(tmp_path):
    """A folder of a classification task, 32 texts in 4 classes to learn from, 16 to measure on."""
    rows = [{"text": text, "label": label} for text, label in INTENTS]
    write_lines(tmp_path / "intents" / "train.jsonl", rows)
    write_lines(tmp_path / "intents" / "test.jsonl", rows[::2])
    return tmp_path / "intents"


@pytest.fixture
def opened(intents):
    found = open_mteb(f"mteb:Banking77Classification={intents}")
    found.task.n_experiments = 3
    return found


def test_a_source_of_mteb_is_told_by_its_prefix():
    assert is_mteb("mteb:STS12")
    assert not is_mteb("hub:mteb/sts12-sts")


def test_a_task_is_opened_with_its_rows_and_what_mteb_says_of_it(opened):
    assert (opened.name, opened.n) == ("mteb:Banking77Classification", 16)
    assert "MTEB has a newer version of this task, Banking77Classification.v2" in opened.notes


def test_a_task_that_is_none_names_those_alike():
    with pytest.raises(InputError, match="did you mean") as raised:
        open_mteb("mteb:Bankin77Classification")
    assert 'MTEB has no task "Bankin77Classification"' in str(raised.value)
    assert "Banking77Classification" in raised.value.mend


def test_data_that_cannot_be_had_says_how_to_give_a_folder(monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError) as raised:
        open_mteb("mteb:STS12")
    message = str(raised.value)
    assert "the data of mteb:STS12 (mteb/sts12-sts on the hub) cannot be had" in message
    assert message.endswith("give a folder with a file a split: mteb:STS12=FOLDER")


@pytest.mark.filterwarnings("ignore:The task 'Banking77Classification' is superseded")
def test_the_main_score_is_mteb_s_with_an_interval_over_its_draws(opened, tiny_encoder):
    result = evaluate_mteb(tiny_encoder, opened, name="tiny", resamples=100)
    (found,) = mteb.evaluate(
        tiny_encoder, opened.task, cache=None, co2_tracker=False, show_progress_bar=False
    ).task_results
    (entry,) = found.scores["test"]
    assert (result.primary, result.model, result.n) == ("accuracy", "tiny", 16)
    assert result.accuracy == pytest.approx(entry["accuracy"], abs=1e-9)
    values = [one["accuracy"] for one in entry["scores_per_experiment"]]
    low, high = result.interval
    assert min(values) <= low <= result.accuracy <= high <= max(values)
    assert len(result.draws["accuracy"]) == 100
    assert any("3 draws of texts to learn from" in note for note in result.notes)


def test_two_models_are_compared_on_the_same_draws(opened, tiny_encoder):
    first = evaluate_mteb(tiny_encoder, opened, name="a", resamples=100)
    again = evaluate_mteb(tiny_encoder, opened, name="b", resamples=100)
    assert np.array_equal(first.draws["accuracy"], again.draws["accuracy"])
    evaluation = conclude([first, again])
    assert evaluation.verdict == "no better"
    assert evaluation.differences[0].value == 0


def test_a_clustering_task_draws_the_same_texts_for_every_model(tmp_path, tiny_encoder):
    rows = [{"text": text, "label": label} for text, label in INTENTS * 2]
    path = write_lines(tmp_path / "test.jsonl", rows)
    opened = open_mteb(f"mteb:TwentyNewsgroupsClustering.v2={path}")
    opened.task.max_fraction_of_documents_to_embed = 0.5
    first, again = (evaluate_mteb(tiny_encoder, opened, name=n, resamples=100) for n in "ab")
    assert first.v_measure == again.v_measure
    assert any("10 draws of texts to cluster" in note for note in first.notes)


def test_a_score_without_repeats_stands_alone(scored_file, tiny_encoder, tmp_path):
    opened = open_mteb(f"mteb:STS12={scored_file}")
    result = evaluate_mteb(tiny_encoder, opened, name="tiny")
    assert all(math.isnan(end) for end in result.interval)
    assert any("without an interval" in note for note in result.notes)
    evaluation = conclude([result, replace(result, model="other")])
    assert (evaluation.differences, evaluation.verdict) == ((), None)
    text = json.dumps(to_json(Evaluation(results=(result,))), allow_nan=False)
    (metrics,) = (one["metrics"] for one in json.loads(text)["results"])
    assert metrics["cosine_spearman"]["low"] is None
    (read_back,) = from_json(json.loads(text)).results
    assert math.isnan(read_back.interval[0])


def test_mteb_s_own_files_are_written_and_replaced(opened, tiny_encoder, tmp_path):
    for _ in range(2):
        result = evaluate_mteb(tiny_encoder, opened, name="tiny", results=tmp_path / "kept")
    meta = tiny_encoder.mteb_model_meta
    folder = tmp_path / "kept" / "results" / meta.name.replace("/", "__") / meta.revision
    names = {"Banking77Classification.json", "model_meta.json", "run_settings.jsonl"}
    assert {path.name for path in folder.iterdir()} == names
    found = mteb.results.TaskResult.from_disk(folder / "Banking77Classification.json")
    assert found.get_score() == pytest.approx(result.accuracy)
    assert found.dataset_revision == opened.task.metadata.revision


def test_data_that_the_model_was_trained_on_is_flagged(opened, tiny_encoder):
    tiny_encoder.contents = replace(
        tiny_encoder.contents, trained_on=TrainedOn(datasets=("PolyAI/banking77",))
    )
    result = evaluate_mteb(tiny_encoder, opened, name="tiny", resamples=100)
    assert any("was trained on data of mteb:Banking77Classification" in n for n in result.notes)


def test_a_cross_encoder_puts_candidates_in_order_and_takes_no_other_task(
    tmp_path, opened, tiny_encoder
):
    rows = [
        {
            "query": question(verb, noun),
            "positive": [answer(verb, noun)],
            "negative": [answer(verb, other) for other in NOUNS if other != noun],
        }
        for verb, noun in (("paint", "apple"), ("carry", "river"))
    ]
    path = write_lines(tmp_path / "test.jsonl", rows)
    reranking = open_mteb(f"mteb:AskUbuntuDupQuestions={path}")
    model = from_encoder(tiny_encoder, classes=1)
    result = evaluate_mteb(model, reranking, name="cross")
    assert 1 / 8 <= result.scores[result.primary].value <= 1
    with pytest.raises(InputError, match="does not take this model"):
        evaluate_mteb(model, opened, name="cross")
