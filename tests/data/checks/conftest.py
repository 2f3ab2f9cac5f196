"""Small checked data sets, made in memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from likewise.data.dataset import Dataset, RetrievalSet


@pytest.fixture
def make() -> Callable[..., Dataset]:
    """A data set of that kind from columns of Python values."""

    def made(kind: str, name: str = "a.csv", **columns: list[Any]) -> Dataset:
        arrays = {}
        for role, values in columns.items():
            if role == "score":
                arrays[role] = pa.array(values, pa.float64())
            elif role == "scores":
                arrays[role] = pa.array(values, pa.large_list(pa.float64()))
            elif any(isinstance(value, list) for value in values):
                arrays[role] = pa.array(values, pa.large_list(pa.large_string()))
            elif isinstance(values[0], int):
                arrays[role] = pa.array(values, pa.int64())
            else:
                arrays[role] = pa.array(values, pa.large_string())
        n = len(next(iter(columns.values())))
        scored = "score" in columns
        return Dataset(
            kind=kind,
            table=pa.table(arrays),
            sources=(name,),
            source=np.zeros(n, np.int32),
            row=np.arange(2, n + 2),
            columns={role: role for role in columns},
            score_range=(0.0, 5.0) if scored else None,
        )

    return made


@pytest.fixture
def retrieval() -> RetrievalSet:
    return RetrievalSet(
        name="small",
        split="test",
        query_ids=("q1", "q2"),
        queries=("what is it", "what was it"),
        document_ids=("d1", "d2", "d3"),
        documents=("It is this.", "It was that.", "it is THIS"),
        judgements={"q1": {"d1": 2, "d2": 0}, "q2": {"d2": 1}},
    )
