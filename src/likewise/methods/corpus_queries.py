"""Queries for the passages of a corpus: cut out of them, written by a model, or the user's own."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from torch import nn

from likewise.data.clusters import cluster_ids, text_keys
from likewise.data.dataset import Dataset, Note, RetrievalSet
from likewise.data.reading import read
from likewise.errors import InputError, Where
from likewise.methods.conversions import as_kind
from likewise.mining.key_phrases import WORD
from likewise.mining.queries import Query, extractive_queries
from likewise.models.draft_file import beside, fingerprint
from likewise.models.generator import QueryGenerator
from likewise.models.kept_file import is_kept, mark_kept, unmark
from likewise.training.fit import Fit
from likewise.training.seeding import child_seed, generator

MOST = 250_000  # queries; of a larger corpus a part is asked about (Wang et al. 2022, section 4.3)
TEXT = "text"
TITLE = "title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Distinct passages, and where each came from.

    Attributes:
        data: of kind "texts", n rows.
        passages: [n] their texts.
        titles: [n] how each begins, "" where it has no title; None where none has.
    """

    data: Dataset
    passages: list[str]
    titles: list[str] | None


def corpus_of(fit: Fit[Any], data: Dataset) -> Corpus:
    """The passages of the data: each once, without those that have no word.

    Args:
        fit: is told what was left out.
        data: of any kind; all its text columns are taken.

    Raises:
        InputError: there are fewer than two.
    """
    texts = as_kind(fit, data, ("texts",))
    passages = texts.texts(TEXT)
    ids = cluster_ids(passages)
    first = np.unique(ids, return_index=True)[1]
    kept = [row for row in np.sort(first).tolist() if WORD.search(passages[row])]
    if len(first) < len(passages):
        fit.note(
            "passages that stand twice, but for case and punctuation, were left out: "
            f"{len(passages) - len(first):,}"
        )
    if len(kept) < len(first):
        fit.note(f"passages without a word were left out: {len(first) - len(kept):,}")
    if len(kept) < 2:
        problem = f"a negative needs two different passages, and {len(passages):,} rows hold "
        problem += "one" if kept else "none"
        raise InputError(problem, mend="give the texts that will be searched", where=data.file)
    return _corpus(texts.take(np.array(kept, dtype=np.int64)))


def _corpus(data: Dataset) -> Corpus:
    titles = None
    if TITLE in data.roles:
        titles = [title or "" for title in data.table.column(TITLE).to_pylist()]
    return Corpus(data=data, passages=data.texts(TEXT), titles=titles)


def read_queries(fit: Fit[Any], name: str, corpus: Corpus) -> tuple[list[Query], Corpus]:
    """The user's own queries; passages of theirs that the corpus lacks are added to it.

    Args:
        fit: is told what was added.
        name: a file with the columns query and passage, or any pairs.
        corpus: to search.

    Raises:
        InputError: it holds no pairs.
    """
    pairs = _read_pairs(name)
    anchors, lists = pairs.texts("anchor"), pairs.text_lists("positive")
    rows = np.repeat(np.arange(len(pairs)), [len(own) for own in lists])
    answers = [text for own in lists for text in own]
    ids = cluster_ids([*corpus.passages, *answers])
    n = len(corpus.passages)  # these are distinct, so that their ids are their places
    of_answer = ids[n:]
    fresh, first = np.unique(of_answer, return_index=True)
    first = first[fresh >= n]  # in the order of their ids, which is that of appearance
    if len(first):
        added = [answers[i] for i in first.tolist()]
        fit.note(f"passages of {name} that are not in the data were added to it: {len(added):,}")
        corpus = _corpus(_with_rows(corpus.data, pairs.take(rows[first]), added))
    queries = [
        Query(text=anchors[row], passage=place, source="given")
        for row, place in zip(rows.tolist(), of_answer.tolist(), strict=True)
    ]
    return list(dict.fromkeys(queries)), corpus


def _read_pairs(name: str) -> Dataset:
    mend = "name its columns query and passage, and leave others away"
    try:
        found = read(name)
    except InputError as error:
        if "--columns" not in (error.mend or "") and "--kind" not in (error.mend or ""):
            raise
        raise InputError(error.problem, where=error.where, mend=mend) from error
    if not isinstance(found, Dataset) or found.kind != "pairs":
        problem = f"expected queries with their passages, found {found.kind} data"
        raise InputError(problem, where=Where(path=name), mend=mend)
    return found


