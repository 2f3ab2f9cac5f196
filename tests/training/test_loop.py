"""What the loop does, and when."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from likewise.errors import NotFinite
from likewise.models.encoder import Encoder
from likewise.training.checkpoint import newest_checkpoint, read_progress
from likewise.training.events import Event, Saved, StepDone
from likewise.training.objective import Objective
from likewise.training.optimiser import rate_at
from likewise.training.options import TrainingOptions
from training.small_runs import (
    Crash,
    Log,
    cosine,
    crash_after,
    make_fit,
    mnr,
    nli,
    pairs,
    ranking,
    same_weights,
    scored,
    series,
    softmax,
    weights,
    yes_or_no,
)


def failing(objective: Objective, at: int, value: float) -> Objective:
    """The same objective, whose loss is `value` times itself from its `at`-th call on."""
    calls = []

    def loss(embeddings, batch):
        calls.append(batch)
        found = objective.loss(embeddings, batch)
        return found * value if len(calls) >= at else found

    return replace(objective, loss=loss)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_run_and_is_kept_nowhere(
    tiny_encoder: Encoder, tmp_path: Path, value: float
):
    before = {}

    def remember(event: Event) -> None:
        if isinstance(event, StepDone):
            before.update(weights(tiny_encoder))

    log = Log(act=remember)
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], checkpoint_every=1)
    with pytest.raises(NotFinite) as caught:
        fit(pairs(24), failing(mnr(), 4, value))
    assert caught.value.step == 4
    assert len(caught.value.rows) == 4
    assert all(row.startswith("memory.jsonl, row ") for row in caught.value.rows)
    assert same_weights(weights(tiny_encoder), before)
    assert [event.step for event in log.steps] == [1, 2, 3]
    assert newest_checkpoint(tmp_path).name == "step-00000003"


def test_the_rows_of_a_failed_step_are_those_of_its_batch(tiny_encoder: Encoder, tmp_path: Path):
    from likewise.training.sampling import Sampling

    with pytest.raises(NotFinite) as caught:
        make_fit(tiny_encoder, tmp_path, seed=3)(pairs(24), failing(mnr(), 2, math.nan))
    rows = Sampling(n_rows=24, batch_size=4, seed=3, smallest=2).rows(1)
    assert caught.value.rows == tuple(f"memory.jsonl, row {row + 1}" for row in rows)


class Questions(TorchDispatchMode):
    """Counts how often a single float was read; boundaries of texts are integers of the host."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten._local_scalar_dense.default:
            self.asked += args[0].is_floating_point()
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("micro", [64, 8192], ids=["in parts", "whole"])
def test_a_step_asks_the_device_for_no_single_number(new_encoder, tmp_path: Path, micro: int):
    """Loss and norm are read together, which is the one time that a step waits."""
    questions, log = Questions(), Log()
    with questions:
        make_fit(new_encoder(), tmp_path, observers=[log], micro_tokens=micro)(pairs(8), mnr())
    assert questions.asked == 0
    assert all(step.loss > 0 and step.gradient_norm > 0 for step in log.steps)


def test_on_a_cpu_a_run_is_deterministic_without_being_asked(new_encoder, tmp_path: Path):
    found = []
    for asked in (False, True):
        encoder = new_encoder()
        make_fit(encoder, tmp_path / str(asked), deterministic=asked)(pairs(8), mnr())
        found.append(weights(encoder))
    assert same_weights(*found)


def test_a_failed_run_leaves_no_gradient_to_the_next(new_encoder, tmp_path: Path):
    encoder, other = new_encoder(), new_encoder()
    with pytest.raises(NotFinite):
        make_fit(encoder, tmp_path / "a")(pairs(24), failing(mnr(), 1, math.nan))
    make_fit(encoder, tmp_path / "b")(pairs(24), mnr())
    make_fit(other, tmp_path / "c")(pairs(24), mnr())
    assert same_weights(weights(encoder), weights(other))


