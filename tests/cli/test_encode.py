"""`likewise encode`, as it is typed."""

import json
import signal
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from conftest import TOPICS, answer, write_json, write_lines
from likewise.models import load
from likewise.models.cross_encoder import from_encoder, load_cross_encoder

TEXTS = [answer(*topic) for topic in TOPICS]
FLOAT = ("--precision", "float32")


@pytest.fixture
def mixed_file(tmp_path: Path) -> Path:
    """Long and short, some of them twice, one over the limit: in no order of their lengths."""
    texts = [*TEXTS[:5], "b", TEXTS[2], "paint " * 90, "a b c d e", "b"]
    path = tmp_path / "mixed.txt"
    path.write_text("".join(f"{text.strip()}\n" for text in texts))
    return path


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.mark.parametrize("ending", [".npy", ".parquet"])
def test_vectors_stand_in_the_order_of_the_input(
    ending: str, run, tiny_folder: Path, mixed_file: Path, tmp_path: Path
):
    out = tmp_path / f"vectors{ending}"
    code, said, err = run("encode", tiny_folder, mixed_file, "--out", out, *FLOAT)
    assert code == 0
    assert f"10 vectors of 32 dimensions in {out}" in said
    assert "note: 1 of 10 texts are over 32 tokens and were cut" in err
    if ending == ".npy":
        found = np.load(out)
    else:
        table = pq.read_table(out)
        assert table.column("text").to_pylist() == lines(mixed_file)
        found = np.array(table.column("vector").to_pylist(), dtype=np.float32)
    model = load(tiny_folder)
    for vector, text in zip(found, lines(mixed_file), strict=True):
        np.testing.assert_allclose(
            vector, model.encode([text], precision="float32")[0], atol=1e-6, rtol=0
        )
    np.testing.assert_array_equal(found[5], found[9])
    np.testing.assert_array_equal(found[2], found[6])


def test_json_is_the_only_thing_on_stdout(run, tiny_folder, mixed_file, tmp_path: Path):
    out = tmp_path / "v.npy"
    code, said, _ = run("encode", tiny_folder, mixed_file, "--out", out, "--json")
    assert code == 0
    value = json.loads(said)
    assert value.pop("seconds") > 0
    assert value == {
        "schema": "likewise.encoded/1", "path": str(out), "rows": 10, "dimensions": 32, "cut": 1,
        "resumed": 0,
    }  # fmt: skip


def test_quiet_leaves_the_result_alone(run, tiny_folder, mixed_file, tmp_path: Path):
    words = ("encode", tiny_folder, mixed_file, "--out", tmp_path / "v.npy", "--quiet")
    code, said, err = run(*words)
    assert (code, err) == (0, "")
    assert said.count("\n") == 1


def test_options_reach_the_model(run, tiny_folder: Path, texts_file: Path, tmp_path: Path):
    write_json(
        tiny_folder / "config_sentence_transformers.json", {"prompts": {"query": "people can "}}
    )
    out = tmp_path / "v.npy"
    options = ("--prompt", "query", "--dimensions", 8, "--normalize", *FLOAT)
    assert run("encode", tiny_folder, texts_file, "--out", out, *options)[0] == 0
    expected = load(tiny_folder).encode(
        TEXTS, prompt="query", dimensions=8, normalize=True, precision="float32"
    )
    np.testing.assert_array_equal(np.load(out), expected)


def test_deterministic_vectors_are_the_same_in_any_file(run, tiny_folder, tmp_path: Path):
    texts = [*TEXTS[:9], "b", "paint " * 20]
    files = [tmp_path / "all.txt", tmp_path / "few.txt"]
    files[0].write_text("".join(f"{text.strip()}\n" for text in texts))
    files[1].write_text("".join(f"{text.strip()}\n" for text in texts[::-5]))
    found = []
    for file in files:
        out = file.with_suffix(".npy")
        code, _, _ = run("encode", tiny_folder, file, "--out", out, "--deterministic")
        assert code == 0
        found.append(np.load(out))
    np.testing.assert_array_equal(found[1], found[0][::-5])


@pytest.mark.parametrize("column", ["anchor", "positive"])
def test_a_column_can_be_named(column: str, run, tiny_folder, pairs_file, tmp_path: Path):
    out = tmp_path / "v.npy"
    words = ("encode", tiny_folder, pairs_file, "--out", out, "--column", column, *FLOAT)
    assert run(*words)[0] == 0
    texts = [json.loads(line)[column] for line in lines(pairs_file)]
    expected = load(tiny_folder).encode(texts, precision="float32")
    np.testing.assert_array_equal(np.load(out), expected)


