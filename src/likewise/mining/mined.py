"""Negatives for pairs: looked for, judged, chosen, and written with their provenance."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from likewise.data.dataset import Dataset, Note, RetrievalSet
from likewise.data.derive import (
    judged_to_pairs,
    nli_to_pairs,
    pair_labels_to_pairs,
    reranking_to_pairs,
    with_negatives,
)
from likewise.errors import InputError
from likewise.mining.draws import candidates_at, choose, draw_at_random, open_to
from likewise.mining.filters import (
    SUSPICIOUS,
    Candidates,
    Verdict,
    judge_candidates,
    score_candidates,
)
from likewise.mining.fusion import fuse
from likewise.mining.indexes import choose_index
from likewise.mining.mined_file import (
    MinedRows,
    refuse_mined,
    suspicious_table,
    write_mined,
    write_suspicious,
)
from likewise.mining.options import MiningOptions
from likewise.mining.pool import Pool, pool_of
from likewise.mining.rankings import Ranked, rank_documents
from likewise.mining.rescoring import refuse_classes, rescore
from likewise.mining.vectors import Embed, Encodes, embed_once
from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, is_cross_encoder, load_cross_encoder
from likewise.models.draft_file import beside
from likewise.registry import check_options

ROWS = 2048  # whose candidates are judged at a time
HELD = 41  # bytes of a candidate
WORDS = {
    Verdict.OWN: "candidates that the row has as negatives already",
    Verdict.REPEAT: "candidates that repeat the anchor or a right answer of it",
    Verdict.LOW: "candidates below --min-score",
    Verdict.HIGH: "candidates not below --max-score",
    Verdict.MARGIN: "candidates within the margin of the positive",
    Verdict.ABOVE: "candidates above the positive",
    Verdict.RELEVANT: "candidates that the cross-encoder holds for relevant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """Pairs with the negatives that were found for them.

    Attributes:
        data: kind "pairs", the new negatives behind those that a row had.
        provenance: a line for each new negative: row from 0, text, source, rank, score, the
            positive's score, and those of the cross-encoder.
        suspicious: the candidates to be read by a person, where they are listed.
        counts: how many there were of everything, by name.
        notes: what was read, decided and dropped.
        files: that were written.
    """

    data: Dataset
    provenance: pa.Table
    suspicious: pa.Table | None
    counts: dict[str, int]
    notes: tuple[Note, ...]
    files: tuple[Path, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As `likewise mine --json` prints it."""
        return {
            "schema": "likewise.mined/1",
            "files": [str(path) for path in self.files],
            "counts": self.counts,
            "notes": [str(note) for note in self.notes],
        }


def mine(
    model: str | Path | Encodes | Embed,
    data: Dataset | RetrievalSet,
    *,
    out: str | Path | None = None,
    corpus: Sequence[str] = (),
    work: str | Path | None = None,
    overwrite: bool = False,
    progress: bool = False,
    **options: Any,
) -> Mined:
    """Mine negatives for every pair, none of which is known to be right.

    Candidates come from the positives of all rows and from `corpus`. What is, but for case,
    punctuation and white space, a positive of the same anchor in any row, the anchor itself, or
    of the row's own group, is never one; neither is what repeats these by its vector.

    Killed at any time, the same call goes on from what is in the work folder: vectors, rankings
    and scores of the cross-encoder are kept there, each with a fingerprint of the weights,
    prompts and texts that they are of.

    Args:
        model: an `Encoder` or its name, or a bare `embed(texts, *, role) -> [n, D]`.
        data: pairs, labelled pairs, NLI rows, or a retrieval set with its corpus.
        out: a `.jsonl`, `.parquet` or `.csv` to write; none is written where None.
        corpus: further texts to mine from.
        work: a folder for what is kept, to be used again by other calls; a hidden one beside
            `out`, removed at the end, where None.
        overwrite: replace files that are there.
        progress: show bars.
        **options: as in `MiningOptions`.

    Raises:
        InputError: options out of range, an output that cannot be written, data without pairs, too
            few documents, an index over the budget; all before the long work.
        MissingExtra: the index needs faiss, and it is not installed.
        LikewiseError: vectors that are not finite.
    """
    asked = MiningOptions(**check_options(MiningOptions, options, table="mine"))
    target = None if out is None else Path(out)
    lists = asked.suspicious == "list"
    if target is not None:
        refuse_mined(target, layout=asked.layout, lists=lists, overwrite=overwrite)
    pairs, documents = _as_pairs(data, asked.seed)
    pool = pool_of(pairs, [*documents, *corpus])
    _refuse_few(pool, asked)
    models = _load_models(model, asked)
    cross = _load_cross(asked)
    index = _choose_index(models, pool, asked)
    with _work_folder(target, work) as folder:
        ranked = rank_documents(models, pool, folder, asked, index=index, progress=progress)
        rng = np.random.default_rng(asked.seed)
        found, doubtful, counts = _gather(pool, ranked, asked, rng)
        relevance = None
        if cross is not None:
            path = folder / "cross-encoder"
            found, relevance = rescore(found, pool, cross, path, asked, progress=progress)
            counts += _counted(found.verdicts, (Verdict.RELEVANT,))
            doubtful = _joined([doubtful, _doubtful(found, asked)], axis=1)
            found = choose(found, asked, rng)
        rows = MinedRows(
            pairs=pairs,
            chosen=found,
            documents=pool.documents,
            names=ranked.names,
            positive_scores=ranked.judges[0].lowest,
            positive_relevance=relevance,
            keeps_suspicious=asked.suspicious == "keep",
        )
        table = suspicious_table(rows, doubtful) if lists else None
        files = [] if target is None else write_mined(rows, target, layout=asked.layout)
        if target is not None and table is not None:
            files.append(write_suspicious(table, target))
    return _mined(rows, pool, ranked, counts, table, files)


