"""`likewise eval`, as it is typed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from likewise.cli.main import main
from likewise.data.reading import read
from likewise.evaluation import evaluate, from_json, read_evaluation, to_json
from likewise.models import load
from likewise.models.cross_encoder import from_encoder

FEW = ("--resamples", "100")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]):
    """Run `likewise eval`: exit code, stdout, stderr."""

    def ran(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["eval", *map(str, arguments)])
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err

    return ran


@pytest.fixture
def other_folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """The tiny model with other weights in its first layer of embeddings."""
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(tiny_folder, tmp_path / "other"))
    weights = load_file(folder / "model.safetensors")
    name = next(n for n in weights if n.endswith("word_embeddings.weight"))
    weights[name] = weights[name].flip(0).contiguous()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_json_is_all_that_stands_on_stdout_and_what_python_gives(run, tiny_folder, scored_file):
    code, out, _ = run(tiny_folder, "--on", scored_file, "--json", "--precision", "float32", *FEW)
    assert code == 0
    found = from_json(json.loads(out))
    expected = evaluate(
        load(tiny_folder), read(scored_file), name=str(tiny_folder), precision="float32",
        resamples=100,
    )  # fmt: skip
    (result,) = found.results
    assert (result.model, result.task, result.n) == (str(tiny_folder), "scored", 60)
    assert result.texts_per_second > 0
    for metric, score in expected.scores.items():
        assert result.scores[metric].value == pytest.approx(score.value, abs=1e-5)
    assert found.verdict is None
    assert found.differences == ()


def test_a_task_of_mteb_stands_beside_a_file(run, tiny_folder, scored_file, tmp_path):
    pytest.importorskip("mteb", reason="mteb is not installed")
    kept = tmp_path / "kept"
    code, out, _ = run(
        tiny_folder, "--on", f"mteb:STS12={scored_file}", "--on", scored_file,
        "--mteb-results", kept, "--json", "--quiet", "--precision", "float32", *FEW,
    )  # fmt: skip
    assert code == 0
    task, file = from_json(json.loads(out)).results
    assert (task.task, file.task, task.n) == ("mteb:STS12", "scored", 60)
    assert task.cosine_spearman == pytest.approx(file.spearman, abs=1e-5)
    assert [path.name for path in kept.glob("results/local__tiny/*/STS12.json")] == ["STS12.json"]


def test_a_task_of_mteb_that_is_none_is_wrong_input(run, tiny_folder):
    pytest.importorskip("mteb", reason="mteb is not installed")
    code, _, err = run(tiny_folder, "--on", "mteb:STS1222")
    assert code == 2
    assert 'MTEB has no task "STS1222"' in err


def test_models_are_held_against_the_first_named(run, tiny_folder, other_folder, retrieval_folder):
    code, out, _ = run(tiny_folder, other_folder, "--on", retrieval_folder, "--json", *FEW)
    assert code == 0
    found = from_json(json.loads(out))
    first, second = str(tiny_folder), str(other_folder)
    assert [result.model for result in found.results] == [first, second, "BM25"]
    assert {(d.model, d.against) for d in found.differences} == {(second, first), ("BM25", first)}
    lead = found.differences[0]
    values = {result.model: result.scores["ndcg@10"].value for result in found.results}
    assert (lead.metric, lead.model) == ("ndcg@10", second)
    assert lead.value == pytest.approx(values[second] - values[first])
    assert 0 < lead.p_permutation <= 1
    assert lead.p_holm >= lead.p_permutation  # BM25 is compared with too
    sure = lead.p_holm < 0.05
    expected = "better" if lead.low > 0 else "worse" if lead.high < 0 else "no better"
    assert found.verdict == (expected if sure else "no better")


def test_a_person_sees_a_table_with_speed_and_a_verdict(
    run, tiny_folder, other_folder, scored_file, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "300")
    code, out, err = run(tiny_folder, other_folder, "--on", scored_file, *FEW)
    assert code == 0
    assert "scored, 60 items, 95 % intervals" in out
    assert all(word in out for word in ("spearman", "pearson", "texts/s", "Verdict: "))
    verdict = next(line for line in out.splitlines() if line.startswith("Verdict: "))
    assert ("no better" in verdict) == ("or more would have shown." in verdict)
    assert f"{other_folder} against {tiny_folder}" in out
    assert "measuring" in err


def test_several_data_sets_are_measured_in_one_go(
    run, tiny_folder, scored_file, retrieval_folder, pairs_file
):
    arguments = [part for f in (scored_file, retrieval_folder, pairs_file) for part in ("--on", f)]
    code, out, err = run(tiny_folder, *arguments, "--json", "--quiet", *FEW)
    assert code == 0
    assert err == ""
    rows = [(result["task"], result["model"]) for result in json.loads(out)["results"]]
    tiny = str(tiny_folder)
    assert rows == [
        ("scored", tiny),
        ("retrieval", tiny),
        ("pairs", tiny),
        ("retrieval", "BM25"),
        ("pairs", "BM25"),
    ]


@pytest.mark.parametrize(
    ("option", "models"), [("--baselines", ["TF-IDF"]), ("--no-baselines", [])]
)
def test_baselines_can_be_asked_for_and_turned_off(
    run, tiny_folder, scored_file, retrieval_folder, option, models
):
    _, out, _ = run(tiny_folder, "--on", scored_file, option, "--json", *FEW)
    assert [r["model"] for r in json.loads(out)["results"]][1:] == models
    _, out, _ = run(tiny_folder, "--on", retrieval_folder, option, "--json", *FEW)
    assert [r["model"] for r in json.loads(out)["results"]][1:] == ["BM25"] * len(models)


def test_the_result_is_kept_as_it_is_printed(run, tiny_folder, scored_file, tmp_path):
    out_file = tmp_path / "evaluation.json"
    code, out, _ = run(tiny_folder, "--on", scored_file, "--json", "--out", out_file, *FEW)
    assert code == 0
    assert to_json(read_evaluation(out_file)) == json.loads(out)
    before = out_file.read_bytes()
    code, out, err = run(tiny_folder, "--on", scored_file, "--out", out_file, *FEW)
    assert (code, out) == (2, "")
    assert "exists already" in err
    assert "--overwrite" in err
    assert out_file.read_bytes() == before
    code, _, _ = run(tiny_folder, "--on", scored_file, "--out", out_file, "--overwrite", *FEW)
    assert code == 0


def test_the_same_command_gives_the_same_scores(run, tiny_folder, retrieval_folder):
    answers = []
    for seed in ("1", "1", "2"):
        _, out, _ = run(tiny_folder, "--on", retrieval_folder, "--json", "--seed", seed, *FEW)
        answers.append([result["metrics"] for result in json.loads(out)["results"]])
    assert answers[0] == answers[1]
    values = [[{m: s["value"] for m, s in one.items()} for one in answer] for answer in answers]
    assert values[0] == values[2]
    assert answers[0] != answers[2]


def test_columns_and_kind_bind_what_has_other_names(run, tiny_folder, scored_file, tmp_path):
    rows = [json.loads(line) for line in scored_file.read_text().splitlines()]
    renamed = tmp_path / "renamed.jsonl"
    names = {"sentence1": "left", "sentence2": "right", "score": "grade"}
    lines = (json.dumps({names[k]: v for k, v in row.items()}) for row in rows)
    renamed.write_text("\n".join(lines))
    bound = "sentence1=left,sentence2=right,score=grade"
    code, out, _ = run(
        tiny_folder, "--on", renamed, "--kind", "scored", "--columns", bound, "--json", *FEW
    )
    assert code == 0
    _, plain, _ = run(tiny_folder, "--on", scored_file, "--json", *FEW)
    ours, theirs = (json.loads(text)["results"][0]["metrics"] for text in (out, plain))
    for metric, score in theirs.items():
        assert ours[metric] == pytest.approx(score)


@pytest.fixture
def cross_folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A cross-encoder over the tiny model, that answers one score."""
    model = from_encoder(tiny_folder, classes=1, seed=0)
    return model.save(tmp_path / "cross")


