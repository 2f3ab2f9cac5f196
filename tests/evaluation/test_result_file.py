"""A result with its draws, in a file."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from likewise.errors import InputError
from likewise.evaluation.differences import paired_difference
from likewise.evaluation.measures import items_of
from likewise.evaluation.permutation import can_swap
from likewise.evaluation.result import Result
from likewise.evaluation.result_file import read_result, write_result
from likewise.evaluation.statistics import mean_of, score_statistics


@pytest.fixture
def result() -> Result:
    statistics = {"ndcg@10": mean_of([0.1, 0.9, 0.4]), "mrr": mean_of([0.5, 1.0, 0.25])}
    scores, draws = score_statistics(statistics, 3, resamples=200, seed=4)
    items = {
        "ndcg@10": items_of("mean", [0.1, 0.9, 0.4]),
        "mrr": items_of("spearman", [0.5, 1.0, 0.25], [1.0, 2.0, 3.0]),
    }
    return Result(
        task="t", evaluator="retrieval", primary="ndcg@10", model="m", n=3, data="d", seed=4,
        scores=scores, draws=draws, items=items, notes=("a sample",), texts_per_second=12.5,
        details={"ranks": np.arange(3)},
    )  # fmt: skip


def test_it_comes_back_whole_but_for_its_details(result: Result, tmp_path: Path):
    write_result(result, tmp_path / "r.npz")
    found = read_result(tmp_path / "r.npz")
    assert replace(found, draws={}, items={}) == replace(result, draws={}, items={}, details={})
    for metric, items in result.items.items():
        assert can_swap(found.items[metric], items)
        np.testing.assert_array_equal(found.items[metric].scores, items.scores)
    for metric, drawn in result.draws.items():
        np.testing.assert_array_equal(found.draws[metric], drawn)
    apart = paired_difference(found, result, "mrr")
    assert (apart.value, apart.p_permutation) == (0, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["r.npz"]


def test_a_file_without_items_is_of_an_older_version(result: Result, tmp_path: Path):
    path = tmp_path / "r.npz"
    write_result(result, path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if " of " not in name}
    facts = json.loads(str(arrays["facts"]))
    del facts["items"]
    np.savez(path, **arrays | {"facts": np.array(json.dumps(facts))})
    found = read_result(path)
    assert found.items == {}
    assert paired_difference(found, result, "mrr").p_permutation is None


@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda _: b"PK", lambda _: b""])
def test_a_damaged_file_is_refused(damage, result: Result, tmp_path: Path):
    path = tmp_path / "r.npz"
    write_result(result, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match="no result can be read") as caught:
        read_result(path)
    assert str(path) in str(caught.value)


def test_no_file_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no result can be read"):
        read_result(tmp_path / "r.npz")
