"""GPL: queries for a corpus, hard negatives for them, and margins by a cross-encoder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.losses import LOSSES
from likewise.losses.candidates import Similarity
from likewise.methods.corpus_queries import (
    Corpus,
    corpus_of,
    make_queries,
    read_queries,
    tell_queries,
    without_dev,
)
from likewise.methods.refusals import refuse_unfit
from likewise.methods.teachers import load_teacher, refuse_classes
from likewise.mining.miners import BM25, Miner, draw_negatives, mine_negatives
from likewise.mining.queries import Query
from likewise.mining.vectors import TimedEmbed, unit
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.generator import load_generator
from likewise.models.scores_file import score_pairs
from likewise.registry import Count
from likewise.training.fit import Fit
from likewise.training.objective import objective_of
from likewise.training.seeding import generator as random_generator
from likewise.training.wrappers import refuse_wrapping

BASE = "base"
NEGATIVES = 50  # of each miner, of which one is drawn (Wang et al. 2022, section 4.3)
SAMPLE = 1000  # rows whose margins under the base model are looked at
LEAST_SPREAD = 0.1  # cosine; a base that tells less apart is no measure
TAUGHT = (
    "train one on pairs that are labelled or belong together, of this domain or another: "
    "likewise train PAIRS --method cross-encoder --out runs/teacher; "
    "then --set teacher=runs/teacher/model"
)


def train_gpl(
    fit: Fit[Any],
    data: Dataset,
    *,
    teacher: str = "",
    generator: str = "",
    queries: str = "",
    queries_per_passage: Count = 3,
    miners: str = BASE,
    negatives_per_query: Count = 1,
) -> None:
    """Adapt an encoder to a corpus without labels: Generative Pseudo Labeling (Wang et al. 2022).

    1. Queries are made for the passages. 2. Models look for passages that seem to answer each of
    them. 3. A cross-encoder says by how much the query's own passage is the better answer.
    4. The encoder learns these margins by MarginMSE.

    Args:
        fit: the encoder, and how to train it.
        data: the corpus: any texts.
        teacher: the cross-encoder: a folder, or hub:ORG/NAME.
        generator: a sequence-to-sequence model that writes the queries: a folder, or
            hub:ORG/NAME; empty to take them out of the passages: titles, leading sentences, key
            phrases.
        queries: a file with the user's own queries and their passages, in place of made ones.
        queries_per_passage: so many are made, at most.
        miners: who looks for negatives: "base", "bm25", or other models, several with commas
            between them.
        negatives_per_query: how many of those found are drawn, each a row of its own; the paper
            draws one anew whenever it comes back to a query.

    Raises:
        InputError: no cross-encoder, or another kind of model in its place; fewer than two
            passages, or none with a query; no such generator or miner.
    """
    _refuse_both(generator, queries)
    refuse_wrapping(fit.options, fit.encoder)
    cross = _load_cross(fit, teacher)
    corpus = corpus_of(fit, data)
    writer = load_generator(generator) if generator else None
    looking = [_load_miner(fit, name) for name in miner_names(miners)]
    if queries:
        asked, corpus = read_queries(fit, queries, corpus)
        fit.begin()
    else:
        fit.begin()
        asked = make_queries(fit, corpus, writer, count=queries_per_passage)
    asked = _refuse_none(without_dev(fit, asked), corpus)
    tell_queries(fit, asked, corpus)
    rows = _mine(fit, looking, asked, corpus, count=negatives_per_query)
    scores = _label(fit, cross, rows)
    measure = _measure(fit, rows, scores)
    spec = LOSSES["margin-mse"]
    taught = _distilled(corpus, rows, scores / measure.unit)
    taught = refuse_unfit(fit, taught, spec, method="gpl")
    fit(taught, objective_of(spec, similarity=measure.similarity))


def _refuse_both(generator: str, queries: str) -> None:
    if generator and queries:
        problem = "queries are written by a generator or read from a file, not both"
        raise InputError(problem, mend="leave out --set generator=… or --set queries=…")


def refuse_untaught(teacher: str) -> None:
    """Say how to come by a cross-encoder where none is named.

    Args:
        teacher: the option.

    Raises:
        InputError: it is empty.
    """
    if not teacher:
        raise InputError("the method gpl needs a cross-encoder, and none is named", mend=TAUGHT)


def _load_cross(fit: Fit[Any], name: str) -> CrossEncoder:
    """The cross-encoder that labels, or an error that says how to come by one."""
    refuse_untaught(name)
    cross = load_teacher(name)
    if not isinstance(cross, CrossEncoder):
        problem = f"{name} gives vectors; the margins of gpl are those of a cross-encoder"
        raise InputError(problem, mend=TAUGHT)
    refuse_classes(cross, name)
    if cross.activation != "identity":
        fit.note(f"the teacher's scores are a {cross.activation}; margins are of its logits")
    return cross


def miner_names(miners: str) -> list[str]:
    """Who looks for negatives, each once; BM25 is the same in any case.

    Args:
        miners: the option, with commas between them.

    Raises:
        InputError: none is named.

    >>> miner_names("base, BM25,,base")
    ['base', 'bm25']
    """
    given = (name.strip() for name in miners.split(",") if name.strip())
    names = list(dict.fromkeys(BM25 if name.lower() == BM25 else name for name in given))
    if not names:
        mend = f"name some: --set miners={BASE},{BM25}"
        raise InputError("no model is named that looks for negatives", mend=mend)
    return names


def _load_miner(fit: Fit[Any], name: str) -> Miner:
    if name == BM25:
        return Miner(name=name)
    if name == BASE:
        return Miner(name=name, encoder=fit.encoder)
    found = load_teacher(name)
    if isinstance(found, CrossEncoder):
        problem = f"{name} is a cross-encoder: it cannot search a corpus for negatives"
        mend = f"name models that give vectors, or {BM25}: --set miners={BASE},{BM25}"
        raise InputError(problem, mend=mend)
    return Miner(name=name, encoder=found)


def _refuse_none(queries: list[Query], corpus: Corpus) -> list[Query]:
    if queries:
        return queries
    problem = f"none of {len(corpus.passages):,} passages has a query"
    mend = "give longer texts, a generator (--set generator=MODEL) or your own (--set queries=FILE)"
    raise InputError(problem, mend=mend, where=corpus.data.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """n rows: a query, its passage as it is shown, and a passage that seems to answer it too.

    Attributes:
        places: [n] of the query's own passage.
    """

    queries: list[str]
    positives: list[str]
    negatives: list[str]
    places: NDArray[np.int64]


def _mine(
    fit: Fit[Any],
    miners: Sequence[Miner],
    queries: Sequence[Query],
    corpus: Corpus,
    *,
    count: int,
) -> _Rows:
    """So many negatives for each query, of what the miners hold nearest to it, each in a row."""
    found = []
    for i, miner in enumerate(miners):
        negatives = mine_negatives(
            miner,
            queries,
            corpus.passages,
            fit.folder / f"negatives-{i}.npy",
            depth=NEGATIVES,
            precision=fit.options.precision,
            progress=fit.progress_shown,
        )
        mean = (negatives >= 0).sum() / len(queries)
        fit.note(f"negatives by {miner.name}: {mean:.3g} a query")
        found.append(negatives)
    rng = random_generator(fit.options.seed, "negatives")
    most = sum(one.shape[1] for one in found)  # more would be gaps alone, in memory
    drawn = draw_negatives(found, rng, count=min(count, most))
    of_query, ranks = np.nonzero(drawn >= 0)
    if missing := len(queries) - len(np.unique(of_query)):
        fit.note(f"queries without a negative were left out: {missing:,}")
    if not len(of_query):
        problem = f"none of {len(queries):,} queries has a negative"
        raise InputError(problem, mend=f"name another miner: --set miners={BASE}")
    chosen = [queries[i] for i in of_query.tolist()]
    return _Rows(
        queries=[query.text for query in chosen],
        positives=[query.shown(corpus.passages[query.passage]) for query in chosen],
        negatives=[corpus.passages[place] for place in drawn[of_query, ranks].tolist()],
        places=np.array([query.passage for query in chosen]),
    )


def _label(fit: Fit[Any], cross: CrossEncoder, rows: _Rows) -> NDArray[np.float64]:
    """[n, 2] the logits of each query with its own passage, and with the other one."""
    sides = (rows.positives, rows.negatives)
    pairs = [pair for side in sides for pair in zip(rows.queries, side, strict=True)]
    place = {pair: i for i, pair in enumerate(dict.fromkeys(pairs))}
    fit.note(f"the cross-encoder scores {len(place):,} pairs")
    found = score_pairs(
        cross,
        list(place),
        fit.folder / "teacher.npy",
        progress=fit.progress_shown,
        precision=fit.options.precision,
        activation="identity",
    )
    every = found.astype(np.float64)[[place[pair] for pair in pairs]]
    scores = every.reshape(2, -1).T
    margins = scores[:, 0] - scores[:, 1]
    if not margins.any():
        problem = f"the cross-encoder scores all {len(margins):,} negatives as it does the answers"
        raise InputError(problem, mend="name another one, or train it for longer")
    low, half, high = np.quantile(margins, (0.1, 0.5, 0.9))
    fit.note(
        f"margins of the teacher, in logits: mean {margins.mean():.2f}; a tenth below {low:.2f}, "
        f"half below {half:.2f}, nine tenths below {high:.2f}"
    )
    above = int((margins < 0).sum())
    share = above / len(margins)
    fit.note(f"the teacher scores the negative above the query's passage: {above:,} ({share:.1%})")
    return scores


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    """What the student's margins are: one of `similarity` stands for `unit` logits."""

    unit: float
    similarity: Similarity


