"""What models and BM25 rank for every anchor: embedded and searched into files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from likewise.data.dataset import Note
from likewise.mining.filters import Judge, judge_of
from likewise.mining.indexes import AUTO, INDEXES
from likewise.mining.kept_search import (
    KeptRanking,
    KeptVectors,
    Search,
    keep_ranking,
    keep_vectors,
    text_prints,
)
from likewise.mining.lexical import Bm25
from likewise.mining.miners import BM25
from likewise.mining.neighbours import Floats
from likewise.mining.options import MiningOptions
from likewise.mining.pool import Pool
from likewise.mining.vectors import Embed, Encodes, Role
from likewise.models.encoder import Encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """What is known of all anchors and documents.

    Attributes:
        judges: one a model.
        names: of the rankings.
        rankings: of all anchors, one a model, and that of BM25; none where negatives are drawn.
        notes: what was decided and cut.
    """

    judges: tuple[Judge, ...]
    names: tuple[str, ...]
    rankings: tuple[KeptRanking, ...]
    notes: tuple[Note, ...]


def rank_documents(
    models: Mapping[str, Encodes | Embed],
    pool: Pool,
    folder: Path,
    options: MiningOptions,
    *,
    index: str,
    progress: bool = False,
) -> Ranked:
    """Embed all texts with each model, and rank the documents for each anchor.

    What is known to be right is left out of the search, so that ranks count only the others.

    Args:
        models: by name, in order.
        pool: of anchors and documents.
        folder: where vectors and rankings are kept.
        options: how deep, and how.
        index: of `INDEXES`.
        progress: show bars.
    """
    searches = options.hardness != "easy"
    judges, rankings, notes = [], [], []
    if searches and options.index == AUTO and index != "exact":
        notes.append(Note(text=f"vectors are searched by the index {index}, which may miss some"))
    asking = _Asking(pool=pool, folder=folder, options=options, progress=progress)
    for i, (name, model) in enumerate(models.items()):
        said = model.notes if isinstance(model, Encoder) else ()
        notes += [Note(text=f"{name}: {note}") for note in said]
        asked = asking.embed(model, pool.anchors, "query", i)
        found = asking.embed(model, pool.documents, "document", i)
        if asked.cut + found.cut:
            text = f"texts over the length limit of {name} were cut"
            notes.append(Note(text=text, count=asked.cut + found.cut))
        judges.append(judge_of(asked.values, found.values, pool))
        if searches:
            build = partial(INDEXES[index].build, found.values)
            prints = [index, asked.prints, found.prints]
            rankings.append(asking.search(build, asked.values, f"{i}", prints))
    if options.bm25:
        prints = [BM25, text_prints(pool.anchors, pool.documents)]
        rankings.append(asking.search(lambda: Bm25(pool.documents), pool.anchors, BM25, prints))
    names = (*models, *[BM25][: options.bm25])
    return Ranked(judges=tuple(judges), names=names, rankings=tuple(rankings), notes=tuple(notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """What all questions have in common."""

    pool: Pool
    folder: Path
    options: MiningOptions
    progress: bool

    def embed(
        self, model: Encodes | Embed, texts: Sequence[str], role: Role, number: int
    ) -> KeptVectors:
        return keep_vectors(
            model,
            texts,
            self.folder / f"{number}-{role}.npy",
            role=role,
            dtype=self.options.vectors,
            precision=self.options.precision,
            progress=self.progress,
        )

    def search(
        self,
        build: Callable[[], Search],
        queries: Sequence[str] | Floats,
        name: str,
        prints: Sequence[str],
    ) -> KeptRanking:
        return keep_ranking(
            build,
            queries,
            self.folder / f"{name}-ranking.npy",
            depth=min(self.options.ranks[1], len(self.pool.documents)),
            prints=prints,
            skipped=self.pool.known,
            groups=self.pool.groups,
            progress=self.progress,
        )