def test_the_encoder_is_ready_for_use_however_a_run_ends(tiny_encoder: Encoder, tmp_path: Path):
    with pytest.raises(NotFinite):
        make_fit(tiny_encoder, tmp_path / "a")(pairs(24), failing(mnr(), 2, math.nan))
    assert not any(module.training for module in tiny_encoder.module.modules())
    make_fit(tiny_encoder, tmp_path / "b")(pairs(24), mnr())
    assert not any(module.training for module in tiny_encoder.module.modules())


def test_every_weight_of_encoder_and_head_moves(tiny_encoder: Encoder, tmp_path: Path):
    objective = softmax(tiny_encoder)
    start = weights(tiny_encoder)
    head = {name: t.clone() for name, t in objective.head.state_dict().items()}
    make_fit(tiny_encoder, tmp_path, epochs=3)(nli(24), objective)
    moved = [bool((t != head[name]).all()) for name, t in objective.head.state_dict().items()]
    assert moved
    assert all(moved)
    still = [name for name, t in weights(tiny_encoder).items() if torch.equal(t, start[name])]
    assert still == []


def test_a_step_is_told_with_what_it_took(tiny_encoder: Encoder, tmp_path: Path):
    log = Log()
    options = {"epochs": 2, "schedule": "linear", "warmup": 0.25, "learning_rate": 1e-3}
    make_fit(tiny_encoder, tmp_path, observers=[log], **options)(scored(24), cosine())
    assert [step.step for step in log.steps] == list(range(1, 13))
    expected = [rate_at((i + 0.5) / 12, TrainingOptions(**options)) for i in range(12)]
    assert [step.rate for step in log.steps] == pytest.approx(expected)
    for step in log.steps:
        assert step.rows == 4
        assert step.texts <= 8
        assert step.tokens > step.texts
        assert step.gradient_norm > 0
    seconds = [step.seconds for step in log.steps]
    assert seconds == sorted(seconds)


def test_the_gradient_is_clipped_over_encoder_and_head_together(
    new_encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    found = []
    step = torch.optim.AdamW.step

    def watched(self, *args, **kwargs):
        found.append([p.grad.norm() for g in self.param_groups for p in g["params"]])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    for clip, bound in ((0.01, 0.01), (0.0, math.inf)):
        found.clear()
        encoder, log = new_encoder(), Log()
        fit = make_fit(encoder, tmp_path / str(clip), observers=[log], clip=clip)
        fit(nli(24), softmax(encoder))
        for norms, event in zip(found, log.steps, strict=True):
            used = float(torch.stack(norms).norm())
            assert used == pytest.approx(min(event.gradient_norm, bound), rel=1e-3)


def test_checkpoints_come_where_the_plan_says(tiny_encoder: Encoder, tmp_path: Path):
    log = Log()
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], checkpoint_every=4, epochs=2)
    fit(pairs(24), mnr())
    assert [event.step for event in log.events if isinstance(event, Saved)] == [4, 8, 12]
    assert fit.plan.checkpoint_every == 4


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, [12]), (3, [4, 8, 12]), (99, list(range(1, 13)))]
)
def test_evaluations_come_where_the_plan_says(tiny_encoder, tmp_path: Path, count, expected):
    log = Log()
    evaluate = series([i / 100 for i in range(20)])
    options = {"epochs": 2, "evaluations": count}
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], evaluate=evaluate, **options)
    fit(pairs(24), mnr())
    assert [event.step for event in log.evaluated] == expected
    assert sorted(fit.plan.evaluate_after) == expected


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ([0.1, 0.9, 0.2], 4),
        ([0.1, 0.2, 0.9], 6),
        ([0.5, 0.5, 0.5], 2),
        ([0.1, math.nan, 0.05], 2),
        ([math.nan, 0.1, 0.05], 4),
    ],
)
def test_the_weights_of_the_best_evaluation_are_kept(new_encoder, tmp_path: Path, values, best):
    seen = {}

    def remember(event: Event) -> None:
        if isinstance(event, StepDone):
            seen[event.step] = weights(encoder)

    encoder = new_encoder()
    fit = make_fit(
        encoder,
        tmp_path,
        observers=[Log(act=remember)],
        evaluate=series(values),
        evaluations=3,
        keep="best",
    )
    fit(pairs(24), mnr())
    assert fit.progress.best_step == best
    assert same_weights(weights(encoder), seen[best])
    assert not same_weights(seen[best], seen[best - 1])


