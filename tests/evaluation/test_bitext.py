import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from evaluation.conftest import bitext_case, noisy, random_vectors, table
from likewise.data.reading import read
from likewise.errors import InputError
from likewise.evaluation.bitext import NEIGHBOURS, evaluate_bitext, evaluate_tfidf_bitext


def pairs(sources, targets, **more):
    return table(kind="pairs", anchor=list(sources), positive=list(targets), **more)


def cosines_of(embed, left, right):
    a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (embed(left), embed(right)))
    return a.astype(float) @ b.astype(float).T


def mteb_bitext(cosines):
    """As MTEB 2 has it: row i is right at column i; sklearn's metrics weighed by the classes."""
    labels, predictions = np.arange(len(cosines)), cosines.argmax(axis=1)
    weighed = {"zero_division": 0, "average": "weighted"}
    return {
        "precision": precision_score(labels, predictions, **weighed),
        "recall": recall_score(labels, predictions, **weighed),
        "f1": f1_score(labels, predictions, **weighed),
        "accuracy": accuracy_score(labels, predictions),
    }


@given(st.integers(10, 60), st.integers(0, 10_000))
@settings(deadline=None, max_examples=25)
def test_the_metrics_are_those_of_mteb(n, seed):
    sources, targets = ([f"{side} {i} {seed}" for i in range(n)] for side in ("left", "right"))
    embed = random_vectors(4)
    result = evaluate_bitext(embed, pairs(sources, targets), resamples=100)
    cosines = cosines_of(embed, sources, targets)
    for name, value in mteb_bitext(cosines).items():
        assert result.scores[name].value == pytest.approx(value)
    assert result.accuracy_back == pytest.approx(mteb_bitext(cosines.T)["accuracy"])
    assert (result.primary, result.n) == ("f1", n)


def test_a_model_between_is_measured_as_mteb_does_too():
    case = bitext_case()
    embed = noisy(case)
    result = evaluate_bitext(embed, case.data, resamples=100)
    expected = mteb_bitext(
        cosines_of(embed, case.data.texts("anchor"), case.data.texts("positive"))
    )
    assert 0.1 < result.f1 < 0.9
    assert {name: result.scores[name].value for name in expected} == pytest.approx(expected)


def margin_f1(cosines, k):
    """Artetxe and Schwenk 2019, equations 2 and 3 with the ratio, over all candidates."""
    forward = np.sort(cosines, axis=1)[:, -k:].sum(axis=1) / (2 * k)
    backward = np.sort(cosines, axis=0)[-k:].sum(axis=0) / (2 * k)
    return mteb_bitext(cosines / (forward[:, None] + backward))["f1"]


def test_the_margin_is_that_of_the_paper():
    case = bitext_case()
    embed = noisy(case)
    result = evaluate_bitext(embed, case.data, resamples=100)
    cosines = cosines_of(embed, case.data.texts("anchor"), case.data.texts("positive"))
    assert result.f1_margin == pytest.approx(margin_f1(cosines, NEIGHBOURS), abs=0.02)
    assert result.f1_margin != result.f1


def test_the_margin_mends_a_hub():
    """A sentence near to everything is nobody's translation more than another is."""
    n = 20
    sources, targets = [f"left {i}" for i in range(n)], [f"right {i}" for i in range(n)]
    mean = np.ones(n) / np.sqrt(n)

    def embed(texts, *, role=None):
        own = np.eye(n)[[int(text.split()[1]) for text in texts]]
        is_hub = np.array([text == "right 0" for text in texts])[:, None]
        is_right = np.array([text.startswith("right") for text in texts])[:, None]
        spread = np.where(is_right, 1.0, 0.55) * own + np.where(is_right, 0.0, 1.0) * mean
        return np.where(is_hub, mean + 0.3 * own, spread).astype(np.float32)

    result = evaluate_bitext(embed, pairs(sources, targets), resamples=100)
    assert result.f1 < 0.3
    assert result.f1_margin > 0.9


def placed(places):
    """Texts as unit vectors of their own, those of one name together."""
    return lambda texts, *, role=None: np.eye(40, dtype=np.float32)[[places[t] for t in texts]]


def test_every_equal_text_is_a_right_answer():
    names = [f"s{i}" for i in range(9)]
    sources = [*names, "hello", "hello", "hi"]
    targets = [*(f"t{i}" for i in range(9)), "hallo", "servus", "hallo"]
    places = {text: i for i in range(9) for text in (f"s{i}", f"t{i}")}
    for greeting, answer in (("hallo", 20), ("servus", 30)):
        at = {"hello": answer, "hi": 20, "hallo": 20, "servus": 30, **places}
        result = evaluate_bitext(placed(at), pairs(sources, targets), resamples=100)
        assert {result.accuracy, result.f1, result.precision, result.recall} == {1.0}, greeting
        assert result.n == 12
    back = evaluate_bitext(placed({**at, "hello": 20}), pairs(sources, targets), resamples=100)
    # servus has nothing at its place: of all at cosine 0 it finds the first by name, hello
    assert back.accuracy_back == 1


