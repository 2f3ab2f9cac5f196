import pytest

from likewise.evaluation.result import Result, Score

RESULT = Result(
    task="t", evaluator="similarity", primary="spearman", draws={}, n=3,
    scores={"spearman": Score(value=0.5, low=0.4, high=0.6, n=3)},
)  # fmt: skip


def test_metrics_and_the_interval_read_by_name():
    assert RESULT.spearman == 0.5
    assert RESULT.interval == (0.4, 0.6)


def test_an_unknown_metric_names_those_there_are():
    with pytest.raises(AttributeError, match="no metric 'pearson'; there are spearman"):
        _ = RESULT.pearson