@pytest.mark.parametrize(
    ("data", "task", "metric"),
    [
        ("pair_labels_file", "pair-labels", "average_precision"),
        ("labelled_file", "labelled", "precision@10"),
    ],
)
def test_labels_are_measured_and_tfidf_on_request(run, tiny_folder, request, data, task, metric):
    path = request.getfixturevalue(data)
    code, out, _ = run(tiny_folder, "--on", path, "--baselines", "--json", *FEW)
    assert code == 0
    results = json.loads(out)["results"]
    assert [(result["task"], result["model"]) for result in results] == [
        (task, str(tiny_folder)),
        (task, "TF-IDF"),
    ]
    assert all(next(iter(result["metrics"])) == metric for result in results)


def test_a_cross_encoder_stands_beside_an_encoder(
    run, tiny_folder, cross_folder, scored_file, pairs_file, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "300")
    on = ("--on", scored_file, "--on", pairs_file)
    code, out, err = run(tiny_folder, cross_folder, *on, "--json", *FEW)
    assert code == 0, err
    found = json.loads(out)
    speeds = {
        (result["model"], result["task"]): (
            result["texts_per_second"] is not None,
            "pairs_per_second" in result,
        )
        for result in found["results"]
    }
    for task in ("scored", "pairs"):
        assert speeds[str(tiny_folder), task] == (True, False)
        assert speeds[str(cross_folder), task] == (False, True)
    assert {d["against"] for d in found["differences"]} == {str(tiny_folder)}
    _, out, _ = run(tiny_folder, cross_folder, "--on", pairs_file, *FEW)
    assert "texts/s" in out
    assert "pairs/s" in out
    assert "what BM25 found, 50 documents a query" in out
    _, out, _ = run(cross_folder, "--on", scored_file, *FEW)
    assert "texts/s" not in out


