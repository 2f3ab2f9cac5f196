import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.data.clusters import normalise
from likewise.data.dataset import Dataset
from likewise.data.splits import split
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
