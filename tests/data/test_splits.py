from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.data.clusters import normalise
from likewise.data.dataset import Dataset
from likewise.data.splits import draw_rows, split
from likewise.errors import InputError


def pairs(left, right) -> Dataset:
    n = len(left)
    columns = {
        "anchor": pa.array(left, pa.large_string()),
        "positive": pa.array(right, pa.large_string()),
    }
    return Dataset(
        kind="pairs",
        table=pa.table(columns),
        sources=("x",),
        source=np.zeros(n, np.int32),
        row=np.arange(n),
        columns={},
    )


def texts_of(data):
    return {normalise(text) for text in data.all_texts()}


def test_a_tenth_is_a_tenth_where_nothing_hangs_together():
    data = pairs([f"a{i}" for i in range(200)], [f"b{i}" for i in range(200)])
    rest, held = split(data, fraction=0.1, seed=0)
    assert (len(rest), len(held)) == (180, 20)
    assert sorted([*rest.row, *held.row]) == list(range(200))
    assert list(rest.row) == sorted(rest.row)


def test_the_seed_decides():
    data = pairs([f"a{i}" for i in range(200)], [f"b{i}" for i in range(200)])
    draws = [set(split(data, fraction=0.1, seed=seed)[1].row.tolist()) for seed in (0, 0, 1)]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


small = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=40)


@given(small, st.integers(0, 5))
def test_no_text_stands_on_both_sides(rows, seed):
    data = pairs([f"Text {a}!" for a, _ in rows], [f"text {b}" for _, b in rows])
    try:
        rest, held = split(data, fraction=0.4, seed=seed)
    except InputError:
        return
    assert not texts_of(rest) & texts_of(held)
    assert len(rest) + len(held) == len(rows)
    assert len(held) <= round(0.4 * len(rows))


@given(small)
def test_groups_stay_together(rows):
    data = pairs([f"a{i}" for i in range(len(rows))], [f"b{i}" for i in range(len(rows))])
    groups = [a % 4 for a, _ in rows]
    try:
        rest, held = split(data, fraction=0.5, seed=0, groups=groups)
    except InputError:
        return
    assert not {groups[i] for i in rest.row} & {groups[i] for i in held.row}


def test_rows_that_all_hang_together_cannot_be_split():
    data = pairs(["same"] * 10, [f"b{i}" for i in range(10)])
    with pytest.raises(InputError, match="100% of the rows hang together"):
        split(data, fraction=0.2, seed=0)


def test_a_fraction_or_groups_that_make_no_sense_are_refused():
    data = pairs(["a", "b"], ["c", "d"])
    with pytest.raises(ValueError, match="between 0 and 1"):
        split(data, fraction=1.0, seed=0)
    with pytest.raises(ValueError, match="expected 2 groups"):
        split(data, fraction=0.5, seed=0, groups=[1])


def nli(premises) -> Dataset:
    n = len(premises)
    columns = {
        "premise": pa.array(premises, pa.large_string()),
        "hypothesis": pa.array([f"hypothesis {i}" for i in range(n)], pa.large_string()),
        "label": pa.array([i % 3 for i in range(n)], pa.int64()),
    }
    return Dataset(
        kind="nli",
        table=pa.table(columns),
        sources=("x",),
        source=np.zeros(n, np.int32),
        row=np.arange(n),
        columns={},
    )


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=40),
    st.integers(1, 40),
    st.integers(0, 5),
)
def test_rows_of_one_premise_are_drawn_together(premises, count, seed):
    """All but those of one premise, which fills what is left."""
    count = min(count, len(premises))
    data = nli([f"premise {number}" for number in premises])
    drawn = draw_rows(data, count, draw=np.random.default_rng(seed))
    again = draw_rows(data, count, draw=np.random.default_rng(seed))
    assert len(drawn) == count
    assert list(drawn.row) == sorted(set(drawn.row)) == list(again.row)
    there, chosen = (Counter(part.texts("premise")) for part in (data, drawn))
    assert sum(chosen[premise] < there[premise] for premise in chosen) <= 1


def test_other_rows_are_drawn_one_by_one():
    data = pairs(["the same"] * 50, [f"b{i}" for i in range(50)])
    drawn = draw_rows(data, 20, draw=np.random.default_rng(0))
    assert len(drawn) == 20
    assert np.diff(drawn.row).max() > 1