def _as_pairs(data: Dataset | RetrievalSet, seed: int) -> tuple[Dataset, Sequence[str]]:
    """Pairs, and the documents that come with them."""
    if isinstance(data, RetrievalSet):
        return judged_to_pairs(data), data.documents
    if data.kind == "pairs":
        return data, ()
    if data.kind == "nli":
        return nli_to_pairs(data, seed=seed), ()
    if data.kind == "pair-labels":
        return pair_labels_to_pairs(data, seed=seed), ()
    if data.kind == "reranking":
        return reranking_to_pairs(data), ()
    problem = f"negatives are mined for pairs, and these are {data.kind} data"
    mend = "give pairs, labelled pairs, judged documents, NLI rows or a retrieval folder"
    raise InputError(problem, where=data.file, mend=mend)


def _refuse_few(pool: Pool, options: MiningOptions) -> None:
    """Refuse a pool in which no anchor has as many wrong documents as are asked."""
    known = np.bincount(pool.known[:, 0], minlength=len(pool.anchors))
    wrong = len(pool.documents) - int(known.min())
    first = options.ranks[0]
    if wrong < first - 1 + options.negatives:
        problem = (
            f"{len(pool.documents):,} distinct documents to mine from, at most {wrong:,} of them "
            f"not right for an anchor: too few for {options.negatives:,} a row"
        )
        mend = "give more with --corpus FILE, or ask for fewer with --negatives"
        if first > 1:
            problem += f" from rank {first}"
            mend += " or --from-rank"
        raise InputError(problem, mend=mend)


def _load_models(
    model: str | Path | Encodes | Embed, options: MiningOptions
) -> dict[str, Encodes | Embed]:
    """By name, the one that gives the scores first."""
    found: dict[str, Encodes | Embed] = {}
    for one in (model, *options.also):
        if not isinstance(one, str | Path):
            found["model"] = one
            continue
        name = str(one)
        if name in found:
            raise InputError(f"{name} is named twice", mend="leave it out of --also")
        if is_cross_encoder(name):
            problem = f"{name} scores pairs: it cannot search a corpus"
            mend = f"name a model that gives vectors; this one goes with --cross-encoder {name}"
            raise InputError(problem, mend=mend)
        found[name] = load(name, device=options.device)
    return found


def _load_cross(options: MiningOptions) -> CrossEncoder | None:
    name = options.cross_encoder
    if name is None:
        return None
    if not is_cross_encoder(name):
        problem = f"{name} is no cross-encoder"
        mend = "name a model that scores pairs; one that gives vectors goes with --also"
        raise InputError(problem, mend=mend)
    cross = load_cross_encoder(name, device=options.device)
    refuse_classes(cross, name)
    return cross


def _choose_index(models: Mapping[str, Encodes | Embed], pool: Pool, options: MiningOptions) -> str:
    """How to search, within the budget of memory."""
    width = max(embed_once(one, pool.documents[:1]).shape[1] for one in models.values())
    kept = options.negatives if options.cross_encoder is None else options.rescored
    held = HELD * (len(pool) * kept + ROWS * (len(models) + options.bm25) * options.ranks[1])
    if held > options.memory * 1e9:
        problem = (
            f"{kept} candidates of each of {len(pool):,} rows take {held / 1e9:.3g} GB, and "
            f"--memory allows {options.memory:g}"
        )
        raise InputError(problem, mend=f"fewer of them, or --memory {held / 1e9:.3g}")
    if pool.groups is not None:
        if options.index not in {"auto", "exact"}:
            problem = "rows of classes are kept apart by exact search alone"
            raise InputError(problem, mend="--index exact")
        return "exact"
    return choose_index(
        options.index,
        queries=len(pool.anchors),
        documents=len(pool.documents),
        width=width,
        memory=options.memory,
    )


