import json
from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.losses import LOSSES
from likewise.losses.cross_encoder import CROSS_LOSSES
from likewise.methods.cross_encoder import cross_objective
from likewise.models.cross_encoder import load_cross_encoder
from likewise.models.encoder import Encoder
from likewise.training.objective import objective_of
from likewise.training.options import TRANSFORMER_RATE
from training.small_runs import (
    Crash,
    Log,
    cosine,
    crash_after,
    labelled,
    make_data,
    make_fit,
    mnr,
    pairs,
    ranking,
    same_weights,
    scored,
    weights,
    yes_or_no,
)


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
    assert ("give more rows" if rows == 1 else "--batch-size 2") in caught.value.mend
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


def rates(encoder, folder: Path, data, objective) -> set[float]:
    """The learning rates of a run for which none was given."""
    log = Log()
    options = {"learning_rate": None, "warmup": 0.0, "schedule": "constant", "epochs": 0.5}
    make_fit(encoder, folder, observers=[log], **options)(data, objective)
    return {step.rate for step in log.steps}


def test_the_learning_rate_is_that_of_the_models_family(
    new_encoder, new_static, new_cross, tmp_path: Path
):
    assert rates(new_encoder(), tmp_path / "a", pairs(24), mnr()) == {TRANSFORMER_RATE}
    assert rates(new_cross(), tmp_path / "b", scored(24), yes_or_no()) == {TRANSFORMER_RATE}
    static = new_static()
    assert rates(static, tmp_path / "c", pairs(24), mnr()) == {static.learning_rate}
    assert static.learning_rate > TRANSFORMER_RATE


def test_a_learning_rate_that_is_given_is_used(new_static, tmp_path: Path):
    log = Log()
    options = {"learning_rate": 3e-4, "warmup": 0.0, "schedule": "constant"}
    make_fit(new_static(), tmp_path, observers=[log], **options)(pairs(24), mnr())
    assert {step.rate for step in log.steps} == {3e-4}


@pytest.mark.parametrize("negatives", [2, 99])
def test_a_plan_counts_the_pairs_that_are_drawn(new_cross, tmp_path: Path, negatives: int):
    log = Log()
    fit = make_fit(new_cross(), tmp_path, observers=[log])
    fit(pairs(24), ranking(negatives))
    assert [step.tokens for step in log.steps] == [fit.plan.tokens_a_step] * 6


def opening(fit, folder: Path) -> list[str]:
    """What a fit tells of its beginning, with what is in the folder by then."""
    told: list[str] = []

    def begin() -> None:
        told.append("begin" if not folder.exists() else f"begin, {len(list(folder.iterdir()))} in")

    fit.begin = begin
    fit.announce = lambda plan: told.append(f"announce {plan.steps}")
    return told


def test_the_folder_is_opened_once_and_before_anything_is_written(
    tiny_encoder: Encoder, tmp_path: Path
):
    folder = tmp_path / "checkpoints"
    fit = make_fit(tiny_encoder, folder, checkpoint_every=2)
    told = opening(fit, folder)
    fit(pairs(24), mnr())
    assert told == ["begin", "announce 6"]
    assert folder.is_dir()


def test_the_folder_of_what_is_refused_is_not_opened(tiny_encoder: Encoder, tmp_path: Path):
    folder = tmp_path / "checkpoints"
    fit = make_fit(tiny_encoder, folder)
    told = opening(fit, folder)
    with pytest.raises(InputError):
        fit(make_data("pairs", anchor=["apple", "river"], positive=["a", "A."]), mnr())
    with pytest.raises(InputError):
        fit.stage("first", tiny_encoder, pairs(1), mnr())
    assert told == []
    assert not folder.exists()


def test_unevenly_filled_classes_train_to_the_end(tiny_encoder: Encoder, tmp_path: Path):
    """Though many a batch has rows of one class only."""
    log = Log()
    data = labelled(40, names=("a",) * 9 + ("b",))
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], batch_size=4, epochs=2)
    fit(data, objective_of(LOSSES["batch-hard"]))
    losses = [step.loss for step in log.steps]
    assert len(losses) == 20
    assert min(losses) == 0 < max(losses)


def test_lists_without_a_single_negative_do_not_end_a_run(new_cross, tmp_path: Path):
    """A batch in which all rows have one answer has none to draw."""
    rows = [("apple", "river")] * 6 + [("engine", "letter")]
    anchors, positives = zip(*rows, strict=True)
    data = make_data("pairs", anchor=list(anchors), positive=list(positives))
    log = Log()
    objective = cross_objective(CROSS_LOSSES["mnr"], negatives=2)
    make_fit(new_cross(), tmp_path, observers=[log], batch_size=2, epochs=2)(data, objective)
    assert any(step.loss == 0 for step in log.steps)
    assert any(step.loss > 0 for step in log.steps)


STAGE = {"epochs": 2.0, "checkpoint_every": 3, "batch_size": 4}  # 12 steps of 24 rows


