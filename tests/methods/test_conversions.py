"""What becomes of data of one kind, where a loss takes another."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.methods.conversions import all_texts, as_kind, with_convertible
from methods.small_data import DATA, reranking
from training.small_runs import make_data, make_fit, nli, pairs, scored, triplets


@pytest.fixture
def fit(tiny_encoder, tmp_path: Path):
    return make_fit(tiny_encoder, tmp_path, seed=3)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ("pairs", {"pairs", "nli", "pair-labels", "reranking", "labelled"}),
        ("scored", {"scored", "nli", "pair-labels", "reranking"}),
        ("nli", {"nli"}),
        ("pair-labels", {"pair-labels", "reranking"}),
        ("labelled", {"labelled"}),
        ("distilled", {"distilled"}),
        ("texts", set(DATA)),
    ],
)
def test_a_loss_takes_its_own_kind_first_and_all_that_can_be_read_as_it(wanted: str, taken, fit):
    kinds = with_convertible((wanted,))
    assert kinds[0] == wanted
    assert len(kinds) == len(set(kinds))
    assert set(kinds) & set(DATA) == taken
    for kind, make in DATA.items():
        if kind in taken:
            assert as_kind(fit, make(12), (wanted,)).kind == wanted
            continue
        with pytest.raises(InputError) as caught:
            as_kind(fit, make(12), (wanted,))
        assert caught.value.problem == f"expected {wanted} data, found {kind}"
        assert "likewise check" in caught.value.mend


def test_kinds_that_would_do_are_all_named(fit):
    with pytest.raises(InputError, match="expected nli or pair-labels data, found pairs"):
        as_kind(fit, pairs(4), ("nli", "pair-labels"))


def test_data_of_the_right_kind_stays_as_it_is(fit):
    data = pairs(6)
    assert as_kind(fit, data, ("scored", "pairs")) is data
    assert fit.notes == []


def test_the_first_kind_that_the_data_can_be_read_as_is_taken(fit):
    assert as_kind(fit, nli(6), ("labelled", "pairs", "scored")).kind == "pairs"
    assert as_kind(fit, nli(6), ("labelled", "scored", "pairs")).kind == "scored"


def test_of_nli_rows_the_entailed_become_pairs_and_the_rest_is_counted(fit):
    found = as_kind(fit, nli(24), ("pairs",))
    rows = nli(24).table.to_pylist()
    assert found.texts("positive") == [r["hypothesis"] for r in rows if r["label"] == 0]
    assert found.texts("negative") == [r["hypothesis"] for r in rows if r["label"] == 2]
    assert found.row.tolist() == list(range(1, 25, 3))
    said = " ".join(fit.notes)
    assert "entailments became pairs: 8" in said
    assert "left out: 8" in said
    assert "hard negative: 8" in said


def test_labels_of_nli_become_scores_row_by_row(fit):
    found = as_kind(fit, nli(6), ("scored",))
    assert found.numbers("score").tolist() == [1, 0, 0, 1, 0, 0]
    assert found.score_range == (0, 1)
    assert any(note.endswith(": 6") for note in fit.notes)


@pytest.mark.parametrize("kind", ["pairs", "pair-labels", "scored"])
def test_judged_documents_become_what_a_loss_takes(kind: str, fit):
    data = reranking(24)
    found = as_kind(fit, data, (kind,))
    assert found.kind == kind
    if kind == "pairs":
        assert found.texts("positive") == data.texts("document")[::2]
        assert found.texts("negative") == data.texts("document")[1::2]
    else:
        gold = found.labels() if kind == "pair-labels" else found.numbers("score").tolist()
        assert gold == data.labels()


def test_labels_of_pairs_become_scores_or_pairs_with_negatives(fit):
    data = DATA["pair-labels"](24)
    assert as_kind(fit, data, ("scored",)).numbers("score").tolist() == data.labels()
    found = as_kind(fit, data, ("pairs",))
    rows = data.table.to_pylist()
    same = [(r["sentence1"], r["sentence2"]) for r in rows if r["label"] == 1]
    assert list(zip(found.texts("anchor"), found.texts("positive"), strict=True)) == same
    wrong = {r["sentence1"]: r["sentence2"] for r in rows if r["label"] == 0}
    assert found.texts("negative") == [wrong[anchor] for anchor, _ in same]


def test_texts_of_classes_become_triplets(fit):
    data = DATA["labelled"](24)
    noun = dict(zip(data.texts("text"), data.labels(), strict=True))
    found = as_kind(fit, data, ("pairs",))
    assert sorted(found.texts("anchor")) == sorted(noun)
    for row in found.table.to_pylist():
        assert noun[row["anchor"]] == noun[row["positive"]] != noun[row["negative"]]


def test_what_is_drawn_follows_the_seed_of_the_run(tiny_encoder, tmp_path: Path):
    found = [
        as_kind(make_fit(tiny_encoder, tmp_path, seed=seed), DATA["labelled"](24), ("pairs",))
        for seed in (1, 1, 2)
    ]
    assert found[0].fingerprint == found[1].fingerprint != found[2].fingerprint


def test_only_what_concerns_some_row_is_said(fit):
    as_kind(fit, nli(24), ("pairs",))  # every contradiction finds its entailment
    assert not any("contradictions without" in note for note in fit.notes)


def test_notes_of_reading_are_kept_and_not_said_again(fit):
    data = as_kind(fit, nli(6), ("scored",))
    first = list(fit.notes)
    again = as_kind(fit, data, ("texts",))
    assert again.notes[: len(data.notes)] == data.notes
    assert len(fit.notes) == len(first) + 1


def test_every_text_of_every_column_stands_once(fit):
    data = triplets(4)
    doubled = replace(data, **vars(data.take([0, 1, 2, 3, 0])))
    found = as_kind(fit, doubled, ("texts",))
    texts = found.texts("text")
    assert len(texts) == len(set(texts))
    assert set(texts) == set(data.all_texts())
    assert (found.kind, found.roles) == ("texts", ("text",))
    assert fit.notes == [f"distinct texts of all columns: {len(texts)}"]


def test_a_text_is_where_it_first_stood():
    data = make_data(
        "pairs",
        anchor=["apple", "river", "apple"],
        positive=["river", "garden", "letter"],
        negative=[["planet"], ["apple", "bridge"], []],
    )
    found = all_texts(data)
    rows = dict(zip(found.texts("text"), (int(row) for row in found.row), strict=True))
    assert rows == {"apple": 1, "river": 2, "garden": 2, "letter": 3, "planet": 1, "bridge": 2}
    assert found.where(0).path == "memory.jsonl"
    assert found.columns == {"text": "anchor, positive, negative"}


def test_scores_and_labels_are_no_texts():
    assert all_texts(scored(4)).texts("text") == scored(4).all_texts()
    assert all_texts(scored(4)).score_range is None
    assert set(all_texts(DATA["labelled"](8)).texts("text")) == set(DATA["labelled"](8).all_texts())


def test_texts_that_differ_in_case_alone_are_two():
    data = make_data("texts", text=["Apple", "apple", "Apple"])
    assert all_texts(data).texts("text") == ["Apple", "apple"]


def test_many_texts_never_become_python_objects_all_together():
    count = 100_000
    data = make_data("pairs", anchor=[f"a {i}" for i in range(count)], positive=["b"] * count)
    tracemalloc.start()
    found = all_texts(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == count + 1
    # 32,768 texts of a piece at about 60 bytes, and some integers a text: not 60 bytes a text
    assert peak < 2_500_000 + 110 * count
