from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from likewise.models.device import Hardware
from likewise.models.encoder import Encoder
from likewise.training.cost import Cost
from likewise.training.embedding_feed import embedding_feed
from likewise.training.options import TrainingOptions
from likewise.training.plan import MOST_EVALUATIONS, Plan, make_plan
from likewise.training.sampling import Sampling
from training.small_runs import make_data, scored

HARDWARE = Hardware(device=torch.device("cpu"), dtype=torch.float32, why="as asked")


def plan_of(
    encoder: Encoder, *, rows: int = 24, dev_tokens: int = 0, cost: Cost | None = None, **options
) -> Plan:
    chosen = TrainingOptions(**({"batch_size": 4} | options))
    feed = embedding_feed()(encoder, scored(rows), chosen)
    sampling = Sampling(n_rows=rows, batch_size=chosen.batch_size, seed=chosen.seed)
    return make_plan(feed, sampling, chosen, hardware=HARDWARE, dev_tokens=dev_tokens, cost=cost)


def test_a_plan_counts_rows_texts_and_steps(tiny_encoder: Encoder):
    plan = plan_of(tiny_encoder, epochs=2.5)
    assert (plan.rows, plan.texts, plan.steps) == (24, len(scored(24).all_texts()), 15)
    assert any("24 rows" in line and "15 steps" in line for line in plan.lines())


def test_tokens_of_a_step_are_about_those_that_its_batches_have(tiny_encoder: Encoder):
    # [CLS] how do people V the N [SEP] and [CLS] a guide to V any N at home [SEP]
    assert plan_of(tiny_encoder).tokens_a_step == 4 * (8 + 10)


def test_parts_follow_the_budget(tiny_encoder: Encoder):
    assert plan_of(tiny_encoder, batch_size=24, micro_tokens=64).parts_a_step == 7  # of 432 tokens
    assert plan_of(tiny_encoder, batch_size=24).parts_a_step == 1


def test_a_batch_is_no_larger_than_the_data(tiny_encoder: Encoder):
    plans = [plan_of(tiny_encoder, rows=8, batch_size=size) for size in (8, 512)]
    assert plans[0].tokens_a_step == plans[1].tokens_a_step


def test_evaluations_are_as_many_as_are_cheap_unless_asked(tiny_encoder: Encoder):
    def count(**given) -> int:
        return len(plan_of(tiny_encoder, epochs=10, **given).evaluate_after)

    assert count() == 0  # nothing to measure
    assert count(dev_tokens=1) == MOST_EVALUATIONS
    assert count(dev_tokens=10**9) == 1  # the end at least
    assert count(dev_tokens=10**9, evaluations=7) == 7
    assert count(dev_tokens=1, evaluations=0) == 0


@given(steps=st.integers(1, 30), count=st.integers(1, 40))
def test_evaluations_are_spread_evenly_and_the_last_step_is_among_them(steps: int, count: int):
    from likewise.training.plan import _evaluations

    after = sorted(_evaluations(TrainingOptions(evaluations=count), steps, 100, 1))
    assert len(after) == min(count, steps)
    assert after[-1] == steps
    gaps = [b - a for a, b in zip([0, *after], after, strict=False)]
    assert max(gaps) - min(gaps) <= 1


def test_checkpoints_are_ten_a_run_or_as_asked(tiny_encoder: Encoder):
    assert plan_of(tiny_encoder, epochs=500).checkpoint_every == 300  # of 3,000 steps
    assert plan_of(tiny_encoder).checkpoint_every == 100
    assert plan_of(tiny_encoder, checkpoint_every=7).checkpoint_every == 7


def test_a_run_by_the_clock_promises_no_steps(tiny_encoder: Encoder):
    plan = plan_of(tiny_encoder, minutes=1.0)
    assert plan.steps is None
    assert "the clock" in plan.lines()[0]


def test_cut_texts_are_said(tiny_encoder: Encoder):
    data = make_data("pairs", anchor=["apple", "river"], positive=["apple " * 50, "engine"])
    plan = make_plan(
        embedding_feed()(tiny_encoder, data, TrainingOptions()),
        Sampling(n_rows=2, batch_size=2, seed=0),
        TrainingOptions(),
        hardware=HARDWARE,
        dev_tokens=0,
    )
    assert "1 texts of positive are over the length limit and are cut" in plan.lines()


COST = Cost(
    step_seconds=2.0,
    step_tokens=72.0,
    dev_seconds=5.0,
    save_seconds=3.0,
    memory=3_000_000_000,
    fixed_memory=1_000_000_000,
    part_tokens=4096,
    free=8_000_000_000,
)


def test_what_was_tried_out_says_how_long_a_run_takes(tiny_encoder: Encoder):
    given = {"epochs": 10, "evaluations": 3, "checkpoint_every": 25, "dev_tokens": 1}
    plan = plan_of(tiny_encoder, cost=COST, **given)
    assert plan.train_seconds == 60 * 2.0
    # three measurements and one of the model as it is saved; two checkpoints and the model
    assert plan.all_seconds == 120 + 4 * 5 + 3 * 3
    said = next(line for line in plan.lines() if "tokens/s" in line)
    assert said.startswith("36 tokens/s: 2 min to train, 2 min in all, until ")


