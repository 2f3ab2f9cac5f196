import numpy as np
import pytest

from evaluation.conftest import cosine_of, noisy, random_vectors, table, triplets_case
from likewise.errors import InputError
from likewise.evaluation.triplets import (
    evaluate_tfidf_triplets,
    evaluate_triplets,
    predict_triplets,
    triplets_of,
)

ANGLES = {"north": 90, "n.n.e.": 67, "n.e.": 45, "east": 0, "south": -90, "s.e.": -45}


def embed(texts, *, role=None):
    """Texts of a number at the angle of what follows it; the number parts anchors only."""
    angles = np.deg2rad([ANGLES[text.split()[-1]] for text in texts])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def rows(positives, negatives, n=10):
    """One row of its own, and n - 1 that every model gets right."""
    return table(
        kind="pairs",
        anchor=[f"{i} north" for i in range(n)],
        positive=[positives] + [["n.n.e."]] * (n - 1),
        negative=[negatives] + [["south"]] * (n - 1),
    )


def cosine(degrees):
    return np.cos(np.deg2rad(degrees))


@pytest.mark.parametrize(
    ("positives", "negatives", "accuracy", "margin"),
    [
        (["n.e."], ["south"], 1, cosine(45) + 1),
        (["east"], ["n.e."], 0, -cosine(45)),
        (["n.e."], ["n.e."], 0.5, 0),
        # the positives against each of the two negatives: right, right; right, wrong
        (["n.n.e.", "east"], ["n.e.", "s.e."], 3 / 4, cosine(23) / 2),
        (["east"], ["east", "s.e.", "south"], (0.5 + 1 + 1) / 3, (cosine(45) + 1) / 3),
    ],
)
def test_metrics_by_hand(positives, negatives, accuracy, margin):
    result = evaluate_triplets(embed, rows(positives, negatives), resamples=100)
    values = result.details["values"]
    assert values["accuracy"][0] == pytest.approx(accuracy)
    assert values["margin"][0] == pytest.approx(margin, abs=1e-6)
    assert result.n == 10  # a row counts once, however many triplets it has
    assert result.accuracy == pytest.approx((9 + accuracy) / 10)
    assert result.primary == "accuracy"
    if positives == negatives:
        assert result.notes == ("1 rows have a text as positive and as negative: that counts half",)


@pytest.mark.filterwarnings("ignore")
def test_the_accuracy_is_that_of_sentence_transformers(tiny_folder):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.evaluation import TripletEvaluator

    words = ("router", "parcel", "card", "invoice", "password", "camera", "ticket", "lamp")
    draw = np.random.default_rng(0)
    anchors, positives, negatives = (
        [" ".join(draw.choice(words, 4)) for _ in range(40)] for _ in range(3)
    )
    peer = SentenceTransformer(str(tiny_folder), device="cpu")
    expected = TripletEvaluator(anchors, positives, negatives, write_csv=False)(peer)
    data = table(kind="pairs", anchor=anchors, positive=positives, negative=negatives)
    result = evaluate_triplets(
        lambda texts, *, role=None: peer.encode(list(texts)), data, resamples=100
    )
    assert 0.2 < result.accuracy < 0.8
    assert result.accuracy == pytest.approx(expected["cosine_accuracy"])


def test_a_model_of_pairs_that_says_the_cosine_gives_the_same():
    case = triplets_case()
    model = noisy(case)
    one = evaluate_triplets(model, case.data, resamples=100)
    other = predict_triplets(cosine_of(model), case.data, resamples=100)
    assert one.accuracy == other.accuracy
    assert one.margin == pytest.approx(other.margin, abs=1e-6)


def test_prompts_are_those_of_questions_and_documents():
    case = triplets_case()
    asked = {}

    def spied(texts, *, role=None):
        asked[role] = list(texts)
        return case.perfect(texts)

    evaluate_triplets(spied, case.data, resamples=100)
    assert set(asked) == {"query", "document"}
    assert set(asked["query"]) == set(case.data.texts("anchor"))


def test_rows_without_a_negative_are_left_out_and_counted():
    data = table(
        kind="pairs",
        anchor=[f"{i} north" for i in range(14)],
        positive=["n.e."] * 14,
        negative=["south"] * 11 + [None] * 3,
    )
    result = evaluate_triplets(embed, data, resamples=100)
    assert result.n == 11
    assert result.notes == ("3 pairs without a negative are left out",)


@pytest.mark.parametrize(
    ("negatives", "problem"),
    [
        (None, "0 of 12 pairs have a negative: an evaluation needs 10"),
        (["south"] * 9 + [None] * 3, "9 of 12 pairs have a negative"),
    ],
)
@pytest.mark.parametrize("measure", [evaluate_triplets, predict_triplets])
def test_too_few_negatives_are_refused_before_any_work(measure, negatives, problem):
    more = {} if negatives is None else {"negative": negatives}
    data = table(
        kind="pairs", anchor=[f"{i} north" for i in range(12)], positive=["n.e."] * 12, **more
    )

    def never(*_, **__):
        raise AssertionError

    with pytest.raises(InputError, match=problem) as caught:
        measure(never, data)
    assert "likewise mine" in caught.value.mend


def test_words_in_common_tell_positives_without_a_model():
    anchors = [f"where is the router {i}" for i in range(12)]
    data = table(
        kind="pairs",
        anchor=anchors,
        positive=[f"the router {i} is here" for i in range(12)],
        negative=[["a parcel", "no such thing"]] * 12,
    )
    result = evaluate_tfidf_triplets(data, resamples=100)
    assert (result.model, result.accuracy) == ("TF-IDF", 1)
    assert 0 < result.margin < 1


def test_the_order_of_several_texts_in_a_row_changes_nothing():
    data = rows(["n.n.e.", "east"], ["n.e.", "s.e."])
    turned = rows(["east", "n.n.e."], ["s.e.", "n.e."])
    assert triplets_of(data) == triplets_of(turned)
    one, other = (evaluate_triplets(random_vectors(), d, resamples=100) for d in (data, turned))
    assert one.scores == other.scores
