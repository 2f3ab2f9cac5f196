import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from evaluation.conftest import nli_case, table
from likewise.errors import InputError
from likewise.evaluation.nli_classification import (
    evaluate_majority,
    predict_nli,
    score_classes,
)


@pytest.fixture
def case():
    return nli_case()


def test_accuracy_and_macro_f1_are_scikit_learns(case):
    result = predict_nli(case.noisy, case.data, resamples=100)
    gold, found = result.details["gold"], result.details["predictions"]
    assert gold.tolist() == case.data.labels()
    assert result.accuracy == pytest.approx(accuracy_score(gold, found))
    assert result.macro_f1 == pytest.approx(f1_score(gold, found, average="macro"))


def test_labels_that_the_data_lacks_do_not_count():
    texts = [f"t{i}" for i in range(12)]
    data = table(kind="nli", premise=texts, hypothesis=texts, label=[0, 2] * 6)
    perfect = score_classes(np.array([0, 2] * 6), data, resamples=100)
    assert perfect.macro_f1 == 1


def test_the_models_own_names_say_which_class_is_which(case):
    class Named:
        def __init__(self, labels, order):
            self.labels, self.order = labels, order

        def __call__(self, pairs):
            return case.perfect(pairs)[:, self.order]

    named = Named(("Contradiction", "ENTAILMENT", "neutral"), [2, 0, 1])
    assert predict_nli(named, case.data, resamples=100).accuracy == 1
    numbered = Named(("LABEL_0", "LABEL_1", "LABEL_2"), [0, 1, 2])
    assert predict_nli(numbered, case.data, resamples=100).accuracy == 1
    with pytest.raises(InputError, match="classes are no, maybe, yes, not entailment"):
        predict_nli(Named(("no", "maybe", "yes"), [0, 1, 2]), case.data)


def test_the_majority_answers_the_most_frequent_label():
    texts = [f"t{i}" for i in range(12)]
    data = table(kind="nli", premise=texts, hypothesis=texts, label=[1] * 7 + [0] * 3 + [2] * 2)
    result = evaluate_majority(data, resamples=100)
    assert result.model == "majority"
    assert result.accuracy == pytest.approx(7 / 12)
    assert result.macro_f1 == pytest.approx(2 * 7 / (12 + 7) / 3)


def test_one_label_and_a_few_rows_are_refused(case):
    texts = [f"t{i}" for i in range(12)]
    data = table(kind="nli", premise=texts, hypothesis=texts, label=[1] * 12)
    with pytest.raises(InputError, match="all 12 rows have the label neutral"):
        predict_nli(case.random, data)
    with pytest.raises(InputError, match="9 rows: an evaluation needs 10"):
        predict_nli(case.random, case.data.take(range(9)))
