import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from likewise.models.attention import LONGEST_PLAIN
from likewise.text.packed import pack
from likewise.training.cost import Cost, Load, Shape, fit_rates, fit_room, load_of, shape_of
from likewise.training.grad_cache import split_packed

SHAPE = Shape(width=384, heads=12)


@given(lengths=st.lists(st.integers(1, 400), min_size=1, max_size=40), budget=st.integers(64, 2000))
def test_a_load_counts_the_parts_that_a_batch_is_computed_in(lengths: list[int], budget: int):
    parts = [
        part.lengths.to(torch.float64)
        for part in split_packed(pack([[7] * n for n in lengths]), budget)
    ]
    load = load_of(np.array(lengths), budget)
    assert load.tokens == sum(lengths)
    assert load.squares == sum(n**2 for n in lengths)
    assert load.part_tokens == max(part.sum() for part in parts)
    plain = [part[part <= LONGEST_PLAIN] for part in parts]
    assert load.part_squares == max((part**2).sum() for part in plain)
    # every part but the last goes forward twice, and a forward pass is a third of a step
    assert load.work == pytest.approx(1 + float(sum(p.sum() for p in parts[:-1])) / load.tokens / 3)


def loads() -> list[Load]:
    """Batches of few and many texts, short and long ones."""
    draw = np.random.default_rng(3)
    return [load_of(draw.integers(4, top, size=n), 10**6) for n in (2, 16, 64) for top in (20, 250)]


def test_rates_that_explain_the_steps_are_found():
    arithmetic = 2e-4 * SHAPE.square_seconds  # so that nothing pulls another way
    true = (0.05, 2e-4, arithmetic)
    took = [true[0] + true[1] * load.tokens + true[2] * load.squares for load in loads()]
    rates = fit_rates(loads(), took, SHAPE)
    assert (rates.step, rates.token, rates.square) == pytest.approx(true, rel=0.01)
    assert [rates.seconds(load) for load in loads()] == pytest.approx(took, rel=0.01)


def test_steps_that_are_all_alike_are_split_as_the_arithmetic_is():
    load = loads()[-1]
    rates = fit_rates([load] * 3, [0.5] * 3, SHAPE)
    assert rates.seconds(load) == pytest.approx(0.5, rel=0.02)
    assert min(rates.step, rates.token, rates.square) >= 0


def test_steps_of_one_size_are_not_taken_for_free_of_tokens():
    """So that what is tried on a part of a batch grows with it."""
    part, whole = (load_of(np.full(n, 30), 10**6) for n in (4, 64))
    rates = fit_rates([part] * 3, [0.1] * 3, SHAPE)
    assert rates.seconds(whole) == pytest.approx(1.6, rel=0.02)


def test_attention_costs_more_than_the_arithmetic_says_where_it_is_seen_to():
    dear = 8 * 2e-4 * SHAPE.square_seconds
    took = [2e-4 * load.tokens + dear * load.squares for load in loads()]
    rates = fit_rates(loads(), took, SHAPE)
    assert rates.square > 4 * rates.token * SHAPE.square_seconds
    assert [rates.seconds(load) for load in loads()] == pytest.approx(took, rel=0.15)


def test_a_batch_in_parts_costs_a_forward_pass_more():
    whole, parts = (load_of(np.full(64, 100), budget) for budget in (8192, 100))
    rates = fit_rates([whole] * 2, [1.0] * 2, SHAPE)
    variable = rates.seconds(whole) - rates.step
    # 63 of 64 equal parts
    assert rates.seconds(parts) - rates.step == pytest.approx(variable * (1 + 63 / 64 / 3))


def test_memory_follows_the_largest_part_and_its_attention():
    small, large, other = (load_of(np.full(n, 100), 8192) for n in (2, 20, 40))
    true = (1e9, 5e4, 5e4 * SHAPE.square_bytes)
    peaks = tuple(
        true[0] + true[1] * x.part_tokens + true[2] * x.part_squares for x in (small, large)
    )
    room = fit_room((small, large), peaks, SHAPE)
    assert (room.fixed, room.token, room.square) == pytest.approx(true)
    assert room.bytes_of(other) == pytest.approx(1e9 + 5e4 * 4000 + true[2] * 40 * 100**2)


@pytest.mark.parametrize("second", [8, 9, 12])
def test_steps_much_alike_say_nothing_of_what_a_token_takes(second: int):
    """What was set up between them would be laid on a few tokens, and a batch take terabytes."""
    tried = (load_of(np.full(8, 20), 8192), load_of(np.full(second, 20), 8192))
    room = fit_room(tried, (6e8, 7e8), SHAPE)
    assert room.bytes_of(tried[1]) == pytest.approx(7e8)
    assert room.token == SHAPE.token_bytes
    batch = load_of(np.full(64, 20), 8192)
    assert 7e8 < room.bytes_of(batch) < 1e9


def test_the_arithmetic_of_attention_is_that_of_its_sources():
    # Narayanan et al.: 4 L H of 24 H² + 4 L H; Korthikanti et al.: 5 a s / h of 34 + 5 a s / h
    assert SHAPE.square_seconds == pytest.approx(4 * 384 / (24 * 384**2))
    assert SHAPE.square_bytes == pytest.approx(5 * 12 / 384 / 34)
    assert SHAPE.token_bytes == 6 * 34 * 384 * 2  # of each layer 34 s b h bytes in half precision


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"hidden_size": 768, "num_attention_heads": 16, "num_hidden_layers": 12},
            Shape(width=768, heads=16, layers=12),
        ),
        ({"dim": 512, "n_heads": 8, "n_layers": 4}, Shape(width=512, heads=8, layers=4)),
        ({}, SHAPE),
    ],
)
def test_width_heads_and_layers_are_read_by_either_name(config: dict, expected: Shape):
    assert shape_of(config) == expected


def test_fewer_tokens_at_a_time_need_less_memory():
    cost = Cost(
        step_seconds=0.5, step_tokens=4000.0, dev_seconds=1.0, save_seconds=1.0,
        memory=2_000, fixed_memory=1_000, part_tokens=4000, free=5_000,
    )  # fmt: skip
    assert cost.tokens_per_second == 8000
    assert [cost.memory_of(n) for n in (8000, 4000, 1000)] == [2000, 2000, 1250]
