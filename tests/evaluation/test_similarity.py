import numpy as np
import pytest
from scipy import stats

from evaluation.conftest import cosine_of, random_vectors, table
from likewise.errors import InputError
from likewise.evaluation.similarity import (
    evaluate_similarity,
    pairs_of,
    predict_similarity,
    row_order,
    score_cosines,
)


def test_scores_are_scipys_correlations_of_the_cosines(scored_set):
    embed = random_vectors()
    result = evaluate_similarity(embed, scored_set, resamples=100)
    left, right = (embed(scored_set.texts(f"sentence{i}")).astype(float) for i in (1, 2))
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosines = (left * right).sum(axis=1) / norms
    gold = scored_set.numbers("score")
    assert result.spearman == pytest.approx(stats.spearmanr(cosines, gold).statistic)
    assert result.pearson == pytest.approx(stats.pearsonr(cosines, gold).statistic)
    np.testing.assert_allclose(result.details["cosines"], cosines, atol=1e-6)
    np.testing.assert_array_equal(result.details["gold"], gold)


def test_embed_is_called_once(scored_set):
    calls = []
    embed = random_vectors()

    def counted(texts, *, role=None):
        calls.append((len(texts), role))
        return embed(texts)

    evaluate_similarity(counted, scored_set, resamples=100)
    assert calls == [(2 * len(scored_set), None)]


def test_the_unit_of_the_scores_changes_nothing(scored_set):
    percent = table(
        kind="scored",
        sentence1=scored_set.texts("sentence1"),
        sentence2=scored_set.texts("sentence2"),
        score=scored_set.numbers("score") * 20 - 7,
    )
    embed = random_vectors()
    first = evaluate_similarity(embed, scored_set, resamples=100)
    second = evaluate_similarity(embed, percent, resamples=100)
    for metric in first.scores:
        assert first.scores[metric].value == pytest.approx(second.scores[metric].value)
        assert first.scores[metric].low == pytest.approx(second.scores[metric].low)


def test_equal_gold_scores_are_refused_before_anything_is_embedded():
    data = table(kind="scored", sentence1=["a"] * 12, sentence2=["b"] * 12, score=[2.5] * 12)
    with pytest.raises(InputError, match=r"scored.csv: all 12 gold scores are 2.5"):
        evaluate_similarity(lambda texts, *, role=None: pytest.fail("embedded"), data)


def test_fewer_than_ten_pairs_are_refused():
    data = table(kind="scored", sentence1=["a"] * 9, sentence2=["b"] * 9, score=np.arange(9.0))
    with pytest.raises(InputError, match="9 scored pairs: an evaluation needs 10"):
        evaluate_similarity(random_vectors(), data)


def test_a_model_that_tells_no_texts_apart_gets_nothing(scored_set):
    result = evaluate_similarity(
        lambda texts, *, role=None: np.full((len(texts), 3), 0.1, np.float32), scored_set
    )
    assert (result.spearman, result.pearson) == (0, 0)
    assert result.interval == (0, 0)
    (note,) = result.notes
    assert note.startswith("all cosines are 1: a model that tells no two pairs apart")


def test_given_cosines_are_scored_as_those_of_vectors(scored_set):
    result = evaluate_similarity(random_vectors(), scored_set, resamples=100, seed=2)
    again = score_cosines(result.details["cosines"], scored_set, resamples=100, seed=2)
    assert again.scores == result.scores


def test_a_model_of_pairs_that_says_the_cosines_gets_the_same(scored_set):
    embed = random_vectors()
    one = evaluate_similarity(embed, scored_set, resamples=100)
    other = predict_similarity(cosine_of(embed), scored_set, resamples=100)
    for metric, score in one.scores.items():
        assert other.scores[metric].value == pytest.approx(score.value, abs=1e-6)
    np.testing.assert_allclose(other.details["scores"], one.details["cosines"], atol=1e-6)
    assert "cosines" not in other.details


def test_pairs_are_the_first_two_texts_in_an_order_of_their_own():
    data = table(
        kind="scored", sentence1=["b", "a", "a"], sentence2=["x", "y", "y"], score=[1, 3, 2]
    )
    assert pairs_of(data) == [("b", "x"), ("a", "y"), ("a", "y")]
    assert row_order(data, "score") == [2, 1, 0]