def test_of_a_run_that_goes_on_what_is_left_is_counted(tiny_encoder: Encoder):
    given = {"epochs": 10, "evaluations": 3, "checkpoint_every": 25, "dev_tokens": 1}
    plan = replace(plan_of(tiny_encoder, cost=COST, **given), done=30)
    assert plan.train_seconds == 30 * 2.0
    # measured after 40 and 60 steps and at the end; saved after 50 steps and at the end
    assert plan.all_seconds == 60 + 3 * 5 + 2 * 3
    assert "60 steps, of which 30 are done" in plan.lines()[0]


def test_what_a_run_does_follows_from_no_clock(tiny_encoder: Encoder):
    """Or the same run would be measured, and so ended, elsewhere on another day."""
    slow = replace(COST, step_seconds=900.0, dev_seconds=0.1)
    plans = [plan_of(tiny_encoder, epochs=10, dev_tokens=99, cost=c) for c in (None, COST, slow)]
    assert len({plan.evaluate_after for plan in plans}) == 1
    assert len({plan.checkpoint_every for plan in plans}) == 1


def test_minutes_say_how_many_steps_and_epochs_fit(tiny_encoder: Encoder):
    given = {"minutes": 10.0, "evaluations": 2, "checkpoint_every": 60, "dev_tokens": 1}
    plan = plan_of(tiny_encoder, cost=COST, **given)
    # of 600 s two measurements and the model take 13; each step 2 s and its part of a checkpoint
    fit = int((600 - 13) / (2 + 3 / 60))
    assert plan.expected_steps == fit == 286
    assert plan.to_json()["epochs"] == pytest.approx(fit / 6)
    assert "about 286 steps (48 epochs) in the time given" in plan.lines()[0]
    assert plan.all_seconds == 600 + 5


def test_steps_by_the_clock_end_so_that_the_last_measurement_and_the_model_fit(
    tiny_encoder: Encoder,
):
    options = TrainingOptions(minutes=1.0)
    plan = plan_of(tiny_encoder, minutes=1.0, dev_tokens=1, cost=COST)
    assert plan.clock_seconds(options) == 60 - 5 - 3
    assert plan_of(tiny_encoder, minutes=1.0).clock_seconds(options) == 60  # nothing is known
    assert plan_of(tiny_encoder, minutes=1.0, cost=COST).clock_seconds(options) == 60 - 3
    slow = plan_of(tiny_encoder, minutes=1.0, dev_tokens=1, cost=replace(COST, dev_seconds=900.0))
    assert slow.clock_seconds(options) == 30  # half of the time at the least is for training


@pytest.mark.parametrize(("dev_seconds", "expected"), [(0.1, 4), (10.0, 3), (99.0, 1)])
def test_a_run_by_the_clock_is_measured_as_often_as_is_cheap(
    tiny_encoder: Encoder, dev_seconds: float, expected: int
):
    cost = replace(COST, dev_seconds=dev_seconds)
    given = {"minutes": 10.0, "dev_tokens": 1, "cost": cost}
    assert plan_of(tiny_encoder, **given).evaluations == expected  # a twentieth of 600 s
    assert plan_of(tiny_encoder, evaluations=7, **given).evaluations == 7
    assert plan_of(tiny_encoder, evaluations=0, **given).evaluations == 0


def test_memory_is_said_beside_what_is_free(tiny_encoder: Encoder):
    plan = plan_of(tiny_encoder, cost=COST)
    assert "3.0 GB memory at the peak; 8.0 GB are free" in plan.lines()
    assert not any("warning" in line for line in plan.lines())


@pytest.mark.parametrize(
    ("free", "mend"),
    [
        (2_500_000_000, "--micro-tokens 2048 fits"),  # 2.0 GB: half of the tokens, 4,096 at a time
        (1_300_000_000, "--micro-tokens 512 fits"),  # 1.25 GB
        (900_000_000, "a smaller --base"),  # less than weights and optimiser
    ],
)
def test_more_memory_than_is_free_is_warned_of_with_the_mend(
    tiny_encoder: Encoder, free: int, mend: str
):
    plan = plan_of(tiny_encoder, cost=replace(COST, free=free))
    warning = next(line for line in plan.lines() if line.startswith("warning: "))
    assert mend in warning


def test_a_plan_for_machines_has_all_that_is_said(tiny_encoder: Encoder):
    known = plan_of(tiny_encoder, cost=COST).to_json()
    assert (known["tokens_per_second"], known["peak_bytes"]) == (36.0, 3_000_000_000)
    assert (known["steps"], known["rows"], known["train_seconds"]) == (6, 24, 12.0)
    unknown = plan_of(tiny_encoder).to_json()
    assert unknown.keys() == known.keys()
    assert [k for k, v in unknown.items() if v is None] == [
        "tokens_per_second", "step_seconds", "train_seconds", "all_seconds", "peak_bytes",
        "free_bytes",
    ]  # fmt: skip
