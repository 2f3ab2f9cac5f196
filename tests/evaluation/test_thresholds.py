import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, average_precision_score, f1_score

from likewise.evaluation.thresholds import Thresholds


@st.composite
def judged(draw: st.DrawFn):
    """Scores with ties, labels of both kinds, and how often each pair counts."""
    n = draw(st.integers(2, 25))
    scores = draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n))
    labels = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    labels[0], labels[-1] = 0, 1
    counts = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    return np.array(scores) / 4, np.array(labels), np.array(counts)


def drawn(scores, labels, counts):
    """The resample itself, pair by pair."""
    return np.repeat(scores, counts), np.repeat(labels, counts)


@given(judged())
def test_average_precision_is_scikit_learns(case):
    scores, labels, counts = case
    found = Thresholds(scores, labels).average_precision(counts[:, None])
    own_scores, own_labels = drawn(*case)
    if own_labels.sum():
        assert found[0] == pytest.approx(average_precision_score(own_labels, own_scores))
    else:
        assert found[0] == 0


@given(judged())
def test_the_best_f1_and_accuracy_are_those_of_some_threshold(case):
    scores, labels, counts = case
    told = Thresholds(scores, labels)
    own_scores, own_labels = drawn(*case)
    if not len(own_labels):
        return
    calls = [own_scores >= t for t in (*np.unique(own_scores), np.inf)]
    best_f1 = max(f1_score(own_labels, call, zero_division=0) for call in calls)
    best_accuracy = max(accuracy_score(own_labels, call) for call in calls)
    assert told.f1(counts[:, None]).max() == pytest.approx(best_f1)
    assert told.accuracy(counts[:, None]).max() == pytest.approx(best_accuracy)


@given(judged())
def test_the_threshold_named_gives_the_score_named(case):
    scores, labels, _ = case
    told = Thresholds(scores, labels)
    once = np.ones((len(labels), 1), dtype=np.int64)
    f1 = f1_score(labels, scores >= told.best_f1, zero_division=0)
    assert f1 == pytest.approx(told.f1(once).max())
    accuracy = accuracy_score(labels, scores >= told.best_accuracy)
    assert accuracy == pytest.approx(told.accuracy(once).max())


def test_a_threshold_lies_halfway():
    told = Thresholds([0.9, 0.5, 0.1], [1, 0, 0])
    assert told.best_f1 == told.best_accuracy == pytest.approx(0.7)
    assert told.values.tolist() == [0.9, 0.5, 0.1]


def test_calling_none_the_same_can_be_best():
    told = Thresholds([0.9, 0.5, 0.1], [0, 0, 1])
    assert told.best_accuracy > 0.9
    assert told.accuracy(np.ones((3, 1), np.int64)).max() == pytest.approx(2 / 3)
