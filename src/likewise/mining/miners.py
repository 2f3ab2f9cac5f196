"""What several models hold nearest to each query: the hard negatives of a whole corpus."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from likewise.data.clusters import cluster_ids, places_of, text_keys
from likewise.mining.kept_search import keep_vectors
from likewise.mining.lexical import search_bm25
from likewise.mining.neighbours import search_cosine
from likewise.mining.queries import Query
from likewise.mining.vectors import PROMPT_NAMES, Role, prompt_of
from likewise.models.draft_file import beside, fingerprint
from likewise.models.encoder import Encoder
from likewise.models.kept_file import discard_kept, is_kept, mark_kept, unmark

BM25 = "bm25"


@dataclass(frozen=True, slots=True, kw_only=True)
class Miner:
    """What looks for passages that seem to answer a query.

    Attributes:
        name: as the user gave it.
        encoder: ranks by the cosine of its vectors; None for BM25.
    """

    name: str
    encoder: Encoder | None = None


def mine_negatives(
    miner: Miner,
    queries: Sequence[Query],
    passages: Sequence[str],
    path: Path,
    *,
    depth: int = 50,
    precision: str = "auto",
    progress: bool = False,
) -> NDArray[np.int32]:
    """The passages nearest to each query that are no answers to it, kept in a file.

    What a miner holds nearer than the answer is no error here: it may be an answer that nobody
    marked, and a cross-encoder is to say so (Wang et al. 2022, section 3).

    Args:
        miner: of the negatives.
        queries: n, each with its passage; the passages of equal queries are answers to all of
            them, and so is what a passage is without the part taken out. Case, punctuation and
            white space do not matter.
        passages: N distinct texts.
        path: of the `.npy` to keep them in; with the same miner, queries and passages it is read
            back, and an interrupted embedding goes on.
        depth: R, so many of each query.
        precision: as in `Encoder.encode`.
        progress: show a bar.

    Returns:
        [n, R] places of passages, nearest first; -1 where a query has fewer.
    """
    texts = [query.text for query in queries]
    module = nn.Identity() if miner.encoder is None else miner.encoder.module
    asked = {"depth": depth, "passage": [q.passage for q in queries], "precision": precision}
    prints = fingerprint(module, [*texts, *passages], {**asked, **_options(miner)})
    if is_kept(path, prints):
        return np.asarray(np.load(path), dtype=np.int32)
    path.parent.mkdir(parents=True, exist_ok=True)
    of_query = cluster_ids(texts)
    first = np.unique(of_query, return_index=True)[1].tolist()
    right = _answers(queries, passages, of_query)
    asking = [texts[i] for i in first]
    if miner.encoder is None:
        found = search_bm25(asking, passages, depth=depth, skipped=right)
    else:
        options: dict[str, Any] = {"precision": precision, "progress": progress}
        sides = [
            keep_vectors(miner.encoder, side, _vectors_file(path, role), role=role, **options)
            for side, role in zip((asking, passages), PROMPT_NAMES, strict=True)
        ]
        found = search_cosine(sides[0].values, sides[1].values, depth=depth, skipped=right)
    negatives = found.positions.astype(np.int32)[of_query]
    _keep(path, negatives, prints)
    for role in PROMPT_NAMES:
        discard_kept(_vectors_file(path, role))
    return negatives


def _answers(
    queries: Sequence[Query], passages: Sequence[str], of_query: NDArray[np.int64]
) -> NDArray[np.int64]:
    """[m, 2] each distinct query with its passages, and with what those are as they are shown."""
    places = np.array([query.passage for query in queries])
    cut = np.array([query.end > query.start for query in queries], dtype=bool)
    shown = (query.shown(passages[query.passage]) for query in queries if query.end > query.start)
    twins = places_of(text_keys(shown), text_keys(passages))
    pairs = np.stack(
        [np.concatenate([of_query, of_query[cut]]), np.concatenate([places, twins])], axis=1
    )
    return np.unique(pairs[pairs[:, 1] >= 0], axis=0)


def draw_negatives(
    found: Sequence[NDArray[np.int32]], rng: np.random.Generator, *, count: int = 1
) -> NDArray[np.int64]:
    """Passages for each query, each of those that the miners found as likely as the others.

    Args:
        found: of each miner [n, R]; -1 is none. What two miners found is likelier to be drawn.
        rng: draws.
        count: passages of a query; no passage twice.

    Returns:
        [n, count] places of passages; -1 behind them where there are no more.
    """
    every = np.concatenate(found, axis=1)
    order = np.argsort(np.where(every < 0, np.inf, rng.random(every.shape)), axis=1)
    shuffled = np.take_along_axis(every, order, axis=1)  # what was found, then the gaps
    shuffled[_seen_before(shuffled)] = -1
    ahead = np.argsort(shuffled < 0, axis=1, kind="stable")[:, :count]
    drawn = np.full((len(every), count), -1, dtype=np.int64)
    drawn[:, : ahead.shape[1]] = np.take_along_axis(shuffled, ahead, axis=1)
    return drawn


def _seen_before(rows: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where a value stands further ahead in its row as well."""
    by_value = np.argsort(rows, axis=1, kind="stable")
    ordered = np.take_along_axis(rows, by_value, axis=1)
    again = np.zeros(rows.shape, dtype=bool)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    seen = np.zeros_like(again)
    np.put_along_axis(seen, by_value, again, axis=1)
    return seen


def _vectors_file(path: Path, role: Role) -> Path:
    return path.with_name(f"{path.stem}-{role}.npy")


def _options(miner: Miner) -> dict[str, object]:
    """What besides the weights decides on what a miner finds."""
    if miner.encoder is None:
        return {"miner": BM25}
    prompts = [prompt_of(miner.encoder, role) for role in PROMPT_NAMES]
    return {"miner": "cosine", "max_tokens": miner.encoder.max_tokens, "prompts": prompts}


def _keep(path: Path, values: NDArray[np.int32], prints: str) -> None:
    unmark(path)
    fresh = beside(path, ".new")
    with fresh.open("wb") as file:
        np.save(file, values)
    fresh.replace(path)
    mark_kept(path, prints)