def test_int8_says_what_it_loses(run, tiny_folder, texts_file: Path, tmp_path: Path):
    exact, fast = tmp_path / "exact.npy", tmp_path / "fast.npy"
    run("encode", tiny_folder, texts_file, "--out", exact, *FLOAT)
    options = ("--out", fast, "--precision", "int8", "--json")
    code, said, err = run("encode", tiny_folder, texts_file, *options)
    assert code == 0, err
    a, b = np.load(exact), np.load(fast)
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    told = json.loads(said)
    assert told["int8_mean_cosine"] == pytest.approx(cosines.mean(), abs=1e-6)
    assert told["int8_lowest_cosine"] == pytest.approx(cosines.min(), abs=1e-6)
    assert f"mean cosine {cosines.mean():.5f}" in err


def test_several_files_are_one_after_the_other(run, tiny_folder, texts_file, mixed_file, tmp_path):
    out = tmp_path / "v.npy"
    assert run("encode", tiny_folder, texts_file, mixed_file, "--out", out)[0] == 0
    assert np.load(out).shape == (74, 32)


def test_a_file_is_replaced_only_when_asked(run, tiny_folder, texts_file, tmp_path: Path):
    out = tmp_path / "v.npy"
    out.write_bytes(b"mine")
    code, said, err = run("encode", tiny_folder, texts_file, "--out", out)
    assert (code, said) == (2, "")
    assert f"{out}: exists already" in err
    assert "--overwrite" in err
    assert out.read_bytes() == b"mine"
    assert run("encode", tiny_folder, texts_file, "--out", out, "--overwrite")[0] == 0
    assert np.load(out).shape == (64, 32)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--out", "v.csv"), 'cannot write vectors to ".csv"'),
        (("--out", "no/v.npy"), "its folder does not exist"),
        (("--out", "v.npy", "--column", "title"), "title"),
        (("--out", "v.npy", "--precision", "float8"), "float8"),
        (("--out", "v.npy", "--device", "abacus"), "abacus"),
        (("--out", "v.npy", "--dimensions", 33), "from 1 to 32"),
        (("--out", "v.npy", "--dimensions", 0), "from 1 to 32"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_said_and_nothing_written(
    options, said: str, run, tiny_folder, pairs_file, tmp_path: Path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    column = () if "--column" in options else ("--column", "anchor")
    code, out, err = run("encode", tiny_folder, pairs_file, *column, *options)
    assert (code, out) == (2, "")
    assert said in err
    assert "\nTo mend: " in err
    assert sorted(tmp_path.rglob("*")) == before


def test_data_without_a_text_column_says_how_to_name_one(run, tiny_folder, pairs_file, tmp_path):
    code, _, err = run("encode", tiny_folder, pairs_file, "--out", tmp_path / "v.npy")
    assert code == 2
    assert "--column" in err


@pytest.fixture
def cross_folder(tiny_folder: Path, tmp_path: Path) -> Path:
    model = from_encoder(tiny_folder, classes=1, seed=1)
    with torch.no_grad():
        for parameter in model.module.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8)  # pairs differ by more than any tolerance here
    return model.save(tmp_path / "cross")


@pytest.mark.parametrize("data", ["scored", "nli", "pairs", "pair_labels"])
def test_a_cross_encoder_scores_the_pairs_of_each_row(
    data: str, run, cross_folder: Path, request, tmp_path: Path
):
    file, out = request.getfixturevalue(f"{data}_file"), tmp_path / "scores.npy"
    code, said, _ = run("encode", cross_folder, file, "--out", out, *FLOAT)
    rows = [list(json.loads(line).values())[:2] for line in lines(file)]
    assert code == 0
    assert f"{len(rows)} scores in {out}" in said
    assert "pairs/s" in said
    expected = load_cross_encoder(cross_folder).predict(rows, precision="float32")
    np.testing.assert_allclose(np.load(out), expected, atol=1e-6, rtol=0)


def test_scores_are_printed_as_json_with_their_own_schema(
    run, cross_folder: Path, scored_file: Path, tmp_path: Path
):
    out = tmp_path / "scores.parquet"
    options = ("--activation", "identity", "--json", *FLOAT)
    code, said, _ = run("encode", cross_folder, scored_file, "--out", out, *options)
    assert code == 0
    value = json.loads(said)
    assert value.pop("seconds") > 0
    assert value == {
        "schema": "likewise.scored/1", "path": str(out), "rows": 60, "classes": 1, "cut": 0,
        "resumed": 0,
    }  # fmt: skip
    scores = np.array(pq.read_table(out).column("score"))
    rows = [list(json.loads(line).values())[:2] for line in lines(scored_file)]
    model = load_cross_encoder(cross_folder)
    expected = model.predict(rows, activation="identity", precision="float32")
    np.testing.assert_allclose(scores, expected, atol=1e-6, rtol=0)
    assert np.ptp(scores) > 1e-2


def test_several_classes_are_said(run, tiny_folder: Path, nli_file: Path, tmp_path: Path):
    folder = from_encoder(tiny_folder, classes=3).save(tmp_path / "cross")
    out = tmp_path / "scores.npy"
    code, said, _ = run("encode", folder, nli_file, "--out", out, "--activation", "softmax")
    assert code == 0
    assert "96 scores of 3 classes" in said
    np.testing.assert_allclose(np.load(out).sum(axis=1), 1, atol=1e-6, rtol=0)


def test_pairs_that_are_cut_and_texts_left_out_are_said(run, cross_folder: Path, tmp_path: Path):
    file, out = tmp_path / "pairs.jsonl", tmp_path / "scores.npy"
    long = "paint " * 90
    rows = [{"query": long, "answer": ["a", "the"]}, {"query": "a", "answer": ["the"]}]
    write_lines(file, rows)
    code, _, err = run("encode", cross_folder, file, "--out", out, *FLOAT)
    assert code == 0
    assert "note: 1 of 2 pairs are over 64 tokens and were cut" in err
    assert "note: 1 rows have several second texts: the first is scored" in err
    expected = load_cross_encoder(cross_folder).predict(
        [(long.strip(), "a"), ("a", "the")], precision="float32"
    )
    np.testing.assert_allclose(np.load(out), expected, atol=1e-6, rtol=0)


def test_columns_of_pairs_can_be_named(run, cross_folder: Path, tmp_path: Path):
    file, out = tmp_path / "pairs.csv", tmp_path / "scores.npy"
    file.write_text("left,right\na,the\nthe,a\n")
    named = ("--columns", "anchor=left,positive=right")
    assert run("encode", cross_folder, file, "--out", out, *named, *FLOAT)[0] == 0
    expected = load_cross_encoder(cross_folder).predict(
        [("a", "the"), ("the", "a")], precision="float32"
    )
    np.testing.assert_allclose(np.load(out), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--column", "anchor"), "--column: only an embedding model takes this"),
        (("--normalize", "--prompt", "x"), "--prompt, --normalize: only an embedding model"),
        (("--dimensions", 3), "--dimensions: only an embedding model"),
        (("--deterministic",), "--deterministic: only an embedding model"),
        (("--activation", "sigmoyd"), '"sigmoyd"'),
        (("--columns", "anchor=title"), "title"),
        (("--kind", "texts"), "texts"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_mistake_with_a_cross_encoder_is_said_and_nothing_written(
    options, said: str, run, cross_folder, pairs_file, tmp_path: Path
):
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run("encode", cross_folder, pairs_file, "--out", tmp_path / "v.npy", *options)
    assert (code, out) == (2, "")
    assert said in err
    assert "\nTo mend: " in err
    assert sorted(tmp_path.rglob("*")) == before


def test_texts_alone_are_no_pairs(run, cross_folder, texts_file, tmp_path: Path):
    code, _, err = run("encode", cross_folder, texts_file, "--out", tmp_path / "v.npy")
    assert code == 2
    assert "a cross-encoder scores pairs" in err
    assert "--columns anchor=NAME,positive=NAME" in err


@pytest.mark.parametrize(
    "options", [("--kind", "pairs"), ("--columns", "anchor=a"), ("--activation", "sigmoid")]
)
def test_an_embedding_model_takes_no_option_of_a_cross_encoder(
    options, run, tiny_folder, texts_file, tmp_path: Path
):
    code, _, err = run("encode", tiny_folder, texts_file, "--out", tmp_path / "v.npy", *options)
    assert code == 2
    assert f"{options[0]}: only a cross-encoder takes this" in err


@pytest.mark.parametrize(
    ("ending", "sent"), [(".npy", signal.SIGINT), (".parquet", signal.SIGKILL)]
)
def test_an_interrupted_process_goes_on_to_the_same_vectors(
    ending: str, sent: signal.Signals, run, start, tiny_folder: Path, tmp_path: Path
):
    texts = tmp_path / "many.txt"
    texts.write_text("".join(f"paint {i}\n" for i in range(40_000)))
    out, whole = tmp_path / f"v{ending}", tmp_path / f"whole{ending}"
    words = ("encode", tiny_folder, texts, *FLOAT)
    process = start(*words, "--out", out)
    for _ in range(18_000):
        if list(tmp_path.glob(".*.partial.json")):
            break
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(sent)
    _, err = process.communicate(timeout=180)
    assert process.returncode == (130 if sent is signal.SIGINT else -sent)
    assert "Traceback" not in err
    assert ("the same command again" in err) == (sent is signal.SIGINT)
    assert not out.exists()
    code, said, _ = run(*words, "--out", out, "--json")
    assert code == 0
    assert 0 < json.loads(said)["resumed"] < 40_000
    assert run(*words, "--out", whole)[0] == 0
    assert out.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob(".*"))