def test_dropout_is_off_while_measuring_and_on_while_training(new_encoder, tmp_path: Path):
    encoder, modes = new_encoder(), []

    def evaluate(measured: Encoder):
        modes.append(any(module.training for module in measured.module.modules()))
        return series([0.5])(measured)

    calm, lively, again = new_encoder(), new_encoder(), new_encoder()
    options = {"evaluations": 2, "keep": "last"}
    make_fit(encoder, tmp_path / "a", evaluate=evaluate, **options)(pairs(24), mnr())
    assert modes == [False, False]
    make_fit(calm, tmp_path / "b", dropout=0.0)(pairs(24), mnr())
    make_fit(lively, tmp_path / "c", dropout=0.4)(pairs(24), mnr())
    assert not same_weights(weights(calm), weights(lively))
    # measuring in between draws nothing from the stream of dropout
    make_fit(again, tmp_path / "d")(pairs(24), mnr())
    assert same_weights(weights(again), weights(encoder))


def test_the_models_own_dropout_comes_back_after_the_run(tiny_encoder: Encoder, tmp_path: Path):
    def own() -> list[float]:
        return [m.dropout for m in tiny_encoder.module.modules() if hasattr(m, "dropout")]

    before = own()
    assert any(before)
    make_fit(tiny_encoder, tmp_path, dropout=0.0)(pairs(24), mnr())
    assert own() == before


def test_dropout_of_other_libraries_modules_follows_the_option(tmp_path: Path, new_encoder):
    encoder = new_encoder()
    encoder.tail = nn.Sequential(encoder.tail, nn.Dropout(0.5))
    encoder.module["tail"] = encoder.tail
    probabilities = []

    def watch(event: Event) -> None:
        probabilities.append(encoder.tail[1].p)

    make_fit(encoder, tmp_path, observers=[watch], dropout=0.0, checkpoint_every=100)(
        pairs(24), mnr()
    )
    assert set(probabilities) == {0.0}
    assert encoder.tail[1].p == 0.5


def test_the_global_random_state_is_left_alone(tiny_encoder: Encoder, tmp_path: Path):
    before = torch.get_rng_state()
    make_fit(tiny_encoder, tmp_path)(pairs(24), mnr())
    assert torch.equal(torch.get_rng_state(), before)


def test_parts_change_the_memory_and_not_the_weights(new_encoder, tmp_path: Path):
    whole, parts = new_encoder(), new_encoder()
    options = {"dropout": 0.0, "batch_size": 12, "learning_rate": 1e-4}
    log = Log()
    make_fit(whole, tmp_path / "a", **options)(pairs(24), mnr())
    fit = make_fit(parts, tmp_path / "b", observers=[log], micro_tokens=64, **options)
    fit(pairs(24), mnr())
    assert log.steps[0].tokens > 64
    assert fit.plan.parts_a_step > 1
    for name, tensor in weights(whole).items():
        # Adam divides by the gradient's own size: a last bit there may be a step of the rate
        torch.testing.assert_close(weights(parts)[name], tensor, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("data", "objective"), [(scored, yes_or_no), (pairs, ranking)], ids=["pairs", "lists"]
)
def test_parts_of_pairs_change_the_memory_and_not_the_way(
    new_cross, tmp_path: Path, data, objective
):
    """Each loss is that of weights that all the steps before have made."""
    logs = Log(), Log()
    for log, tokens in zip(logs, (8192, 64), strict=True):
        options = {"dropout": 0.0, "batch_size": 12, "epochs": 5, "micro_tokens": tokens}
        fit = make_fit(new_cross(), tmp_path / str(tokens), observers=[log], **options)
        fit(data(24), objective())
    whole, parts = ([step.loss for step in log.steps] for log in logs)
    assert logs[1].steps[0].tokens > 3 * 64
    assert len(whole) == 10
    assert abs(whole[0] - whole[-1]) > 0.01
    assert parts == pytest.approx(whole, rel=1e-4)