def test_several_positives_of_a_row_are_all_right():
    sources = [f"s{i}" for i in range(10)]
    targets = [["t0", "u0"], *([f"t{i}"] for i in range(1, 10))]
    places = {text: i for i in range(10) for text in (f"s{i}", f"t{i}")}
    for there in (0, 39):
        at = {**places, "u0": there, "t0": 39 - there}
        result = evaluate_bitext(placed(at), pairs(sources, targets), resamples=100)
        assert result.accuracy == 1
        # the other of the two has nothing near, and finds s0, the first by name
        assert result.accuracy_back == 1


def test_metrics_of_a_wrong_answer_by_hand():
    places = {text: i for i in range(10) for text in (f"s{i}", f"t{i}")}
    places["s1"] = 0
    result = evaluate_bitext(
        placed(places), pairs([f"s{i}" for i in range(10)], [f"t{i}" for i in range(10)])
    )
    values = {name: v[:3].tolist() for name, v in result.details["values"].items()}
    # t0 is found by s0 and s1: a precision of 1/2, an F1 of 2/3; nobody finds t1
    assert values["accuracy"] == values["recall"] == [1, 0, 1]
    assert values["precision"] == [1 / 2, 0, 1]
    assert values["f1"] == pytest.approx([2 / 3, 0, 1])
    assert result.details["chance"] == pytest.approx(1 / 10)


def test_sentences_are_asked_for_once_and_without_a_role():
    case, asked = bitext_case(), []

    def spied(texts, *, role=None):
        asked.append((role, len(texts)))
        return case.perfect(texts)

    evaluate_bitext(spied, case.data, resamples=100)
    assert asked == [(None, 240)]


def test_negatives_are_not_to_be_found():
    sources, targets = [f"s{i}" for i in range(10)], [f"t{i}" for i in range(10)]
    data = pairs(sources, targets, negative=[f"n{i}" for i in range(10)])
    places = {text: i for i in range(10) for text in (f"s{i}", f"t{i}")}
    result = evaluate_bitext(placed(places), data, resamples=100)
    assert result.f1 == 1
    assert result.notes == ("negatives are not among the sentences to be found",)


def test_vectors_that_point_away_from_one_another_are_ranked_all_the_same():
    """A ratio of two negative cosines would prefer the farthest."""
    n = 12
    sources, targets = [f"s{i}" for i in range(n)], [f"t{i}" for i in range(n)]

    def embed(texts, *, role=None):
        own = np.eye(n)[[int(text[1:]) for text in texts]] / 2
        side = np.array([1.0 if text[0] == "s" else -1.0 for text in texts])[:, None]
        return (own + side * np.ones(n)).astype(np.float32)

    result = evaluate_bitext(embed, pairs(sources, targets), resamples=100)
    assert result.f1 == result.f1_margin == 1


def test_names_and_numbers_in_common_are_found_without_a_model():
    towns = ["Bern", "Rome", "Oslo", "Lima", "Kyiv", "Baku", "Doha", "Lome", "Male", "Riga"]
    data = pairs([f"I go to {t} today" for t in towns], [f"heute geht es nach {t}" for t in towns])
    result = evaluate_tfidf_bitext(data, resamples=100)
    assert (result.model, result.f1, result.accuracy_back) == ("TF-IDF", 1, 1)


@pytest.mark.parametrize(
    ("sources", "targets", "problem"),
    [
        ("abcdefghi", "abcdefghi", "9 pairs: an evaluation needs 10 or more"),
        ("aaaaaaaaaa", "abcdefghij", 'every row has the same anchor: "a"'),
        ("abcdefghij", "aaaaaaaaaa", 'every row has the same positive: "a"'),
    ],
)
def test_what_has_nothing_to_find_is_refused(sources, targets, problem):
    with pytest.raises(InputError, match=problem):
        evaluate_bitext(random_vectors(), pairs(sources, targets))


def test_columns_of_a_scored_set_without_a_score_are_told_how_to_be_pairs(tmp_path):
    path = tmp_path / "de-en.csv"
    lines = "".join(f"Satz {i},sentence {i}\n" for i in range(10))
    path.write_text(f"sentence1,sentence2\n{lines}")
    with pytest.raises(InputError) as caught:
        read(path)
    option, _, _ = caught.value.mend.partition(";")
    assert option == "--columns anchor=sentence1,positive=sentence2"
    columns = {"anchor": "sentence1", "positive": "sentence2"}
    for kind in (None, "pairs"):
        data = read(path, kind=kind, columns=columns)
        assert evaluate_bitext(random_vectors(), data, resamples=100).n == 10
