from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.methods.cosine import train_cosine
from likewise.training.examples import build_examples
from methods.small_data import DATA
from training.small_runs import Watch, make_data, make_fit, nli, scored


def targets(encoder, folder: Path, data, **options) -> list[float]:
    """The cosines that the method aims at, row by row."""
    fit = Watch(make_fit(encoder, folder))
    train_cosine(fit, data, **options)
    return build_examples(encoder, fit.data).values["score"].tolist()


def test_scores_are_brought_to_the_unit_of_a_cosine(tiny_encoder, tmp_path: Path):
    assert targets(tiny_encoder, tmp_path, scored(4)) == pytest.approx([1.0, 0.2, 1.0, 0.2])


def test_labels_become_the_targets_of_the_chapter(tiny_encoder, tmp_path: Path):
    assert targets(tiny_encoder, tmp_path, nli(6)) == [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    "options",
    [
        {"entailment": 0.9, "neutral": 0.5, "contradiction": 0.1},
        {"entailment": 1.0, "neutral": 0.5, "contradiction": -0.2},
        {"entailment": 0.5, "neutral": 0.2, "contradiction": 0.0},
    ],
)
def test_targets_are_used_as_they_were_given(tiny_encoder, tmp_path: Path, options):
    found = targets(tiny_encoder, tmp_path, nli(3), **options)
    assert found == pytest.approx(list(options.values()))


def test_what_became_of_the_labels_is_said(tiny_encoder, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path)
    train_cosine(fit, nli(6), neutral=0.5)
    (note,) = fit.notes
    assert "entailment 1, neutral 0.5, contradiction 0" in note


@pytest.mark.parametrize(
    "options", [{"entailment": 5.0}, {"contradiction": -1.5}, {"entailment": float("nan")}]
)
def test_a_target_that_no_cosine_reaches_is_refused(tiny_encoder, tmp_path: Path, options):
    with pytest.raises(InputError, match=f"{next(iter(options))} must be from -1 to 1"):
        train_cosine(make_fit(tiny_encoder, tmp_path), nli(6), **options)


def test_equal_targets_are_refused(tiny_encoder, tmp_path: Path):
    with pytest.raises(InputError, match="targets must differ"):
        train_cosine(make_fit(tiny_encoder, tmp_path), nli(6), entailment=0.0)


def test_labels_of_pairs_are_cosines_of_1_and_0(tiny_encoder, tmp_path: Path):
    data = DATA["pair-labels"](6)
    assert targets(tiny_encoder, tmp_path, data) == data.labels()


def test_scores_between_minus_1_and_1_are_cosines_already(tiny_encoder, tmp_path: Path):
    data = make_data(
        "scored",
        sentence1=["a", "b"],
        sentence2=["c", "d"],
        score=[-0.5, 1.0],
        score_range=(-1.0, 1.0),
    )
    assert targets(tiny_encoder, tmp_path, data) == [-0.5, 1.0]


def test_equal_scores_teach_nothing(tiny_encoder, tmp_path: Path):
    data = scored(8).take([0, 2, 4])
    with pytest.raises(InputError, match="all 3 scores are 5: nothing to learn"):
        train_cosine(make_fit(tiny_encoder, tmp_path / "run"), data)
    assert not (tmp_path / "run").exists()