def test_the_clock_ends_a_run_and_the_rate_falls_with_it(tiny_encoder: Encoder, tmp_path: Path):
    log = Log()
    fit = make_fit(
        tiny_encoder,
        tmp_path,
        observers=[log],
        minutes=0.6 / 60,
        warmup=0.0,
        evaluate=series([i / 100 for i in range(99)]),
    )
    fit(pairs(24), mnr())
    assert fit.plan.steps is None
    cost, steps = fit.plan.cost, [step.seconds for step in log.steps]
    # of 0.6 s the last measurement and the model are kept free, half of it at the most
    assert 0.3 <= fit.plan.clock_seconds(fit.options) <= 0.6 - cost.save_seconds
    assert fit.progress.clock >= steps[-1]
    assert steps[-2] < fit.plan.clock_seconds(fit.options)
    rates = [step.rate for step in log.steps]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.3 * rates[0]
    assert log.evaluated[-1].step == log.steps[-1].step  # the end is measured
    assert 1 <= len(log.evaluated) <= 5


def test_measuring_counts_against_the_clock(tiny_encoder: Encoder, tmp_path: Path):
    import time

    log = Log()

    def slow(encoder: Encoder):
        time.sleep(0.2)
        return series([0.5])(encoder)

    fit = make_fit(
        tiny_encoder, tmp_path, observers=[log], evaluate=slow, minutes=2 / 60, evaluations=4
    )
    fit.dev_seconds = 0.2
    fit(pairs(24), mnr())
    steps, evaluations = log.steps[-1].seconds, len(log.evaluated)
    assert 1 <= evaluations <= 4
    assert log.evaluated[-1].step == log.steps[-1].step
    # when the last step but one was done, there was time left after all that had been measured
    before = log.steps[-2].seconds + 0.2 * max(evaluations - 2, 0)
    assert before < fit.plan.clock_seconds(fit.options) <= 1.8
    assert fit.progress.clock >= steps + 0.2 * evaluations


def test_a_run_by_the_clock_goes_on_with_the_time_that_is_left(new_encoder, tmp_path: Path):
    options = {"minutes": 1 / 60, "checkpoint_every": 2, "probe_seconds": 0.0}
    with pytest.raises(Crash):
        make_fit(new_encoder(), tmp_path, observers=[crash_after(5)], **options)(pairs(24), mnr())
    spent = read_progress(newest_checkpoint(tmp_path)).clock
    assert spent > 0
    fit = make_fit(new_encoder(), tmp_path, resume=True, **options)
    fit(pairs(24), mnr())
    assert fit.progress.step > 4
    assert fit.progress.clock >= spent


def test_what_learns_by_itself_takes_batch_and_rate_and_no_gradient(new_encoder, tmp_path: Path):
    asked = []

    def update(batch, rate: float) -> float:
        asked.append((batch.rows.tolist(), rate))
        return 3.0

    encoder, log = new_encoder(), Log()
    before = weights(encoder)
    make_fit(encoder, tmp_path, observers=[log])(pairs(8), replace(mnr(), update=update))
    assert [(step.rate, step.loss, step.gradient_norm) for step in log.steps] == [
        (rate, 3.0, 0.0) for _, rate in asked
    ]
    assert sorted(row for rows, _ in asked for row in rows) == list(range(8))
    assert same_weights(before, weights(encoder))


def test_a_loss_of_what_learns_by_itself_has_to_be_finite_too(new_encoder, tmp_path: Path):
    objective = replace(mnr(), update=lambda batch, rate: math.inf)
    with pytest.raises(NotFinite, match="the loss at step 1"):
        make_fit(new_encoder(), tmp_path)(pairs(8), objective)