def _measure(fit: Fit[Any], rows: _Rows, scores: NDArray[np.float64]) -> _Measure:
    """Dot products in logits, as the paper has it; of a model that compares by cosine, cosines.

    A cosine margin is 2 at most. The teacher's are scaled to spread as those of the base model do,
    so that training changes which margins are wide, and not how wide they all are.
    """
    n = len(rows.queries)
    some = random_generator(fit.options.seed, "margins").permutation(n)[:SAMPLE].tolist()
    embed = TimedEmbed(fit.encoder, precision=fit.options.precision)
    asked = embed([rows.queries[i] for i in some], role="query")
    answers = embed([rows.positives[i] for i in some], role="document")
    wrong = embed([rows.negatives[i] for i in some], role="document")
    is_unit = all(
        np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3) for vectors in (asked, answers)
    )
    is_dot = fit.encoder.contents.similarity != "cosine" and not is_unit
    sides = (asked, answers, wrong)
    a, b, c = (s.astype(np.float64) if is_dot else unit(s) for s in sides)
    margins = (a * (b - c)).sum(axis=1)
    fit.note(f"the base model scores it so in {(margins < 0).mean():.1%} of {len(some):,} rows")
    if is_dot:
        fit.note("dot products learn the margins as they are: the model compares by dot product")
        return _Measure(unit=1.0, similarity="dot")
    spread = max(float(np.sqrt((margins**2).mean())), LEAST_SPREAD)
    size = float(np.sqrt(((scores[:, 0] - scores[:, 1]) ** 2).mean())) / spread
    fit.note(f"cosines learn the margins: {size:.3g} logits are a cosine of 1")
    return _Measure(unit=size, similarity="cosine")


def _distilled(corpus: Corpus, rows: _Rows, scores: NDArray[np.float64]) -> Dataset:
    """The rows as pairs with teacher scores, each in the place of its passage."""
    table = pa.table(
        {
            "anchor": pa.array(rows.queries, pa.large_string()),
            "positive": pa.array(rows.positives, pa.large_string()),
            "negative": pa.array(rows.negatives, pa.large_string()),
            "scores": pa.array(scores.tolist(), pa.large_list(pa.float64())),
        }
    )
    return replace(
        corpus.data.take(rows.places),
        kind="distilled",
        table=table,
        columns={role: role for role in table.column_names},
    )
