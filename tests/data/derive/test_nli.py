import pytest

from likewise.data import read
from likewise.data.derive import nli_to_pairs, nli_to_scored
from likewise.errors import InputError


@pytest.fixture
def nli(write):
    rows = "p,e1,0\nP.,e2,entailment\np,n1,1\np,c1,2\np,c2,2\nq,e3,0\nr,c3,2\n"
    return read(write("n.csv", "premise,hypothesis,label\n" + rows))


def count_of(data, words):
    return next(note.count for note in data.notes if words in note.text)


def test_only_entailments_become_pairs(nli):
    pairs = nli_to_pairs(nli, seed=0)
    assert pairs.kind == "pairs"
    assert pairs.texts("anchor") == ["p", "P.", "q"]
    assert pairs.texts("positive") == ["e1", "e2", "e3"]
    assert list(pairs.row) == [2, 3, 7]


def test_contradictions_of_the_same_premise_become_hard_negatives(nli):
    negatives = nli_to_pairs(nli, seed=0).texts("negative")
    assert sorted(negatives[:2]) == ["c1", "c2"]
    assert negatives[2] is None


def test_what_was_no_positive_is_counted(nli):
    pairs = nli_to_pairs(nli, seed=0)
    assert count_of(pairs, "became pairs") == 3
    assert count_of(pairs, "neutral rows") == 1
    assert count_of(pairs, "hard negative") == 2
    assert count_of(pairs, "contradictions without") == 1


def test_the_seed_deals_the_contradictions(nli):
    dealt = {tuple(nli_to_pairs(nli, seed=seed).texts("negative")[:2]) for seed in range(20)}
    assert dealt == {("c1", "c2"), ("c2", "c1")}
    assert nli_to_pairs(nli, seed=3).fingerprint == nli_to_pairs(nli, seed=3).fingerprint


def test_a_contradiction_equal_to_the_positive_is_no_negative(write):
    data = read(write("n.csv", "premise,hypothesis,label\np,same,0\np,Same!,2\n"))
    assert nli_to_pairs(data, seed=0).roles == ("anchor", "positive")


def test_without_an_entailment_there_are_no_pairs(write):
    data = read(write("n.csv", "premise,hypothesis,label\np,a,1\np,b,2\n"))
    with pytest.raises(InputError, match="none of 2 rows is an entailment"):
        nli_to_pairs(data, seed=0)


def test_labels_become_scores(nli):
    scored = nli_to_scored(nli)
    assert scored.kind == "scored"
    assert scored.roles == ("sentence1", "sentence2", "score")
    assert scored.numbers("score").tolist() == [1, 1, 0, 0, 0, 1, 0]
    assert scored.score_range == (0.0, 1.0)
    assert list(scored.row) == list(nli.row)


def test_the_targets_can_be_chosen(nli):
    targets = {"entailment": 1.0, "neutral": 0.5, "contradiction": -1.0}
    scored = nli_to_scored(nli, targets=targets)
    assert scored.numbers("score").tolist() == [1, 1, 0.5, -1, -1, 1, -1]
    assert scored.score_range == (-1.0, 1.0)


def test_targets_that_miss_a_label_or_say_nothing_are_refused(nli):
    with pytest.raises(ValueError, match="targets must name"):
        nli_to_scored(nli, targets={"entailment": 1.0})
    with pytest.raises(ValueError, match="must differ"):
        nli_to_scored(nli, targets=dict.fromkeys(("entailment", "neutral", "contradiction"), 1.0))
