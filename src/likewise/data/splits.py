"""Seeded splits and samples that keep together what belongs together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.data.clusters import dense_ids
from likewise.data.dataset import Dataset
from likewise.data.kinds import KINDS
from likewise.errors import InputError


def split(
    data: Dataset, *, fraction: float, seed: int, groups: Sequence[Any] | None = None
) -> tuple[Dataset, Dataset]:
    """Hold out a share of the rows that shares no text, on any side, with the rest.

    Args:
        data: n rows.
        fraction: wanted share of the second part, between 0 and 1; what hangs together is never
            torn, so that the part may come out smaller.
        seed: of the draw.
        groups: [n] rows of equal value stay together too.

    Returns:
        The rest and the part held out, each in the order of `data`.

    Raises:
        ValueError: the fraction is not between 0 and 1, or the groups are not one a row.
        InputError: the rows hang together so much that no such part exists.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie between 0 and 1, got {fraction}")
    if groups is not None and len(groups) != len(data):
        raise ValueError(f"expected {len(data)} groups, one a row, got {len(groups)}")
    parts = _components(data, groups)
    sizes = np.bincount(parts)
    room = round(fraction * len(data))
    chosen = np.zeros(len(sizes), dtype=bool)
    for part in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[part] <= room:
            chosen[part] = True
            room -= int(sizes[part])
        if room == 0:
            break
    held_out = chosen[parts]
    if not held_out.any() or held_out.all():
        largest = sizes.max() / len(data)
        problem = (
            f"{fraction:.0%} of {len(data)} rows cannot be held out without sharing texts: "
            f"{largest:.0%} of the rows hang together by texts they share"
        )
        raise InputError(problem, mend="give a second file, collected apart, with --dev")
    return data.take(np.flatnonzero(~held_out)), data.take(np.flatnonzero(held_out))


def draw_rows(data: Dataset, count: int, *, draw: np.random.Generator) -> Dataset:
    """So many rows at random, in their order.

    NLI rows come with the others of their premise: drawn one by one, most entailments would lose
    the contradiction that serves as their hard negative. The last premise may be torn.

    Args:
        data: n rows.
        count: of rows wanted, from 1 to n.
        draw: where the randomness comes from.
    """
    role = KINDS[data.kind].drawn_by
    groups = dense_ids(data.keys[role].keys) if role else np.arange(len(data), dtype=np.int64)
    place = draw.permutation(int(groups.max()) + 1)[groups]
    chosen = np.argsort(place, kind="stable")[:count]
    return data.take(np.sort(chosen))


def _components(data: Dataset, groups: Sequence[Any] | None) -> NDArray[np.int64]:
    """[n] a number for each row, equal where rows are linked by a text or a group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(data)
    rows = [keys.rows for keys in data.keys.values()]
    nodes = [keys.keys for keys in data.keys.values()]
    links = [dense_ids(np.concatenate(nodes)) + n]
    if groups is not None:
        names = {name: i for i, name in enumerate(dict.fromkeys(groups))}
        offset = int(links[0].max(initial=n)) + 1
        links.append(np.array([names[name] for name in groups], dtype=np.int64) + offset)
        rows.append(np.arange(n, dtype=np.int64))
    left, right = np.concatenate(rows), np.concatenate(links)
    size = int(right.max(initial=n)) + 1
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    return dense_ids(component[:n].astype(np.int64))
