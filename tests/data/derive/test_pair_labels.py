import pytest

from likewise.data import read
from likewise.data.derive import pair_labels_to_pairs, pair_labels_to_scored
from likewise.errors import InputError

HEAD = "sentence1,sentence2,label\n"


@pytest.fixture
def labels(write):
    rows = "a,p,1\na,n1,0\nn2,A!,0\na,q,1\nb,r,1\nc,n3,0\n"
    return read(write("l.csv", HEAD + rows))


def count_of(data, words):
    return next(note.count for note in data.notes if words in note.text)


def test_labels_become_scores(labels):
    scored = pair_labels_to_scored(labels)
    assert scored.kind == "scored"
    assert scored.roles == ("sentence1", "sentence2", "score")
    assert scored.numbers("score").tolist() == [1, 0, 0, 1, 1, 0]
    assert scored.score_range == (0.0, 1.0)
    assert scored.where(1, "score").column == "label"


def test_only_the_same_become_pairs_and_the_different_their_negatives(labels):
    pairs = pair_labels_to_pairs(labels, seed=0)
    assert pairs.kind == "pairs"
    assert pairs.texts("anchor") == ["a", "a", "b"]
    assert pairs.texts("positive") == ["p", "q", "r"]
    negatives = pairs.texts("negative")
    assert sorted(negatives[:2]) == ["n1", "n2"]  # the text may stand on either side
    assert negatives[2] is None
    assert list(pairs.row) == [2, 5, 6]


def test_all_rows_are_accounted_for(labels):
    pairs = pair_labels_to_pairs(labels, seed=0)
    assert count_of(pairs, "became pairs") == 3
    assert count_of(pairs, "hard negative") == 2
    assert count_of(pairs, "left out") == 1


def test_the_seed_deals_the_negatives(labels):
    dealt = {tuple(pair_labels_to_pairs(labels, seed=s).texts("negative")[:2]) for s in range(20)}
    assert dealt == {("n1", "n2"), ("n2", "n1")}


def test_what_is_right_elsewhere_is_no_negative(write):
    data = read(write("l.csv", HEAD + "a,p,1\na,q,1\na,Q.,0\n"))
    assert pair_labels_to_pairs(data, seed=0).roles == ("anchor", "positive")


def test_without_a_label_1_there_are_no_pairs(write):
    with pytest.raises(InputError, match="none of 1 rows has the label 1"):
        pair_labels_to_pairs(read(write("l.csv", HEAD + "a,b,0\n")), seed=0)
