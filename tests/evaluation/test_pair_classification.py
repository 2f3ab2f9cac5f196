import numpy as np
import pytest
from sentence_transformers.sentence_transformer.evaluation import BinaryClassificationEvaluator

from evaluation.conftest import cosine_of, pair_labels_case, random_vectors, table
from likewise.errors import InputError
from likewise.evaluation.pair_classification import (
    evaluate_pair_classification,
    predict_pair_labels,
)


@pytest.fixture
def data():
    return pair_labels_case().data


def test_the_numbers_are_the_peers(data):
    embed = random_vectors()
    result = evaluate_pair_classification(embed, data, resamples=100)

    class Model:
        """What the peer asks a model for."""

        similarity_fn_name = "cosine"

        def encode(self, texts, **_):
            return embed(texts)

    theirs = BinaryClassificationEvaluator(
        data.texts("sentence1"),
        data.texts("sentence2"),
        data.labels(),
        similarity_fn_names=["cosine"],
    ).compute_metrices(Model())["cosine"]
    assert result.average_precision == pytest.approx(theirs["ap"], abs=1e-6)
    assert result.f1 == pytest.approx(theirs["f1"], abs=1e-6)
    assert result.accuracy == pytest.approx(theirs["accuracy"], abs=1e-6)
    assert result.details["f1_threshold"] == pytest.approx(theirs["f1_threshold"], abs=1e-5)
    assert result.details["accuracy_threshold"] == pytest.approx(
        theirs["accuracy_threshold"], abs=1e-5
    )


def test_details_hold_the_cosines_in_the_order_of_the_rows(data):
    embed = random_vectors()
    result = evaluate_pair_classification(embed, data, resamples=100)
    pairs = list(zip(data.texts("sentence1"), data.texts("sentence2"), strict=True))
    np.testing.assert_allclose(result.details["cosines"], cosine_of(embed)(pairs), atol=1e-6)
    assert result.details["gold"].tolist() == data.labels()
    assert result.details["chance"] == pytest.approx(np.mean(data.labels()))


def test_a_model_of_pairs_that_says_the_cosines_gets_the_same(data):
    embed = random_vectors()
    one = evaluate_pair_classification(embed, data, resamples=100)
    other = predict_pair_labels(cosine_of(embed), data, resamples=100)
    for metric, score in one.scores.items():
        assert other.scores[metric].value == pytest.approx(score.value, abs=1e-6)
    assert "cosines" not in other.details
    np.testing.assert_allclose(other.details["scores"], one.details["cosines"], atol=1e-6)


@pytest.mark.parametrize("labels", [[0] * 12, [1] * 12])
def test_one_label_says_nothing(labels):
    texts = [f"t{i}" for i in range(12)]
    data = table(kind="pair-labels", sentence1=texts, sentence2=texts[::-1], label=labels)
    for measure in (
        lambda: evaluate_pair_classification(random_vectors(), data),
        lambda: predict_pair_labels(cosine_of(random_vectors()), data),
    ):
        with pytest.raises(InputError, match=f"all 12 rows have the label {labels[0]}"):
            measure()


def test_nine_pairs_are_too_few(data):
    with pytest.raises(InputError, match="9 labelled pairs: an evaluation needs 10"):
        evaluate_pair_classification(random_vectors(), data.take(range(9)))
