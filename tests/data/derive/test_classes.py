import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.derive.conftest import dataset
from likewise.data import read
from likewise.data.clusters import normalise
from likewise.data.derive import labelled_to_pairs
from likewise.errors import InputError


def count_of(data, words):
    return next(note.count for note in data.notes if words in note.text)


def triplets(data):
    return zip(*(data.texts(role) for role in ("anchor", "positive", "negative")), strict=True)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4)), min_size=1, max_size=80),
    st.integers(0, 5),
)
def test_every_triplet_is_one(rows, seed):
    data = dataset(
        "labelled", text=[f"Text {i}" for i, _ in rows], label=[f"c{label}" for _, label in rows]
    )
    try:
        pairs = labelled_to_pairs(data, seed=seed)
    except InputError:
        return
    labels = dict(zip(data.texts("text"), data.labels(), strict=True))
    group = dict(zip(pairs.texts("anchor"), pairs.numbers("group"), strict=True))
    for anchor, positive, negative in triplets(pairs):
        assert anchor != positive
        assert labels[anchor] == labels[positive] != labels[negative]
        assert group[anchor] == group[positive] != group[negative]
    assert sorted(pairs.texts("anchor")) == sorted(pairs.texts("positive"))
    assert len(set(pairs.texts("anchor"))) == len(pairs)
    left_out = sum(n.count for n in pairs.notes if "left out" in n.text)
    assert len(pairs) + left_out == len(data)


def test_the_rows_keep_their_places_and_the_group_is_a_whole_number(labelled):
    pairs = labelled_to_pairs(labelled, seed=0)
    assert pairs.roles == ("anchor", "positive", "negative", "group")
    assert pairs.text_roles() == ("anchor", "positive", "negative")
    assert pairs.texts("anchor") == labelled.texts("text")
    assert list(pairs.row) == list(labelled.row)
    assert str(pairs.table.column("group").type) == "int64"
    taken = pairs.take([5, 2])
    np.testing.assert_array_equal(taken.numbers("group"), pairs.numbers("group")[[5, 2]])
    assert taken.where(0, "group").column == "label"


def test_the_seed_decides(labelled):
    one, again, other = (labelled_to_pairs(labelled, seed=seed) for seed in (1, 1, 2))
    assert one.fingerprint == again.fingerprint != other.fingerprint


def test_negatives_come_from_all_other_classes_alike():
    n = 4000
    sizes = {"a": n // 2, "b": n // 4, "c": n // 4}
    labels = [name for name, size in sizes.items() for _ in range(size)]
    data = dataset("labelled", text=[f"{name} {i}" for i, name in enumerate(labels)], label=labels)
    pairs = labelled_to_pairs(data, seed=0)
    drawn = [text[0] for text in pairs.texts("negative")[: sizes["a"]]]
    # of 2,000 draws, half from either: a standard deviation is 22
    assert drawn.count("b") == pytest.approx(1000, abs=100)


def test_what_cannot_be_used_is_counted(write):
    rows = "one,a\nOne!,a\ntwo,a\nboth,a\nboth,b\nthree,b\nfour,b\nalone,c\n"
    pairs = labelled_to_pairs(read(write("l.csv", "text,label\n" + rows)), seed=0)
    assert pairs.texts("anchor") == ["one", "two", "three", "four"]
    assert count_of(pairs, "under two labels") == 2
    assert count_of(pairs, "repeated") == 1
    assert count_of(pairs, "alone in their class") == 1
    assert all(normalise(text) != "both" for row in triplets(pairs) for text in row)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("one,a\ntwo,a\n", "all 2 rows have the label a"),
        ("one,a\ntwo,a\nthree,b\n", "1 of 2 classes have two texts or more"),
        ("one,a\nOne,a\ntwo,b\nthree,b\n", "1 of 2 classes"),
    ],
)
def test_two_classes_of_two_texts_are_needed(write, rows, problem):
    with pytest.raises(InputError, match=problem):
        labelled_to_pairs(read(write("l.csv", "text,label\n" + rows)), seed=0)
