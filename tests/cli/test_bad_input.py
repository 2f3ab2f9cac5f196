"""Every mistake that a user can make is one clear error, and nothing is written."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PAIRS, SCORED, NLI = (
    "anchor,positive\n",
    "sentence1,sentence2,score\n",
    "premise,hypothesis,label\n",
)
MANY = "".join(f"how to paint {i},a guide to {i}\n" for i in range(3000))
BROKEN = '{"anchor": "a", "positive": "b"}\n{"anchor": "c", "positive": \n'

# file: its bytes, and what the error must say behind the file's name
FILES: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", ": the file is empty"),
    "empty.jsonl": (b"", ": the file is empty"),
    "header.csv": (PAIRS.encode(), ": a header and no rows"),
    "unknown.csv": (b"title,body\na,b\nc,d\n", ": columns title, body"),
    "both.csv": (
        b"sentence1,sentence2,score,label\na,b,1,0\nc,d,0,1\n",
        ": the columns sentence1, sentence2, score, label fit more than one kind",
    ),
    "word.csv": (
        (SCORED + "a,b,1\nc,d,high\n").encode(),
        ', row 3, column "score": expected a number, found "high"',
    ),
    "nan.csv": (
        (SCORED + "a,b,1\nc,d,nan\n").encode(),
        ', row 3, column "score": expected a number, found "nan"',
    ),
    "infinite.csv": (
        (SCORED + "a,b,1\nc,d,inf\n").encode(),
        ', row 3, column "score": expected a number, found "inf"',
    ),
    "german.csv": (
        (NLI + "a,b,entailment\nc,d,Widerspruch\n").encode(),
        ', row 3, column "label": expected 0 (entailment), 1 (neutral), 2 (contradiction)',
    ),
    "fields.csv": (
        (PAIRS + "a,b\nc,d,e\n").encode(),
        ", row 3: expected 2 fields (anchor, positive), found 3",
    ),
    "no-text.csv": (
        (PAIRS + "a,b\n ,d\n").encode(),
        ', row 3, column "anchor": the text is empty',
    ),
    "latin.csv": (
        (PAIRS + "a,b\ncafé,d\n").encode("latin-1"),
        ", row 3: byte 4 of the line is not UTF-8 (0xe9)",
    ),
    "latin.jsonl": (
        '{"anchor": "café", "positive": "b"}\n'.encode("latin-1"),
        ", row 1: byte 16 of the line is not UTF-8 (0xe9)",
    ),
    "cut.csv.gz": (gzip.compress((PAIRS + MANY).encode())[:-300], ", row "),
    "no-gzip.csv.gz": ((PAIRS + MANY).encode(), ": not a gzip file"),
    "broken.jsonl": (BROKEN.encode(), ", row 2: not JSON at character 29"),
    "table.xlsx": (b"PK", ": .xlsx files are not read here"),
}

# file: a value of the wrong type in its second row, and what the error must say
TABLES: dict[str, tuple[dict[str, list[object]], str]] = {
    "score.parquet": (
        {"sentence1": ["a", "b"], "sentence2": ["c", "d"], "score": ["1", "high"]},
        'score.parquet, row 2, column "score": expected a number, found "high"',
    ),
    "text.parquet": (
        {"anchor": [1, 2], "positive": ["a", "b"]},
        'text.parquet, row 1, column "anchor": expected a text, found the number 1',
    ),
}


@pytest.fixture
def everything(tmp_path: Path) -> Callable[[], dict[Path, bytes | None]]:
    """All that lies in `tmp_path`, with its bytes."""
    return lambda: {p: p.read_bytes() if p.is_file() else None for p in tmp_path.rglob("*")}


@pytest.fixture
def refused(run, everything) -> Callable[..., str]:
    """Run a command line that must be refused: what stands on stderr."""

    def ran(*arguments: object) -> str:
        before = everything()
        code, out, err = run(*arguments)
        assert everything() == before
        assert_one_error(code, out, err)
        return err

    return ran


def assert_one_error(code: int, out: str, err: str) -> None:
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("Error") == 1
    assert err.count("\nTo mend: ") == 1
    assert err.partition("\nTo mend: ")[2].strip()
    assert "Traceback" not in err


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_file_is_named_with_the_place(name: str, refused, small, tmp_path: Path):
    content, said = FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    assert f"{path}{said}" in refused("train", path, *small, "--out", tmp_path / "out")


@pytest.mark.parametrize("name", TABLES)
def test_a_wrong_type_in_parquet_is_named_with_the_place(name: str, refused, small, tmp_path: Path):
    columns, said = TABLES[name]
    path = tmp_path / name
    pq.write_table(pa.table(columns), path)
    assert said in refused("train", path, *small, "--out", tmp_path / "out")


def test_the_row_of_a_cut_gzip_is_where_reading_ended(refused, small, tmp_path: Path):
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(FILES["cut.csv.gz"][0])
    err = refused("train", path, *small, "--out", tmp_path / "out")
    row = int(err.partition("row ")[2].partition(":")[0])
    assert "the gzip is cut off or damaged here" in err
    assert 2 < row < 3001


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "{file}", "--base", "{model}", "--out", "{out}"),
        ("train", "{pairs}", "--base", "{model}", "--dev", "{file}", "--out", "{out}"),
        ("check", "{file}"),
        ("eval", "{model}", "--on", "{file}"),
        ("encode", "{model}", "{file}", "--out", "{out}.npy"),
        ("search", "{model}", "a question", "--in", "{file}"),
        ("demo", "--base", "{model}", "--code", "{file}", "--out", "{out}"),
        ("report", "{file}"),
    ],
    ids=lambda words: " ".join(words[:1] + words[2:3]),
)
@pytest.mark.parametrize("json", [(), ("--json",)], ids=["", "json"])
def test_a_file_that_is_not_there_is_named_by_every_command(
    arguments, json, refused, tiny_folder: Path, pairs_file: Path, tmp_path: Path
):
    places = {
        "file": tmp_path / "nowhere.csv",
        "model": tiny_folder,
        "pairs": pairs_file,
        "out": tmp_path / "out",
    }
    err = refused(*(word.format(**places) for word in arguments), *json)
    assert f"{tmp_path / 'nowhere.csv'}: " in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "{pairs}", "--base", "{model}", "--out", "{out}"),
        ("eval", "{model}", "--on", "{pairs}"),
        ("encode", "{model}", "{texts}", "--out", "{out}.npy"),
        ("search", "{model}", "a question", "--in", "{texts}"),
    ],
    ids=lambda words: words[0],
)
def test_a_model_without_weights_is_named_by_every_command(
    arguments, refused, tiny_folder: Path, pairs_file: Path, texts_file: Path, tmp_path: Path
):
    (tiny_folder / "model.safetensors").unlink()
    places = {
        "model": tiny_folder,
        "pairs": pairs_file,
        "texts": texts_file,
        "out": tmp_path / "out",
    }
    err = refused(*(word.format(**places) for word in arguments))
    assert f"{tiny_folder}" in err
    assert "model.safetensors" in err


def test_a_model_that_is_not_there_is_named(refused, pairs_file: Path, tmp_path: Path):
    base = tmp_path / "no" / "model"
    err = refused("train", pairs_file, "--base", base, "--out", tmp_path / "out")
    assert str(base) in err


def test_an_out_that_holds_a_run_is_left_as_it_is(
    run, refused, small, pairs_file: Path, tmp_path: Path
):
    out = tmp_path / "out"
    assert run("train", pairs_file, *small, "--out", out)[0] == 0
    err = refused("train", pairs_file, *small, "--out", out)
    assert f"{out}: exists already" in err
    assert "--resume" in err
    assert "--overwrite" in err


@pytest.mark.parametrize("options", [(), ("--overwrite",)], ids=["", "overwrite"])
def test_an_out_that_holds_something_else_is_left_as_it_is(
    options, refused, small, pairs_file: Path, tmp_path: Path
):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    err = refused("train", pairs_file, *small, "--out", out, *options)
    assert f"{out}: " in err


@pytest.mark.parametrize("options", [(), ("--overwrite",), ("--resume",)])
def test_an_out_that_is_a_file_is_left_as_it_is(
    options, refused, small, pairs_file: Path, tmp_path: Path
):
    out = tmp_path / "out"
    out.write_text("mine")
    err = refused("train", pairs_file, *small, "--out", out, *options)
    assert f"{out}: " in err


@pytest.mark.parametrize("kind", ["pairs", "scored", "nli"])
def test_a_dev_file_that_is_the_training_file_is_a_leak(
    kind: str, run, refused, small, request: pytest.FixtureRequest, tmp_path: Path
):
    train: Path = request.getfixturevalue(f"{kind}_file")
    dev = Path(shutil.copy(train, tmp_path / "dev.jsonl"))
    out = tmp_path / "out"
    err = refused("train", train, "--dev", dev, *small, "--out", out)
    assert f"{dev}, row 1: " in err
    assert "dev rows stand in the training data as well" in err
    assert "--allow-leak" in err
    code, _, err = run("train", train, "--dev", dev, *small, "--out", out, "--allow-leak")
    assert code == 0
    assert "scores on them are too high" in err


@pytest.mark.parametrize("rows", ["one", "many"])
def test_a_batch_of_one_has_nothing_to_learn_from(
    rows: str, refused, small, pairs_file: Path, tmp_path: Path
):
    options = ("--batch-size", 1)
    if rows == "one":
        pairs_file.write_text(pairs_file.read_text().splitlines()[0] + "\n")
        options = ()
    err = refused("train", pairs_file, *small, *options, "--out", tmp_path / "out")
    assert "batch of one row has no negatives" in err
    assert ("give more rows" if rows == "one" else "--batch-size") in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--epochs", -1), "epochs must be over 0 and finite, found -1"),
        (("--minutes", 0), "minutes must be over 0 and finite, found 0"),
        (("--learning-rate", 5), "learning_rate must be between 0 and 1, found 5"),
        (("--schedule", "triangle"), "schedule"),
        (("--keep", "worst"), "keep"),
        (("--precision", "float8"), "precision"),
        (("--method", "mrn"), 'there is no method "mrn"'),
        (("--method", "softmax"), "the method softmax takes nli or pair-labels data, found pairs"),
        (("--set", "scal=30"), 'an option "scal"\nTo mend: it may be: scale'),
        (("--set", "scale"), 'expected NAME=VALUE, found "scale"'),
        (("--set", "scale=warm"), "scale"),
        (("--columns", "anchor=nothing"), "nothing"),
        (("--score-range", "low:high"), "low:high"),
        (("--kind", "paris"), "paris"),
        (("--recipe", "no.toml"), "no.toml"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_an_option_that_cannot_be_is_named(
    options, said: str, refused, small, pairs_file: Path, tmp_path: Path
):
    assert said in refused("train", pairs_file, *small, "--out", tmp_path / "out", *options)


def test_no_data_at_all_is_said(refused, small, tmp_path: Path):
    assert "no data is named" in refused("train", *small, "--out", tmp_path / "out")


def test_a_retrieval_set_cannot_be_trained_on(refused, small, retrieval_folder, tmp_path: Path):
    err = refused("train", retrieval_folder, *small, "--out", tmp_path / "out")
    assert "it can be measured on, not trained on" in err


def test_dev_data_that_cannot_be_measured_on_is_refused_first(
    refused, small, pairs_file: Path, texts_file: Path, tmp_path: Path
):
    out = tmp_path / "out"
    err = refused("train", pairs_file, "--dev", texts_file, *small, "--out", out)
    assert "texts" in err


@pytest.mark.parametrize("name", ["word.csv", "cut.csv.gz", None])
def test_a_process_of_its_own_leaves_with_two(
    name: str | None, start, everything, tiny_folder: Path, tmp_path: Path
):
    path = tmp_path / (name or "nowhere.csv")
    if name is not None:
        path.write_bytes(FILES[name][0])
    before = everything()
    process = start("train", path.name, "--base", tiny_folder, "--out", "out", "--json")
    out, err = process.communicate(timeout=180)
    assert_one_error(process.returncode, out, err)
    assert everything() == before
    assert f"Error: {path.name}" in err


def test_a_fault_in_many_rows_is_twenty_lines_and_a_total(refused, small, tmp_path: Path):
    path = tmp_path / "many.jsonl"
    lines = (json.dumps({"sentence1": "a", "sentence2": "b", "score": "x"}) for _ in range(50))
    path.write_text("".join(f"{line}\n" for line in lines))
    err = refused("train", path, *small, "--out", tmp_path / "out")
    assert err.startswith("Error: 50 problems\n")
    assert err.count(f"{path}, row ") == 20
    assert "… and 30 more" in err
