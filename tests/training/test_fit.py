from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.models.encoder import Encoder
from training.small_runs import Log, cosine, make_data, make_fit, mnr, pairs, scored


def test_the_plan_is_announced_before_the_first_step(tiny_encoder: Encoder, tmp_path: Path):
    told = []
    fit = make_fit(tiny_encoder, tmp_path, observers=[told.append])
    fit.announce = told.append
    fit(pairs(24), mnr())
    assert told[0] is fit.plan
    assert fit.progress.step == fit.plan.steps == len(told) - 1


def test_a_note_is_kept_and_said(tiny_encoder: Encoder, tmp_path: Path):
    said = []
    fit = make_fit(tiny_encoder, tmp_path)
    fit.say = said.append
    fit.note("neutral rows were left out: 3")
    assert said == fit.notes == ["neutral rows were left out: 3"]


@pytest.mark.parametrize(("rows", "batch_size"), [(1, 64), (24, 1)])
def test_a_contrastive_batch_of_one_is_refused(tiny_encoder, tmp_path: Path, rows, batch_size):
    log = Log()
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], batch_size=batch_size)
    with pytest.raises(InputError, match="a batch of one row has no negatives") as caught:
        fit(pairs(rows), mnr())
    assert "--batch-size 2" in caught.value.mend
    assert log.events == []


def test_other_losses_take_a_batch_of_one(tiny_encoder: Encoder, tmp_path: Path):
    log = Log()
    make_fit(tiny_encoder, tmp_path, observers=[log], batch_size=1)(scored(3), cosine())
    assert [step.rows for step in log.steps] == [1, 1, 1]


def test_a_contrastive_row_left_over_joins_the_batch_before(tiny_encoder: Encoder, tmp_path: Path):
    log = Log()
    make_fit(tiny_encoder, tmp_path, observers=[log], batch_size=4)(pairs(9), mnr())
    assert [step.rows for step in log.steps] == [4, 5]


@pytest.mark.parametrize(
    ("anchors", "positives"),
    [
        (["apple", "river", "engine"], ["letter", "Letter.", "letter"]),
        (["apple", "Apple.", "apple"], ["letter", "planet", "bridge"]),
    ],
)
def test_data_in_which_nothing_is_a_negative_is_refused(
    tiny_encoder: Encoder, tmp_path: Path, anchors, positives
):
    log = Log()
    data = make_data("pairs", anchor=anchors, positive=positives)
    with pytest.raises(InputError, match="no row has a negative"):
        make_fit(tiny_encoder, tmp_path, observers=[log])(data, mnr())
    assert log.events == []


def test_a_batch_of_repeats_among_good_ones_does_not_end_the_run(
    tiny_encoder: Encoder, tmp_path: Path
):
    rows = [("apple", "river")] * 6 + [("engine", "letter")]
    anchors, positives = zip(*rows, strict=True)
    data = make_data("pairs", anchor=list(anchors), positive=list(positives))
    log = Log()
    make_fit(tiny_encoder, tmp_path, observers=[log], batch_size=2, epochs=2)(data, mnr())
    assert any(step.loss == 0 for step in log.steps)
    assert any(step.loss > 0 for step in log.steps)
    assert all(step.masked <= step.rows**2 for step in log.steps)
