from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.methods.cosine import train_cosine
from likewise.training.examples import build_examples
from training.small_runs import Watch, make_fit, nli, scored


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
