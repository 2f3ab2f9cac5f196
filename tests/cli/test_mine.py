"""`likewise mine`, as it is typed: every kind of data, bad input, killed and gone on with."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import TOPICS, answer, write_lines
from likewise import read
from likewise.models import draft_file
from likewise.models.cross_encoder import from_encoder

FLOAT = ("--precision", "float32")
# the tiny model was never trained: to it all texts are alike, and all are suspicious
TAKE = ("--suspicious", "keep", "--near-duplicates", "1.01", *FLOAT)


@pytest.fixture
def retrieval_train(retrieval_folder: Path) -> Path:
    """The folder with a train split."""
    test = retrieval_folder / "qrels" / "test.tsv"
    test.rename(retrieval_folder / "qrels" / "train.tsv")
    return retrieval_folder


def test_negatives_are_mined_and_trained_on(run, small, pairs_file, tiny_folder, tmp_path: Path):
    out = tmp_path / "mined.jsonl"
    code, said, err = run("mine", tiny_folder, pairs_file, "--out", out, "--negatives", 2, *TAKE)
    assert code == 0
    assert f"128 negatives for 64 rows in {out}" in said
    assert "distinct documents to mine from: 64" in err
    data = read(out)
    assert {len(texts) for texts in data.text_lists("negative")} == {2}
    code, _, err = run("train", out, "--method", "mnr", "--out", tmp_path / "run", *small)
    assert code == 0, err
    assert (tmp_path / "run" / "model" / "modules.json").is_file()


@pytest.mark.parametrize(
    ("fixture", "options", "rows"),
    [
        ("pairs_file", ("--hardness", "semi-hard", "--to-rank", 20), 64),
        ("pair_labels_file", ("--hardness", "easy"), 32),
        ("nli_file", ("--bm25",), 32),
        ("retrieval_train", (), 16),
    ],
)
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_every_kind_is_mined_into_every_format(
    fixture, options, rows, ending, run, request, tiny_folder, tmp_path: Path
):
    data, out = request.getfixturevalue(fixture), tmp_path / f"mined{ending}"
    code, _, err = run("mine", tiny_folder, data, "--out", out, *options, *TAKE)
    assert code == 0, err
    mined = read(out)
    assert len(mined) == rows
    assert all(len(texts) >= 1 for texts in mined.text_lists("negative"))
    assert (tmp_path / "mined.provenance.csv").is_file() == (ending == ".csv")


def test_a_corpus_adds_documents_and_json_tells_all(run, pairs_file, tiny_folder, tmp_path: Path):
    corpus = tmp_path / "more.txt"
    corpus.write_text("one more\nanother\n" + answer(*TOPICS[0]).upper() + "\n")
    out = tmp_path / "mined.jsonl"
    more = ("--corpus", corpus, "--suspicious", "list", "--json", *FLOAT)
    code, said, _ = run("mine", tiny_folder, pairs_file, "--out", out, *more)
    assert code == 0
    told = json.loads(said)
    assert told["schema"] == "likewise.mined/1"
    assert told["files"] == [str(out), str(tmp_path / "mined.suspicious.csv")]
    assert told["counts"]["documents"] == 66
    assert told["counts"]["repeated_documents"] == 1
    assert told["counts"]["negatives"] + told["counts"]["rows_without"] == 64


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--negatives", 64), "too few for 64 a row"),
        (("--hardness", "harder"), "hardness"),
        (("--index", "flat"), 'there is no index "flat"'),
        (("--memory", 0.001), "--memory allows 0.001"),
        (("--cross-encoder", "nowhere"), "nowhere"),
        (("--sampling", "top", "--hardness", "easy"), "--sampling has no effect"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_left(
    options, said, run, pairs_file, tiny_folder, tmp_path: Path
):
    out = tmp_path / "mined.jsonl"
    code, stdout, err = run("mine", tiny_folder, pairs_file, "--out", out, *options)
    assert (code, stdout) == (2, "")
    assert said in err
    assert "To mend: " in err
    assert not [path for path in tmp_path.iterdir() if "mined" in path.name]


def test_broken_data_names_its_place(run, tiny_folder, retrieval_train, tmp_path: Path):
    rows = [{"anchor": "q", "positive": "p"}, {"anchor": "r", "positive": " "}]
    data = write_lines(tmp_path / "data.jsonl", rows)
    code, _, err = run("mine", tiny_folder, data, "--out", tmp_path / "m.jsonl")
    assert code == 2
    assert 'data.jsonl, row 2, column "positive": the text is empty' in err
    with (retrieval_train / "qrels" / "train.tsv").open("a") as file:
        file.write("q0\tnowhere\t1\n")
    code, _, err = run("mine", tiny_folder, retrieval_train, "--out", tmp_path / "m.jsonl")
    assert code == 2
    assert 'there is no document "nowhere" in corpus.jsonl' in err


# one process imports everything, and each of its children is killed within another phase
KILLED = """
import os, signal, sys
from contextlib import contextmanager
from likewise.cli.main import main
from likewise.models import draft_file

draft_file.CHUNK = 8

@contextmanager
def counted(what, total, *, shown):
    done = 0
    def advance(n):
        nonlocal done
        done += n
        if what == label and done >= 16:
            os.kill(os.getpid(), signal.SIGKILL)
    yield advance

draft_file.show_progress = counted
for label in ("embedding documents", "searching", "scoring"):
    out = label.replace(" ", "-") + ".jsonl"
    child = os.fork()
    if not child:
        main(["mine", *sys.argv[1:], "--out", out])
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, label
"""
PHASES = ["embedding queries", "embedding documents", "searching", "scoring"]


def test_a_killed_run_goes_on_where_it_was(run, pairs_file, tiny_folder, tmp_path, monkeypatch):
    from_encoder(str(tiny_folder), classes=1, seed=0).save(tmp_path / "cross")
    scored = ("--cross-encoder", tmp_path / "cross", "--rescored", 3)
    command = ("mine", tiny_folder, pairs_file, *scored, *TAKE)
    whole = tmp_path / "whole.jsonl"
    assert run(*command, "--out", whole)[0] == 0
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, command[1:])],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    begun: dict[str, int] = {}  # rows that were there when a phase began

    @contextmanager
    def watched(what, total, *, shown):
        yield lambda n: begun.setdefault(what, n)

    monkeypatch.setattr(draft_file, "CHUNK", 8)
    monkeypatch.setattr(draft_file, "show_progress", watched)
    for i, phase in enumerate(PHASES[1:], 1):
        out = tmp_path / f"{phase.replace(' ', '-')}.jsonl"
        assert not out.exists()
        begun.clear()
        assert run(*command, "--out", out)[0] == 0
        assert begun == {phase: 16, **dict.fromkeys(PHASES[i + 1 :], 0)}
        assert out.read_bytes() == whole.read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".mining")]
