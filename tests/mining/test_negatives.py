import numpy as np
import pytest

from data.derive.conftest import dataset
from likewise.data.derive import labelled_to_pairs
from likewise.mining import negatives
from likewise.mining.negatives import semi_hard_negatives


def circle(degrees):
    """An embed that puts each text at the angle that stands in it, in degrees."""

    def embed(texts, *, role=None):
        angles = np.radians([degrees[text] for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    return embed


ANGLES = {"q": 0, "right": 40, "too near": 20, "nearly": 44, "hard": 50, "easy": 80, "other": 89}


@pytest.fixture
def pairs():
    """One question, and answers of others around it; their own anchors stand far away."""
    answers = [text for text in ANGLES if text != "q"]
    anchors = ["q", *(f"other question {i}" for i in range(1, len(answers)))]
    return dataset("pairs", anchor=anchors, positive=answers)


def embed(texts, *, role=None):
    return circle({**{text: 90 + i for i, text in enumerate(texts)}, **ANGLES})(texts)


def count_of(data, words):
    return sum(note.count for note in data.notes if words in note.text)


def test_a_negative_is_the_nearest_below_the_margin(pairs):
    # cos 40 = 0.766, less 5 % is 0.728 = cos 43.3: 20 is refused, 44 (0.719) is the nearest
    found = semi_hard_negatives(embed, pairs, count=1, among=1, seed=0)
    assert found.texts("negative")[0] == "nearly"
    # less 10 % is 0.689 = cos 46.4: 44 is refused too
    found = semi_hard_negatives(embed, pairs, count=1, among=1, margin=0.1, seed=0)
    assert found.texts("negative")[0] == "hard"
    assert count_of(found, "within 10% of the positive") > 0


def test_some_can_be_passed_over_and_several_taken(pairs):
    found = semi_hard_negatives(embed, pairs, count=2, skip=1, among=2, seed=0)
    assert found.text_lists("negative")[0] == ["hard", "easy"]


def test_they_are_drawn_from_the_nearest_by_the_seed(pairs):
    drawn = {
        semi_hard_negatives(embed, pairs, among=3, seed=seed).texts("negative")[0]
        for seed in range(30)
    }
    assert drawn == {"nearly", "hard", "easy"}
    one, again = (semi_hard_negatives(embed, pairs, among=3, seed=4) for _ in range(2))
    assert one.fingerprint == again.fingerprint


def test_answers_to_the_same_anchor_and_its_near_repeats_are_never_negatives():
    data = dataset(
        "pairs",
        anchor=["q", "Q?", "r", "s"],
        positive=[["p1", "p2"], ["p3"], ["P1!"], ["wrong"]],
    )
    angles = {"q": 0, "Q?": 0, "r": 60, "s": 70, "p1": 10, "p2": 12, "p3": 30, "P1!": 10}
    found = semi_hard_negatives(circle({**angles, "wrong": 80}), data, count=3, among=5, seed=0)
    assert found.text_lists("negative")[:2] == [["wrong"], ["wrong"]]


def test_an_anchor_is_not_its_own_negative():
    data = dataset("pairs", anchor=["q", "r"], positive=["p", "Q!"])
    found = semi_hard_negatives(circle({"q": 0, "r": 90, "p": 1, "Q!": 40}), data, seed=0)
    assert found.text_lists("negative")[0] == []


def test_a_row_keeps_the_negatives_that_it_has_and_gets_others(pairs):
    twice = semi_hard_negatives(
        embed, semi_hard_negatives(embed, pairs, among=1, seed=0), among=1, seed=0
    )
    assert twice.text_lists("negative")[0] == ["nearly", "hard"]
    assert twice.roles == ("anchor", "positive", "negative")


def test_where_all_is_likely_right_there_is_none_and_it_is_counted():
    data = dataset("pairs", anchor=["q", "r"], positive=["p", "s"])
    same = circle({"q": 0, "r": 0, "p": 10, "s": 10})
    found = semi_hard_negatives(same, data, seed=0)
    assert found.roles == ("anchor", "positive")
    assert count_of(found, "refused") == 2
    assert count_of(found, "found none") == 2
    assert found.texts("anchor") == ["q", "r"]


def test_a_positive_unlike_its_anchor_still_bounds_its_negatives():
    data = dataset("pairs", anchor=["q", "r"], positive=["p", "s"])
    # the positive's cosine is -0.5, 5 % below it -0.525 = cos 121.7: what is at 121 is too near
    angles = {"q": 0, "r": 120, "p": 120}
    found = semi_hard_negatives(circle({**angles, "s": 121}), data, seed=0)
    assert count_of(found, "found none") == 2
    found = semi_hard_negatives(circle({**angles, "s": 122}), data, seed=0)
    assert found.text_lists("negative") == [["s"], []]


def test_a_class_is_never_searched_for_its_own_negatives(labelled, monkeypatch):
    monkeypatch.setattr(negatives, "DEPTH", 1)
    pairs = labelled_to_pairs(labelled, seed=0).without("negative")
    labels = dict(zip(labelled.texts("text"), labelled.labels(), strict=True))

    step = {label: 20 * i for i, label in enumerate(dict.fromkeys(labels.values()))}
    # texts of one class are alike, and would fill the one place; the next class is at 0.94
    by_class = circle({text: step[label] for text, label in labels.items()})
    found = semi_hard_negatives(by_class, pairs, among=1, seed=0)
    for anchor, row in zip(found.texts("anchor"), found.text_lists("negative"), strict=True):
        assert len(row) == 1
        assert abs(step[labels[row[0]]] - step[labels[anchor]]) == 20


def test_nonsense_is_refused(pairs):
    for options in ({"count": 0}, {"count": 2, "among": 1}, {"skip": -1}):
        with pytest.raises(ValueError, match="count <= among"):
            semi_hard_negatives(embed, pairs, seed=0, **options)
