"""`likewise search`, as it is typed."""

import json
from pathlib import Path

import numpy as np
import pytest

from conftest import TOPICS, answer, write_json, write_lines
from likewise.models import load

TEXTS = [answer(*topic) for topic in TOPICS]
WANTED = 13  # the text that is looked for


@pytest.fixture
def functions_file(tmp_path: Path) -> Path:
    """Texts with a name each, as the demo leaves them."""
    rows = ({"place": f"code.py:{i} f{i}", "text": text} for i, text in enumerate(TEXTS))
    return write_lines(tmp_path / "functions.jsonl", rows)


def test_the_text_asked_for_comes_first(run, tiny_folder: Path, texts_file: Path):
    code, said, _ = run("search", tiny_folder, TEXTS[WANTED], "--in", texts_file)
    assert code == 0
    first, second, *_ = said.splitlines()
    assert first == f"1.000  {texts_file}, row {WANTED + 1}"
    assert second.strip() == TEXTS[WANTED]
    assert said.count(str(texts_file)) == 5


def test_the_order_is_that_of_the_cosines(run, tiny_folder: Path, texts_file: Path):
    words = ("search", tiny_folder, "a guide to apple", "--in", texts_file, "--json", "--top", 64)
    code, said, _ = run(*words)
    assert code == 0
    value = json.loads(said)
    assert (value["schema"], value["question"]) == ("likewise.search/1", "a guide to apple")
    hits = value["results"]
    assert sorted(hit["text"] for hit in hits) == sorted(TEXTS)
    cosines = [hit["cosine"] for hit in hits]
    assert cosines == sorted(cosines, reverse=True)
    model = load(tiny_folder)
    asked, *found = model.encode(["a guide to apple", *(hit["text"] for hit in hits)])
    expected = [float(one @ asked / np.linalg.norm(one) / np.linalg.norm(asked)) for one in found]
    np.testing.assert_allclose(cosines, expected, atol=1e-3)


def test_a_column_names_what_was_found(run, tiny_folder: Path, functions_file: Path):
    words = ("search", tiny_folder, TEXTS[WANTED], "--in", functions_file, "--show", "place")
    code, said, _ = run(*words, "--top", 1)
    assert code == 0
    assert said.splitlines()[0] == f"1.000  code.py:{WANTED} f{WANTED}"


def test_a_long_text_is_shown_by_its_first_lines(run, tiny_folder: Path, tmp_path: Path):
    path = write_lines(
        tmp_path / "long.jsonl", [{"text": "\n".join(f"line {i}" for i in range(9))}]
    )
    _, said, _ = run("search", tiny_folder, "line", "--in", path)
    assert [line.strip() for line in said.splitlines()[1:]] == ["line 0", "line 1", "line 2"]


@pytest.mark.parametrize("column", ["anchor", "positive"])
def test_any_column_can_be_searched(column: str, run, tiny_folder: Path, pairs_file: Path):
    rows = [json.loads(line) for line in pairs_file.read_text().splitlines()]
    wanted = rows[WANTED][column]
    words = ("search", tiny_folder, wanted, "--in", pairs_file, "--column", column, "--top", 1)
    code, said, _ = run(*words, "--json")
    assert code == 0
    assert json.loads(said)["results"][0]["text"] == wanted


def test_a_retrieval_folder_is_searched_by_its_documents(
    run, tiny_folder: Path, retrieval_folder: Path
):
    words = ("search", tiny_folder, TEXTS[WANTED], "--in", retrieval_folder, "--top", 1)
    code, said, _ = run(*words)
    assert code == 0
    assert said.splitlines()[0] == f"1.000  d{WANTED}"


def test_questions_and_texts_get_their_own_prompts(run, tiny_folder: Path, texts_file: Path):
    prompts = {"query": "how do people: ", "document": "a guide: "}
    write_json(tiny_folder / "config_sentence_transformers.json", {"prompts": prompts})
    words = ("search", tiny_folder, TEXTS[WANTED], "--in", texts_file, "--json", "--top", 64)
    _, said, _ = run(*words)
    hits = {hit["text"]: hit["cosine"] for hit in json.loads(said)["results"]}
    model = load(tiny_folder)
    (asked,) = model.encode([TEXTS[WANTED]], prompt="query", normalize=True)
    (found,) = model.encode([TEXTS[WANTED]], prompt="document", normalize=True)
    assert hits[TEXTS[WANTED]] == pytest.approx(float(asked @ found), abs=1e-3)
    assert hits[TEXTS[WANTED]] < 0.999


def test_cut_texts_are_counted(run, tiny_folder: Path, tmp_path: Path):
    path = tmp_path / "long.txt"
    path.write_text("paint\n" + "paint " * 90 + "\n")
    code, _, err = run("search", tiny_folder, "paint", "--in", path)
    assert code == 0
    assert "note: 1 of 2 texts are over 32 tokens and were cut" in err
    assert run("search", tiny_folder, "paint", "--in", path, "--quiet")[2] == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--column", "title"), "title"),
        (("--show", "title"), 'column "title": there is no such column'),
        (("--top", 0), "--top"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_said(options, said: str, run, tiny_folder: Path, functions_file: Path):
    code, out, err = run("search", tiny_folder, "paint", "--in", functions_file, *options)
    assert (code, out) == (2, "")
    assert said in err


def test_a_file_of_lines_has_no_columns_to_show(run, tiny_folder: Path, texts_file: Path):
    code, out, err = run("search", tiny_folder, "a", "--in", texts_file, "--show", "place")
    assert (code, out) == (2, "")
    assert "place" in err