def two_stages(new_encoder, new_cross, folder: Path, *, watchers=(), **options):
    """A method that trains a cross-encoder first, and then its encoder."""
    fit = make_fit(new_encoder(), folder, **(STAGE | options))
    fit.watchers, fit.observers = watchers, [*fit.observers, *watchers]
    cross = new_cross()
    fit.stage("teacher", cross, scored(24), yes_or_no(), epochs=1.5)
    fit(pairs(24), mnr())
    return fit, cross


def metrics(folder: Path) -> list[dict]:
    """What a stage wrote, without seconds and without where."""
    events = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for event in events:
        event.pop("seconds", None)
        event["path"] = Path(event.get("path", "")).name
    return events


def test_a_stage_has_a_folder_of_its_own_and_is_told_to_watchers_alone(
    new_encoder, new_cross, tmp_path: Path
):
    watcher, own = Log(), Log()
    fit = make_fit(new_encoder(), tmp_path / "run", observers=[own], **STAGE)
    fit.watchers = [watcher]
    told, said = opening(fit, tmp_path / "run"), []
    fit.say = said.append
    cross = new_cross()
    before = weights(cross)
    fit.stage("teacher", cross, scored(24), yes_or_no(), epochs=1.5, seed=3)
    assert told == ["begin", "announce 9"]
    assert said == ["stage: teacher"]
    assert own.events == []
    assert len(watcher.steps) == 9
    assert fit.plan is None  # the run's own is still to come
    found = load_cross_encoder(tmp_path / "run" / "teacher" / "model", device="cpu")
    assert same_weights(weights(found), weights(cross))
    assert not same_weights(weights(cross), before)
    steps = [e for e in metrics(tmp_path / "run" / "teacher") if e["event"] == "step"]
    assert [event["step"] for event in steps] == list(range(1, 10))


def test_a_stage_is_trained_by_its_own_loss_alone(new_encoder, new_cross, tmp_path: Path):
    """What goes around the loss of the run does not go around that of a stage before it."""
    options = {"matryoshka": (16, 8), "adaptive_layers": 1, "orthogonality": 0.1}
    wrapped, plain = (
        two_stages(new_encoder, new_cross, tmp_path / name, **given)
        for name, given in (("wrapped", options), ("plain", {}))
    )
    assert same_weights(weights(wrapped[1]), weights(plain[1]))
    assert not same_weights(weights(wrapped[0].encoder), weights(plain[0].encoder))


def test_what_was_changed_for_a_stage_is_its_alone(new_encoder, new_cross, tmp_path: Path):
    watcher, own = Log(), Log()
    fit = make_fit(new_encoder(), tmp_path, observers=[own], batch_size=8)
    fit.watchers = [watcher]
    fit.stage("teacher", new_cross(), scored(24), yes_or_no(), batch_size=3)
    fit(pairs(24), mnr())
    assert {step.rows for step in watcher.steps} == {3}
    assert {step.rows for step in own.steps} == {8}


def test_a_finished_stage_is_read_back(new_encoder, new_cross, tmp_path: Path):
    whole, teacher = two_stages(new_encoder, new_cross, tmp_path / "whole")
    watcher = Log()
    with pytest.raises(Crash):
        two_stages(new_encoder, new_cross, tmp_path / "cut", watchers=[crash_after(11)])
    again, resumed = two_stages(
        new_encoder, new_cross, tmp_path / "cut", watchers=[watcher], resume=True
    )
    assert [step.step for step in watcher.steps] == [10, 11, 12]  # of the encoder alone
    assert same_weights(weights(resumed), weights(teacher))
    assert same_weights(weights(again.encoder), weights(whole.encoder))
    (note,) = again.notes
    assert note.startswith("teacher: finished before, read back from")


def test_a_stage_that_was_cut_off_goes_on_bit_for_bit(new_encoder, new_cross, tmp_path: Path):
    whole, teacher = two_stages(new_encoder, new_cross, tmp_path / "whole")
    watcher = Log()
    with pytest.raises(Crash):
        two_stages(new_encoder, new_cross, tmp_path / "cut", watchers=[crash_after(8)])
    assert not (tmp_path / "cut" / "teacher" / "model").exists()
    again, resumed = two_stages(
        new_encoder, new_cross, tmp_path / "cut", watchers=[watcher], resume=True
    )
    assert [step.step for step in watcher.steps] == [7, 8, 9, *range(1, 13)]
    assert same_weights(weights(resumed), weights(teacher))
    assert same_weights(weights(again.encoder), weights(whole.encoder))
    assert metrics(tmp_path / "cut" / "teacher") == metrics(tmp_path / "whole" / "teacher")
    assert again.notes == whole.notes == []


def test_without_resume_a_finished_stage_is_trained_again(new_encoder, new_cross, tmp_path: Path):
    _, first = two_stages(new_encoder, new_cross, tmp_path)
    watcher = Log()
    _, second = two_stages(new_encoder, new_cross, tmp_path, watchers=[watcher], seed=4)
    assert len(watcher.steps) == 9 + 12
    assert not same_weights(weights(first), weights(second))
    found = load_cross_encoder(tmp_path / "teacher" / "model", device="cpu")
    assert same_weights(weights(found), weights(second))
