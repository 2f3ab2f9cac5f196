"""What several models hold nearest to each query: the hard negatives of a whole corpus."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from likewise.data.clusters import cluster_ids, text_keys
from likewise.mining.lexical import search_bm25
from likewise.mining.neighbours import search_cosine
from likewise.mining.queries import Query
from likewise.mining.vectors import PROMPT_NAMES, Role, checked_vectors
from likewise.models.draft_file import beside, fingerprint
from likewise.models.encoder import Encoder
from likewise.models.kept_file import is_kept, mark_kept, unmark
from likewise.models.vectors_file import encode_to_file

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
    of_query, first = _distinct(texts)
    right: list[set[int]] = [set() for _ in first]
    for group, places in zip(of_query.tolist(), _answers(queries, passages), strict=True):
        right[group].update(places)
    deeper = min(depth + max(map(len, right), default=0), len(passages))
    asking = [texts[i] for i in first.tolist()]
    options = {"precision": precision, "progress": progress}
    found = _search(miner, asking, passages, path, depth=deeper, **options)
    negatives = _without(found, right, depth)[of_query]
    _keep(path, negatives, prints)
    for role in PROMPT_NAMES:
        unmark(_vectors_file(path, role))
        _vectors_file(path, role).unlink(missing_ok=True)
    return negatives


def _answers(queries: Sequence[Query], passages: Sequence[str]) -> Iterator[set[int]]:
    """The places of each query's passage, and of what that is as it is shown, if it is there."""
    cut = [query for query in queries if query.end > query.start]
    keys = text_keys(query.shown(passages[query.passage]) for query in cut)
    place_of = {key: i for i, key in enumerate(text_keys(passages).tolist())} if cut else {}
    shown = iter(keys.tolist())
    for query in queries:
        twin = place_of.get(next(shown)) if query.end > query.start else None
        yield {query.passage} if twin is None else {query.passage, twin}


def _search(
    miner: Miner,
    queries: Sequence[str],
    passages: Sequence[str],
    path: Path,
    *,
    depth: int,
    **options: Any,
) -> NDArray[np.int64]:
    """[Q, depth] places of the best passages; -1 where fewer were found."""
    if miner.encoder is None:
        return search_bm25(queries, passages, depth=depth).positions
    asked = _vectors(miner.encoder, queries, path, "query", **options)
    found = _vectors(miner.encoder, passages, path, "document", **options)
    return search_cosine(asked, found, depth=depth).positions


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


def _distinct(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[n] the number of each text, and the first text of each number."""
    of_text = cluster_ids(texts)
    return of_text, np.unique(of_text, return_index=True)[1].astype(np.int64)


def _without(found: NDArray[np.int64], right: Sequence[set[int]], depth: int) -> NDArray[np.int32]:
    """[Q, depth] what was found and is not right, in order."""
    kept = np.full((len(found), depth), -1, dtype=np.int32)
    for row, (places, answers) in enumerate(zip(found.tolist(), right, strict=True)):
        wrong = [place for place in places if place >= 0 and place not in answers][:depth]
        kept[row, : len(wrong)] = wrong
    return kept


def _vectors(
    encoder: Encoder,
    texts: Sequence[str],
    path: Path,
    role: Role,
    *,
    precision: str,
    progress: bool,
) -> NDArray[np.float32]:
    """[n, D] mapped from a file beside `path`, with the prompt that a search will use."""
    out = _vectors_file(path, role)
    options: dict[str, Any] = {"prompt": _prompt(encoder, role), "precision": precision}
    prints = fingerprint(encoder.module, texts, {**options, "max_tokens": encoder.max_tokens})
    if not is_kept(out, prints):
        unmark(out)
        encode_to_file(encoder, texts, out, overwrite=True, progress=progress, **options)
        mark_kept(out, prints)
    vectors: NDArray[np.float32] = np.load(out, mmap_mode="r")
    return checked_vectors(lambda _texts, *, role=None: vectors, texts, role=role)


def _vectors_file(path: Path, role: Role) -> Path:
    return path.with_name(f"{path.stem}-{role}.npy")


def _prompt(encoder: Encoder, role: Role) -> str | None:
    known = (encoder.prompts[name] for name in PROMPT_NAMES[role] if name in encoder.prompts)
    return next(known, None)


def _options(miner: Miner) -> dict[str, object]:
    """What besides the weights decides on what a miner finds."""
    if miner.encoder is None:
        return {"miner": BM25}
    prompts = [_prompt(miner.encoder, role) for role in PROMPT_NAMES]
    return {"miner": "cosine", "max_tokens": miner.encoder.max_tokens, "prompts": prompts}


def _keep(path: Path, values: NDArray[np.int32], prints: str) -> None:
    unmark(path)
    fresh = beside(path, ".new")
    with fresh.open("wb") as file:
        np.save(file, values)
    fresh.replace(path)
    mark_kept(path, prints)