def test_nli_is_measured_with_a_model_of_its_classes_and_no_other(
    run, tiny_folder, cross_folder, nli_file, tmp_path
):
    names = ("entailment", "neutral", "contradiction")
    three = from_encoder(tiny_folder, classes=3, labels=names, seed=0).save(tmp_path / "three")
    code, out, err = run(three, "--on", nli_file, "--baselines", "--json", *FEW)
    assert code == 0, err
    models = {r["model"]: r["metrics"]["accuracy"]["value"] for r in json.loads(out)["results"]}
    assert models["majority"] == pytest.approx(1 / 3)
    code, _, err = run(cross_folder, "--on", nli_file, *FEW)
    assert code == 2
    assert "answers 1 numbers a pair, and the data has 3 labels" in err
    code, _, err = run(three, "--on", nli_file, tiny_folder, *FEW)
    assert code == 2
    assert "cannot be evaluated with a model that embeds texts" in err


def test_labels_of_texts_are_nothing_for_a_cross_encoder(run, cross_folder, labelled_file):
    code, out, err = run(cross_folder, "--on", labelled_file)
    assert (code, out) == (2, "")
    assert "cannot be evaluated with a model that scores pairs" in err


def test_data_that_cannot_be_evaluated_is_refused_before_a_model_is_loaded(run, nli_file):
    code, out, err = run("no-such-model", "--on", nli_file)
    assert (code, out) == (2, "")
    assert 'data of kind "nli" cannot be evaluated' in err
    assert "pairs, reranking, retrieval, scored" in err


@pytest.mark.parametrize("what", ["model", "data"])
def test_a_model_or_data_given_twice_is_refused(run, tiny_folder, scored_file, what):
    models = [tiny_folder] * (2 if what == "model" else 1)
    data = ["--on", scored_file] * (2 if what == "data" else 1)
    code, out, err = run(*models, *data)
    assert (code, out) == (2, "")
    assert "is given 2 times" in err


def test_files_that_do_not_exist_are_named(run, tiny_folder, scored_file, tmp_path):
    code, _, err = run(tiny_folder, "--on", "absent.csv")
    assert code == 2
    assert "absent.csv" in err
    code, _, err = run(tiny_folder, "--on", scored_file, "--out", tmp_path / "absent" / "e.json")
    assert code == 2
    assert "its folder does not exist" in err
    code, _, err = run(tiny_folder, "--on", scored_file, "--precision", "float7")
    assert code == 2
    assert "float7" in err


def test_a_model_whose_vectors_are_not_finite_ends_the_run_with_one_message(
    run, other_folder, scored_file
):
    from safetensors.torch import load_file, save_file

    weights = load_file(other_folder / "model.safetensors")
    name = next(n for n in weights if n.endswith("word_embeddings.weight"))
    weights[name][:] = np.nan
    save_file(weights, other_folder / "model.safetensors", metadata={"format": "pt"})
    code, out, err = run(other_folder, "--on", scored_file, "--json", *FEW)
    assert (code, out) == (1, "")
    assert "vectors are not finite" in err


def test_labelled_texts_are_clustered_where_that_is_asked_for(run, tiny_folder, labelled_file):
    code, out, _ = run(tiny_folder, "--on", labelled_file, "--task", "clustering", "--json", *FEW)
    assert code == 0
    (result,) = from_json(json.loads(out)).results
    assert next(iter(result.scores)) == "v-measure"