def _with_rows(data: Dataset, more: Dataset, texts: Sequence[str]) -> Dataset:
    """The corpus and further passages, each with its own place."""
    added = {TEXT: pa.array(texts, pa.large_string())}
    if TITLE in data.roles:
        added[TITLE] = pa.nulls(len(texts), pa.large_string())
    return replace(
        data,
        table=pa.concat_tables([data.table, pa.table(added)]),
        sources=(*data.sources, *more.sources),
        source=np.concatenate([data.source, more.source + np.int32(len(data.sources))]),
        row=np.concatenate([data.row, more.row]),
    )


def make_queries(
    fit: Fit[Any], corpus: Corpus, writer: QueryGenerator | None, *, count: int
) -> list[Query]:
    """Queries for the passages, kept in the run's folder and read back from there.

    Args:
        fit: gives seed and folder, and is told how many passages are asked about.
        corpus: n passages.
        writer: of the queries; None cuts them out of the passages.
        count: queries of a passage, at most.
    """
    chosen = _asked_about(fit, len(corpus.passages), count)
    passages = [corpus.passages[place] for place in chosen.tolist()]
    titles = None if corpus.titles is None else [corpus.titles[p] for p in chosen.tolist()]
    seed = child_seed(fit.options.seed, "queries")
    options = {"count": count, "seed": seed, "places": chosen.tolist()}
    module = nn.Identity() if writer is None else writer.module
    prints = fingerprint(module, [*passages, *(titles or [])], options)
    path = fit.folder / "queries.jsonl"
    if is_kept(path, prints):
        return _read_kept(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = fit.progress_shown
    if writer is None:
        found = extractive_queries(passages, titles=titles, count=count, seed=seed, progress=shown)
    else:
        draft = beside(path, ".partial")
        lists = writer.sample_to_file(passages, draft, count=count, seed=seed, progress=shown)
        found = [
            Query(text=text, passage=i, source="generated")
            for i, texts in enumerate(lists)
            for text in texts
        ]
    queries = [replace(query, passage=int(chosen[query.passage])) for query in found]
    _keep(path, queries, prints)
    beside(path, ".partial").unlink(missing_ok=True)
    return queries


def _asked_about(fit: Fit[Any], n: int, count: int) -> NDArray[np.int64]:
    """The passages that queries are made for: all, or as many as `MOST` queries need."""
    most = max(MOST // count, 1)
    if n <= most:
        return np.arange(n)
    fit.note(f"queries are made for {most:,} of {n:,} passages, drawn at random")
    return np.sort(generator(fit.options.seed, "passages").permutation(n)[:most])


def _keep(path: Path, queries: Sequence[Query], prints: str) -> None:
    """One query a line, for people to read and for a resumed run."""
    unmark(path)
    fresh = beside(path, ".new")
    with fresh.open("w", encoding="utf-8") as file:
        for query in queries:
            span = {"start": query.start, "end": query.end} if query.end > query.start else {}
            line = {"query": query.text, "passage": query.passage, "source": query.source, **span}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    fresh.replace(path)
    mark_kept(path, prints)


def _read_kept(path: Path) -> list[Query]:
    with path.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [Query(text=line.pop("query"), **line) for line in lines]


def without_dev(fit: Fit[Any], queries: list[Query]) -> list[Query]:
    """The queries that the run is not measured by; the others are counted and left out.

    Args:
        fit: knows the dev data.
        queries: made or read.
    """
    dev: Sequence[str] = ()
    if isinstance(fit.dev, RetrievalSet):
        dev = fit.dev.queries
    elif fit.dev is not None and "anchor" in fit.dev.roles:
        dev = fit.dev.texts("anchor")
    is_dev = np.isin(text_keys(query.text for query in queries), text_keys(dev))
    if is_dev.any():
        fit.note(str(Note(text="queries of the dev data were left out", count=int(is_dev.sum()))))
    return [query for query, left_out in zip(queries, is_dev.tolist(), strict=True) if not left_out]


def tell_queries(fit: Fit[Any], queries: Sequence[Query], corpus: Corpus) -> None:
    """Say how many queries there are from where, and show one of each.

    Args:
        fit: is told.
        queries: to be trained on.
        corpus: whose passages they ask about.
    """
    counts = Counter(query.source for query in queries)
    listed = ", ".join(f"{source}: {count:,}" for source, count in counts.items())
    asked = len({query.passage for query in queries})
    fit.note(
        f"{len(queries):,} queries of {asked:,} of {len(corpus.passages):,} passages ({listed})"
    )
    for source in counts:
        own = [query for query in queries if query.source == source]
        for query in own[:: max(len(own) // 2, 1)][:2]:
            fit.note(f'query, {source}: "{_short(query.text)}"')


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 100 else f"{flat[:99]}…"
