import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from likewise.training.optimiser import build_optimiser, rate_at
from likewise.training.options import TrainingOptions

shares = st.floats(0, 1)
schedules = st.sampled_from(["linear", "cosine", "constant"])


@given(shares, schedules, st.floats(0, 0.9))
def test_the_rate_lies_between_nothing_and_the_peak(share: float, schedule, warmup: float):
    options = TrainingOptions(learning_rate=1e-3, warmup=warmup, schedule=schedule)
    assert 0 <= rate_at(share, options) <= 1e-3


@given(schedules, st.floats(0.05, 0.9))
def test_the_rate_rises_in_the_warm_up_and_then_never_again(schedule, warmup: float):
    options = TrainingOptions(warmup=warmup, schedule=schedule)
    rates = [rate_at(i / 100, options) for i in range(101)]
    turn = math.ceil(warmup * 100)
    assert rates[:turn] == sorted(rates[:turn])
    assert rates[turn:] == sorted(rates[turn:], reverse=True)
    assert rate_at(warmup, options) == options.peak


@pytest.mark.parametrize(
    ("schedule", "halfway", "end"),
    [("linear", 0.5, 0.0), ("cosine", (1 + math.cos(math.pi / 2)) / 2, 0.0), ("constant", 1, 1)],
)
def test_each_schedule_falls_as_its_name_says(schedule, halfway: float, end: float):
    options = TrainingOptions(learning_rate=0.5, warmup=0.2, schedule=schedule)
    assert rate_at(0.6, options) == pytest.approx(0.5 * halfway)
    assert rate_at(1.0, options) == pytest.approx(0.5 * end, abs=1e-12)


def test_decay_shrinks_matrices_and_spares_biases_and_norms():
    modules = nn.ModuleList([nn.Linear(3, 2), nn.LayerNorm(3), nn.Embedding(4, 3)])
    before = {name: p.detach().clone() for name, p in modules.named_parameters()}
    options = TrainingOptions(learning_rate=0.1, weight_decay=0.5)
    optimiser = build_optimiser(list(modules.named_parameters()), options)
    for parameter in modules.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()  # AdamW decays by (1 - rate * decay), whatever the gradient
    for name, parameter in modules.named_parameters():
        factor = 0.95 if name in {"0.weight", "2.weight"} else 1.0
        torch.testing.assert_close(parameter.detach(), factor * before[name])


def test_every_parameter_has_one_place():
    modules = nn.ModuleDict({"encoder": nn.Linear(2, 2), "head": nn.Linear(2, 3)})
    optimiser = build_optimiser(list(modules.named_parameters()), TrainingOptions())
    placed = [id(p) for group in optimiser.param_groups for p in group["params"]]
    assert sorted(placed) == sorted(id(p) for p in modules.parameters())