def test_labelled_texts_are_classified_after_learning_from_another_file(
    run, tiny_folder, labelled_file, tmp_path, monkeypatch
):
    lines = labelled_file.read_text().splitlines()
    train, test = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    train.write_text("\n".join(lines[::2]))
    test.write_text("\n".join(lines[1::2]))
    on = ("--on", test, "--task", "classification")
    code, out, err = run(tiny_folder, *on, "--train", train, "--baselines", "--json", *FEW)
    assert code == 0, err
    ours, plain = json.loads(out)["results"]
    expected = evaluate(
        load(tiny_folder), read(test), evaluator="classification", train=read(train), resamples=100
    )
    assert list(ours["metrics"])[:4] == ["accuracy", "f1", "knn", "accuracy@8-shot"]
    assert ours["metrics"]["accuracy"]["value"] == pytest.approx(expected.accuracy)
    assert plain["model"] == "TF-IDF"
    assert plain["metrics"].keys() == ours["metrics"].keys()
    assert any("learnt from 32 texts" in note for note in ours["notes"])
    monkeypatch.setenv("COLUMNS", "300")
    code, out, _ = run(tiny_folder, *on, *FEW)
    assert code == 0
    assert "learnt from four fifths of the texts" in out


@pytest.mark.parametrize(
    ("data", "task", "problem"),
    [
        ("labelled_file", (), '"neighbours" takes no option "train"'),
        ("scored_file", (), '"similarity" takes no option "train"'),
        ("labelled_file", ("--task", "clustering"), '"clustering" takes no option "train"'),
    ],
)
def test_training_data_is_refused_where_nothing_is_learnt(
    run, labelled_file, request, data, task, problem
):
    path = request.getfixturevalue(data)
    code, out, err = run("no-such-model", "--on", path, "--train", labelled_file, *task)
    assert (code, out) == (2, "")
    assert problem in err
    assert "classification" in err


def test_training_data_must_be_there_and_labelled(run, tiny_folder, labelled_file, pairs_file):
    on = ("--on", labelled_file, "--task", "classification", "--train")
    code, _, err = run(tiny_folder, *on, "absent.csv")
    assert code == 2
    assert "absent.csv" in err
    code, _, err = run(tiny_folder, *on, pairs_file)
    assert code == 2
    assert 'the training data is of kind "pairs"' in err


def test_pairs_are_measured_as_triplets_and_as_translations(
    run, tiny_folder, cross_folder, pairs_file, tmp_path
):
    rows = [json.loads(line) for line in pairs_file.read_text().splitlines()]
    for row, other in zip(rows, rows[5:] + rows[:5], strict=True):
        row["negative"] = other["positive"]
    triplets = tmp_path / "triplets.jsonl"
    triplets.write_text("\n".join(map(json.dumps, rows)))
    on = ("--on", triplets, "--json", "--task")
    code, out, err = run(tiny_folder, cross_folder, *on, "triplets", *FEW)
    assert code == 0, err
    assert [list(r["metrics"]) for r in json.loads(out)["results"]] == [["accuracy", "margin"]] * 2
    code, out, _ = run(tiny_folder, *on, "bitext", *FEW)
    assert code == 0
    assert next(iter(json.loads(out)["results"][0]["metrics"])) == "f1"
    code, _, err = run(tiny_folder, "--on", pairs_file, "--task", "triplets", *FEW)
    assert code == 2
    assert "0 of 64 pairs have a negative" in err
    assert "likewise mine" in err


def test_a_task_that_does_not_fit_the_data_is_refused(run, tiny_folder, scored_file):
    code, _, err = run(tiny_folder, "--on", scored_file, "--task", "clustering")
    assert code == 2
    assert "takes no data of kind" in err
    code, _, err = run(tiny_folder, "--on", scored_file, "--task", "clusterings")
    assert code == 2
    assert "one of: clustering" in err


@pytest.mark.parametrize("missing", ["nowhere", "static:nowhere.txt"])
def test_a_model_that_is_missing_is_told_before_the_first_is_measured(
    run, tiny_folder, scored_file, missing: str
):
    code, _, err = run(tiny_folder, missing, "--on", scored_file)
    assert code == 2
    assert "nowhere" in err
    assert "measuring" not in err
