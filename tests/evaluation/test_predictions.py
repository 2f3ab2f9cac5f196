import numpy as np
import pytest

from likewise.errors import InputError, LikewiseError
from likewise.evaluation.predictions import (
    ScoresPairs,
    TimedPredict,
    checked_logits,
    checked_scores,
)

PAIRS = [("a", "b"), ("c", "dd"), ("e", "fff")]


class Model:
    """Scores a pair by the length of its second text, and keeps what it was asked."""

    labels = ("one", "two")

    def __init__(self):
        self.options = []

    def predict(self, pairs, **options):
        self.options.append(options)
        return [len(right) for _, right in pairs]


def test_whatever_predicts_scores_pairs_and_an_encoder_does_not(tiny_encoder):
    assert isinstance(Model(), ScoresPairs)
    assert not isinstance(tiny_encoder, ScoresPairs)
    assert not isinstance(lambda texts, *, role=None: None, ScoresPairs)


def test_scores_come_in_the_order_of_the_pairs_and_are_timed():
    predict = TimedPredict(Model())
    found = checked_scores(predict, PAIRS)
    assert found.tolist() == [1, 2, 3]
    assert found.dtype == np.float64
    assert predict.pairs == 3
    assert predict.seconds > 0
    assert predict.labels == ("one", "two")


def test_options_are_handed_on_only_where_they_are_given():
    model = Model()
    TimedPredict(model)(PAIRS)
    TimedPredict(model, precision="bfloat16", progress=True)(PAIRS)
    assert model.options == [{}, {"precision": "bfloat16", "progress": True}]


def test_one_column_is_a_score_and_more_are_classes():
    column = np.arange(3.0)[:, None]
    assert checked_scores(lambda pairs: column, PAIRS).tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="answers 2 numbers a pair, and a score is one"):
        checked_scores(lambda pairs: np.zeros((3, 2)), PAIRS)
    assert checked_logits(lambda pairs: np.ones((3, 2)), PAIRS, 2).shape == (3, 2)
    for classes in (np.ones((3, 4)), np.ones(3)):
        with pytest.raises(InputError, match="the data has 2 labels"):
            checked_logits(lambda pairs, classes=classes: classes, PAIRS, 2)


@pytest.mark.parametrize("wrong", [np.zeros(2), np.zeros((2, 3)), np.zeros((3, 1, 1)), 1.0])
def test_anything_but_one_answer_a_pair_is_refused(wrong):
    with pytest.raises(LikewiseError, match="expected 3 scores"):
        checked_scores(lambda pairs: wrong, PAIRS)


def test_the_first_pair_without_a_finite_score_is_named():
    with pytest.raises(LikewiseError, match=r'2 of 3 scores are not finite.*"c" and "dd"'):
        checked_scores(lambda pairs: np.array([1, np.nan, np.inf]), PAIRS)
