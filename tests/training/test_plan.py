import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from likewise.models.device import Hardware
from likewise.models.encoder import Encoder
from likewise.training.embedding_feed import embedding_feed
from likewise.training.options import TrainingOptions
from likewise.training.plan import MOST_EVALUATIONS, Plan, make_plan
from likewise.training.sampling import Sampling
from training.small_runs import make_data, scored

HARDWARE = Hardware(device=torch.device("cpu"), dtype=torch.float32, why="as asked")


def plan_of(encoder: Encoder, *, rows: int = 24, dev_tokens: int = 0, **options) -> Plan:
    chosen = TrainingOptions(**({"batch_size": 4} | options))
    feed = embedding_feed()(encoder, scored(rows), chosen)
    sampling = Sampling(n_rows=rows, batch_size=chosen.batch_size, seed=chosen.seed)
    return make_plan(encoder, feed, sampling, chosen, hardware=HARDWARE, dev_tokens=dev_tokens)


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
        tiny_encoder,
        embedding_feed()(tiny_encoder, data, TrainingOptions()),
        Sampling(n_rows=2, batch_size=2, seed=0),
        TrainingOptions(),
        hardware=HARDWARE,
        dev_tokens=0,
    )
    assert "1 texts of positive are over the length limit and are cut" in plan.lines()


@pytest.mark.parametrize(("batch_size", "micro_tokens"), [(24, 64), (4, 8192)])
def test_memory_is_that_of_one_part(tiny_encoder: Encoder, batch_size: int, micro_tokens: int):
    weights = sum(p.numel() for p in tiny_encoder.module.parameters())
    plan = plan_of(tiny_encoder, batch_size=batch_size, micro_tokens=micro_tokens)
    part = min(18 * batch_size, micro_tokens)
    # float32 weights, gradients and two moments; 34 16-bit values a token, layer and width
    assert plan.memory == 16 * weights + 2 * 34 * part * 32 * 2


def test_weights_of_a_head_are_counted_and_shared_ones_once(tiny_encoder: Encoder):
    data, chosen = scored(24), TrainingOptions(batch_size=4)
    feed = embedding_feed()(tiny_encoder, data, chosen)
    sampling = Sampling(n_rows=24, batch_size=4, seed=0)

    def memory(head: nn.Module | None) -> int:
        return make_plan(
            tiny_encoder, feed, sampling, chosen, hardware=HARDWARE, dev_tokens=0, head=head
        ).memory

    own = nn.Linear(10, 10, bias=False)
    assert memory(own) - memory(None) == 16 * 100  # weight, gradient, two moments, 4 bytes each
    assert memory(tiny_encoder.module) == memory(None)