@contextmanager
def _work_folder(out: Path | None, work: str | Path | None) -> Iterator[Path]:
    """Where things are kept: the user's folder, or one that is removed when all has been done."""
    if work is not None:
        yield Path(work)
    elif out is None:
        with tempfile.TemporaryDirectory() as passing:
            yield Path(passing)
    else:
        hidden = beside(out, ".mining")
        yield hidden
        shutil.rmtree(hidden, ignore_errors=True)


def _gather(
    pool: Pool, ranked: Ranked, options: MiningOptions, rng: np.random.Generator
) -> tuple[Candidates, Candidates, Counter[str]]:
    """Of all rows the chosen ones, or those to be rescored; the doubtful ones; and the counts."""
    kept, doubtful, counts = [], [], Counter[str]()
    for start in range(0, len(pool), ROWS):
        rows = np.arange(start, min(start + ROWS, len(pool)))
        found = judge_candidates(
            _candidates(rows, pool, ranked, options, rng), rows, pool, ranked.judges, options
        )
        counts["candidates"] += int((found.places >= 0).sum())
        counts += _counted(found.verdicts, WORDS)
        doubtful.append(_doubtful(found, options))
        if options.cross_encoder is None:
            kept.append(choose(found, options, rng))
        else:
            kept.append(found.first(open_to(found, options), options.rescored))
    return _joined(kept, axis=0), _joined(doubtful, axis=0), counts


def _candidates(
    rows: np.ndarray[Any, np.dtype[np.int64]],
    pool: Pool,
    ranked: Ranked,
    options: MiningOptions,
    rng: np.random.Generator,
) -> Candidates:
    """The documents in the window of ranks, or drawn, with the scores of the first model."""
    if not ranked.rankings:
        found = draw_at_random(rows, pool, options, rng)
        return replace(found, scores=score_candidates(found, rows, pool, ranked.judges[0]))
    first, last = options.ranks
    parts = [ranking.part(pool.anchor[rows]) for ranking in ranked.rankings]
    places, sources = fuse(parts, depth=last)
    ranks = np.broadcast_to(np.arange(1, places.shape[1] + 1), places.shape)
    window = slice(first - 1, None)
    found = candidates_at(places[:, window], ranks=ranks[:, window], sources=sources[:, window])
    if len(parts) == 1:  # the scores are known
        return replace(found, scores=parts[0].scores[:, window])
    return replace(found, scores=score_candidates(found, rows, pool, ranked.judges[0]))


def _doubtful(found: Candidates, options: MiningOptions) -> Candidates:
    """The first suspicious ones of each row, if they are to be listed."""
    listed = options.negatives if options.suspicious == "list" else 0
    return found.first(np.isin(found.verdicts, SUSPICIOUS), listed)


def _counted(verdicts: np.ndarray[Any, Any], wanted: Iterable[Verdict]) -> Counter[str]:
    return Counter({one.name.lower(): int((verdicts == one).sum()) for one in wanted})


def _joined(parts: Sequence[Candidates], *, axis: int) -> Candidates:
    return Candidates(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts], axis=axis)
            for field in fields(Candidates)
        }
    )


def _mined(
    rows: MinedRows,
    pool: Pool,
    ranked: Ranked,
    counts: Counter[str],
    suspicious: pa.Table | None,
    files: Sequence[Path],
) -> Mined:
    """The result, with all counts."""
    places = rows.chosen.places
    lists = [[pool.documents[i] for i in row if i >= 0] for row in places.tolist()]
    without = int((places < 0).all(axis=1).sum())
    totals = {
        "rows": len(pool),
        "anchors": len(pool.anchors),
        "documents": len(pool.documents),
        "repeated_documents": pool.repeats,
        "known": len(pool.known),
        **{name: counts[name] for name in ("candidates", *(w.name.lower() for w in WORDS))},
        "negatives": int((places >= 0).sum()),
        "rows_without": without,
    }
    said = (
        ("distinct anchors", "anchors"),
        ("distinct documents to mine from", "documents"),
        ("documents that repeat another one", "repeated_documents"),
        ("documents known to be right for an anchor, which are never its negatives", "known"),
        ("candidates looked at", "candidates"),
        *((words, verdict.name.lower()) for verdict, words in WORDS.items()),
        ("negatives mined", "negatives"),
        ("rows that got none", "rows_without"),
    )
    notes = [Note(text=text, count=totals[name]) for text, name in said if totals[name]]
    data = with_negatives(rows.pairs, lists)
    every = (*rows.pairs.notes, *ranked.notes, *notes)
    return Mined(
        data=replace(data, notes=every),
        provenance=rows.provenance(),
        suspicious=suspicious,
        counts=totals,
        notes=every,
        files=tuple(files),
    )
