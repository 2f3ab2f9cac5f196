"""What no loss could learn from is refused before the first step."""

from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.losses import LOSSES
from likewise.methods import METHODS
from likewise.methods.refusals import refuse_unfit
from training.small_runs import Log, make_data, make_fit, nli, pairs, same_weights, scored, weights


@pytest.fixture
def fit(tiny_encoder, tmp_path: Path):
    return make_fit(tiny_encoder, tmp_path, observers=[Log()])


def one_label(label: int):
    data = nli(24)
    return data.take([i for i, found in enumerate(data.labels()) if found == label])


def equal_scores():
    return make_data("scored", sentence1=["a", "b"], sentence2=["c", "d"], score=[3.0, 3.0])


# a teacher's answers, or the texts alone: no label is learnt
NO_LABELS = {"mse", "distillation", "tsdae", "contrastive-tension", "mlm", "word2vec", "gpl"}

LEARN_LABELS = [
    (name, label)
    for name, spec in METHODS.items()
    if "nli" in spec.kinds and name not in NO_LABELS
    for label in range(3)
    if label > 0 or not spec.contrastive  # entailments are pairs: other rows are their negatives
]


@pytest.mark.parametrize(("name", "label"), LEARN_LABELS)
def test_nli_with_one_class_only_is_refused_where_the_classes_are_what_is_learnt(
    name: str, label: int, new_encoder, tmp_path: Path
):
    encoder, log = new_encoder(), Log()
    before = weights(encoder)
    fit = make_fit(encoder, tmp_path / "run", observers=[log])
    with pytest.raises(InputError) as caught:
        METHODS[name].function(fit, one_label(label))
    assert caught.value.problem
    assert log.events == []
    assert same_weights(weights(encoder), before)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("name", "kind"), [("contrastive", "pair-labels"), ("softmax", "nli")])
def test_one_class_is_named_with_its_file(name: str, kind: str, fit):
    roles = LOSSES[name].text_roles
    data = make_data(kind, **{role: ["apple", "river"] for role in roles}, label=[1, 1])
    with pytest.raises(InputError, match=r"all 2 rows have the label") as caught:
        refuse_unfit(fit, data, LOSSES[name], method=name)
    assert caught.value.where.path == "memory.jsonl"
    assert "other labels" in caught.value.mend


@pytest.mark.parametrize("name", ["triplet", "mnr", "margin-mse"])
def test_a_triplet_whose_positive_is_its_negative_is_named_by_row(name: str, fit):
    kind = LOSSES[name].kinds[0]
    columns = {
        "anchor": ["apple", "river", "engine"],
        "positive": ["garden", "A bridge!", "letter"],
        "negative": ["planet", "a bridge", "violin"],
    }
    more = {"scores": [[1.0, 0.0]] * 3} if kind == "distilled" else {}
    data = make_data(kind, **columns, **more)
    with pytest.raises(InputError, match="a negative is the row's own positive") as caught:
        refuse_unfit(fit, data, LOSSES[name], method=name)
    assert (caught.value.where.row, caught.value.where.column) == (2, "negative")


def test_many_such_triplets_are_listed_and_counted(fit):
    texts = [f"text {i}" for i in range(30)]
    data = make_data("pairs", anchor=[f"a {t}" for t in texts], positive=texts, negative=texts)
    with pytest.raises(InputError, match="30 problems") as caught:
        refuse_unfit(fit, data, LOSSES["triplet"], method="triplet")
    assert "row 20" in caught.value.problem
    assert "row 21" not in caught.value.problem


def test_triplets_need_a_negative(fit):
    with pytest.raises(InputError, match="the method triplet needs a negative") as caught:
        refuse_unfit(fit, pairs(4), LOSSES["triplet"], method="triplet")
    assert "--method mnr" in caught.value.mend
    empty = make_data("pairs", anchor=["a", "b"], positive=["c", "d"], negative=[None, None])
    with pytest.raises(InputError, match="all are empty"):
        refuse_unfit(fit, empty, LOSSES["triplet"], method="triplet")


def test_rows_that_make_no_triplet_are_left_out_and_counted(fit):
    data = make_data(
        "pairs",
        anchor=["apple", "river", "engine"],
        positive=["garden", "bridge", "letter"],
        negative=["planet", None, "violin"],
    )
    found = refuse_unfit(fit, data, LOSSES["triplet"], method="triplet")
    assert found.row.tolist() == [1, 3]
    assert fit.notes == ["rows without a negative make no triplet and were left out: 1"]


def test_a_contrast_keeps_rows_without_a_negative(fit):
    data = make_data("pairs", anchor=["a", "b"], positive=["c", "d"], negative=["e", None])
    assert refuse_unfit(fit, data, LOSSES["mnr"], method="mnr") is data
    assert fit.notes == []


@pytest.mark.parametrize("name", ["cosine", "cosent", "angle"])
def test_equal_scores_are_refused(name: str, fit):
    with pytest.raises(InputError, match="all 2 scores are 3: nothing to learn") as caught:
        refuse_unfit(fit, equal_scores(), LOSSES[name], method=name)
    assert caught.value.where.path == "memory.jsonl"


def test_good_rows_pass_as_they_are(fit):
    for name, data in (("cosine", scored(4)), ("softmax", nli(6)), ("mnr", pairs(4))):
        assert refuse_unfit(fit, data, LOSSES[name], method=name) is data
    assert fit.notes == []
