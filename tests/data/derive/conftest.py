"""Data sets made of Python values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from likewise.data.dataset import Dataset


def dataset(kind: str, **columns: Sequence[Any]) -> Dataset:
    """A data set in memory; a column an argument, lists of texts where a cell is one."""
    arrays = {}
    for role, values in columns.items():
        if any(isinstance(value, list) for value in values):
            arrays[role] = pa.array(values, pa.large_list(pa.large_string()))
        elif any(isinstance(value, str) for value in values):
            arrays[role] = pa.array(values, pa.large_string())
        else:
            arrays[role] = pa.array(values)
    n = len(next(iter(columns.values())))
    return Dataset(
        kind=kind,
        table=pa.table(arrays),
        sources=("a.csv",),
        source=np.zeros(n, np.int32),
        row=np.arange(2, n + 2),
        columns={role: role for role in columns},
    )
