"""Augmented SBERT: a cross-encoder learns the few labels there are, and labels many more pairs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.checks.labels import refuse_one_class
from likewise.data.clusters import text_keys
from likewise.data.dataset import Dataset, Note, RetrievalSet
from likewise.data.reading import read
from likewise.errors import InputError
from likewise.losses import LOSSES
from likewise.losses.cross_encoder import CROSS_LOSSES
from likewise.methods.conversions import as_kind, tell_new
from likewise.methods.cross_encoder import cross_objective
from likewise.methods.refusals import refuse_unfit
from likewise.methods.teachers import refuse_classes
from likewise.mining.candidates import (
    bm25_candidates,
    random_candidates,
    score_bins,
    semantic_candidates,
)
from likewise.mining.vectors import TimedEmbed
from likewise.models.cross_encoder import CrossEncoder, from_encoder, load_cross_encoder
from likewise.models.scores_file import score_pairs
from likewise.training.examples import unit_scores
from likewise.training.fit import Fit
from likewise.training.objective import objective_of
from likewise.training.seeding import child_seed, generator
from likewise.training.wrappers import refuse_wrapping

Strategy: TypeAlias = Literal["semantic", "bm25", "semantic+bm25", "random", "given"]
GOLD_KINDS = frozenset({"scored", "pair-labels", "nli"})
UNIT = (0.0, 1.0)
BINS = 5
TEACHER_EPOCHS = 3.0  # over the gold pairs, which are few
TEACHER_BATCH = 16  # pairs; the usual size for a cross-encoder, which learns from every pair


def train_augmented(
    fit: Fit[Any],
    data: Dataset,
    *,
    pool: str = "",
    sampling: Strategy = "semantic",
    top_k: int = 5,
    silver: int = 40_000,
    gold_fraction: float = 1.0,
    teacher: str = "",
) -> None:
    """Train on gold pairs and on pairs that a cross-encoder labelled (Thakur et al. 2021).

    1. A cross-encoder is trained on the gold pairs. 2. Pairs worth a label are looked for among
    all sentences. 3. The cross-encoder labels them: silver. 4. Gold and silver, each pair once,
    train the encoder.

    Args:
        fit: the encoder, and how to train it.
        data: gold: scored pairs, labelled pairs or NLI rows; any other kind has no labels, and
            needs a `teacher`.
        pool: a file with more texts, or pairs of them; empty for the sentences of the data alone.
        sampling: which pairs of the pool are labelled. "semantic": each sentence with those whose
            vectors are nearest; "bm25": with those that share its rare words; "semantic+bm25":
            both; "random": any; "given": the pairs that the pool, or the part of the data that is
            no gold, has already.
        top_k: neighbours a sentence, for "semantic" and "bm25".
        silver: pairs to label at the most.
        gold_fraction: share of the labels that is used; the other pairs lose theirs.
        teacher: a cross-encoder from elsewhere, or trained with --method cross-encoder, which then
            labels without being trained here.

    Raises:
        InputError: no labels and no teacher, or labels that are all equal; a pool that holds
            nothing but gold pairs; numbers out of range.
    """
    _refuse_numbers(top_k=top_k, silver=silver, gold_fraction=gold_fraction)
    objective = objective_of(LOSSES["cosine"])
    refuse_wrapping(fit.options, fit.encoder)
    gold, rest = _split_gold(fit, data, gold_fraction, has_teacher=bool(teacher))
    source = _pool(pool, data if sampling != "given" or rest is None else rest)
    if gold is not None and not teacher:
        gold = refuse_unfit(fit, gold, LOSSES["cosine"], method="augmented")
    chosen = _candidates(fit, source, gold, sampling, top_k=top_k, limit=silver)
    cross = _teacher(fit, gold, teacher)
    fit.begin()
    fit.note(f"the cross-encoder labels {len(chosen):,} pairs ({sampling})")
    if cross.activation != "sigmoid":
        fit.note("the teacher's own scores have another range: the sigmoid of its logits is taken")
    scores = score_pairs(
        cross,
        chosen,
        fit.folder / "silver.npy",
        progress=fit.progress_shown,
        precision=fit.options.precision,
        activation="sigmoid",
    )
    fit.note(_bins(scores, sampling))
    gold = None if gold is None else tell_new(fit, gold, _each_once(gold))
    both = _join(gold, source, chosen, scores.astype(np.float64))
    fit.note(str(both.notes[-1]))
    fit(refuse_unfit(fit, both, LOSSES["cosine"], method="augmented"), objective)


def share_of_gold(kind: str, options: Mapping[str, Any]) -> float:
    """Share of the rows whose labels are used; of kinds without labels none."""
    return float(options.get("gold_fraction", 1.0)) if kind in GOLD_KINDS else 0.0


def _split_gold(
    fit: Fit[Any], data: Dataset, fraction: float, *, has_teacher: bool
) -> tuple[Dataset | None, Dataset | None]:
    """The labelled pairs that are used, scores from 0 to 1, and those whose labels are not."""
    if data.kind not in GOLD_KINDS:
        if not has_teacher:
            problem = f"{data.kind} data has no labels for a cross-encoder to learn from"
            mend = "give scored or labelled pairs, or name a cross-encoder: --set teacher=MODEL"
            raise InputError(problem, mend=mend)
        return None, data
    if "label" in data.roles and not has_teacher:
        refuse_one_class(data)
    scored = as_kind(fit, data, ("scored",))
    scored = scored.with_scores(unit_scores(scored).clip(0, 1), UNIT)
    if fraction == 1:
        return scored, None
    order = generator(fit.options.seed, "gold").permutation(len(scored))
    kept = max(round(fraction * len(scored)), 1)
    fit.note(f"gold: the labels of {kept:,} of {len(scored):,} pairs; the others are not used")
    return scored.take(np.sort(order[:kept])), scored.take(np.sort(order[kept:]))


def _pool(name: str, data: Dataset) -> Dataset | RetrievalSet:
    return read(name) if name else data


def _candidates(
    fit: Fit[Any],
    source: Dataset | RetrievalSet,
    gold: Dataset | None,
    sampling: Strategy,
    *,
    top_k: int,
    limit: int,
) -> list[tuple[str, str]]:
    """Pairs of texts worth a label, none of them gold, or of the dev data, in either order."""
    known = [pair for part in (gold, fit.dev) for pair in _pairs_in(part)]
    if sampling == "given":
        found = _pairs_of(source)
    else:
        texts = source.all_texts() if gold is None else [*source.all_texts(), *gold.all_texts()]
        found = _look(fit, list(dict.fromkeys(texts)), sampling, known, top_k=top_k, limit=limit)
    seen = set(_codes(known))
    fresh = []
    for pair, code in zip(found, _codes(found), strict=True):
        if len(code) > 1 and code not in seen:
            seen.add(code)
            fresh.append(pair)
    if not fresh:
        count = f"({len(found):,} were found)"
        problem = f"the pool holds no pair that is not gold or dev data already {count}"
        mend = "name a larger one: --set pool=FILE, or use fewer labels: --set gold_fraction=0.2"
        raise InputError(problem, mend=mend, where=source.file)
    if len(fresh) <= limit:
        return fresh
    kept = generator(fit.options.seed, "silver").permutation(len(fresh))[:limit]
    return [fresh[i] for i in np.sort(kept)]


def _look(
    fit: Fit[Any],
    texts: list[str],
    sampling: Strategy,
    known: list[tuple[str, str]],
    *,
    top_k: int,
    limit: int,
) -> list[tuple[str, str]]:
    """Pairs of texts that one strategy, or each of two, finds worth a label."""
    found = []
    if "semantic" in sampling:
        embed = TimedEmbed(fit.encoder)
        found.append(semantic_candidates(embed, texts, top_k=top_k, exclude=known, limit=limit))
    if "bm25" in sampling:
        found.append(bm25_candidates(texts, top_k=top_k, exclude=known, limit=limit))
    if sampling == "random":
        seed = child_seed(fit.options.seed, "candidates")
        found.append(random_candidates(texts, count=limit, seed=seed, exclude=known))
    return [(texts[a], texts[b]) for a, b in np.concatenate(found).tolist()]


def _teacher(fit: Fit[Any], gold: Dataset | None, name: str) -> CrossEncoder:
    """The cross-encoder named, or one trained on the gold pairs from the same base model."""
    if name:
        cross = load_cross_encoder(name)
        refuse_classes(cross, name)
        return cross
    if gold is None:
        raise ValueError("without gold there is a teacher")
    seed = child_seed(fit.options.seed, "cross-encoder")
    cross = from_encoder(fit.encoder, classes=1, seed=seed)
    objective = cross_objective(CROSS_LOSSES["binary-cross-entropy"])
    fit.stage(
        "cross-encoder",
        cross,
        gold,
        objective,
        epochs=TEACHER_EPOCHS,
        minutes=None,
        batch_size=TEACHER_BATCH,
    )
    return cross


def _bins(scores: NDArray[np.float32], sampling: Strategy) -> str:
    """How many silver pairs fall in each fifth of the scale.

    A strategy that finds only unlike pairs teaches little (Thakur et al. 2021, section 4).
    """
    counts = score_bins(scores, bins=BINS)
    told = ", ".join(f"{part}: {count:,}" for part, count in counts.items())
    return f"silver scores ({sampling}): {told}"


def _join(
    gold: Dataset | None,
    source: Dataset | RetrievalSet,
    pairs: list[tuple[str, str]],
    scores: NDArray[np.float64],
) -> Dataset:
    """Gold and silver as one set of scored pairs; no silver pair is gold."""
    silver = pa.table(
        {
            "sentence1": pa.array([a for a, _ in pairs], pa.large_string()),
            "sentence2": pa.array([b for _, b in pairs], pa.large_string()),
            "score": pa.array(scores),
        }
    )
    sources = ("silver pairs",) if gold is None else (*gold.sources, "silver pairs")
    n_gold = 0 if gold is None else len(gold)
    note = Note(text=f"pairs to train on: {n_gold:,} gold and {len(pairs):,} silver")
    places = np.full(len(pairs), len(sources) - 1, np.int32)
    rows = np.arange(1, len(pairs) + 1)
    if gold is None:
        return Dataset(
            kind="scored",
            table=silver,
            sources=sources,
            source=places,
            row=rows,
            columns={role: role for role in silver.column_names},
            notes=(*source.notes, note),
            score_range=UNIT,
        )
    return replace(
        gold,
        table=pa.concat_tables([gold.table.select(silver.column_names), silver]),
        sources=sources,
        source=np.concatenate([gold.source, places]),
        row=np.concatenate([gold.row, rows]),
        notes=(*gold.notes, note),
    )


def _pairs_in(data: Dataset | RetrievalSet | None) -> list[tuple[str, str]]:
    """The two texts of every row, where rows have two."""
    has_pairs = isinstance(data, Dataset) and len(data.text_roles()) > 1
    return _pairs_of(data) if data is not None and has_pairs else []


def _pairs_of(data: Dataset | RetrievalSet) -> list[tuple[str, str]]:
    """The two texts of every row.

    Raises:
        InputError: rows have one text only.
    """
    roles = data.text_roles() if isinstance(data, Dataset) else ()
    if not isinstance(data, Dataset) or len(roles) < 2:
        problem = f"{data.kind} data has no pairs of its own"
        mend = "use --set sampling=semantic, or a pool of pairs"
        raise InputError(problem, mend=mend, where=data.file)
    first, second = (data.text_lists(role) for role in roles[:2])
    return [(a, b) for left, right in zip(first, second, strict=True) for a in left for b in right]


def _codes(pairs: list[tuple[str, str]]) -> list[frozenset[int]]:
    """Equal for pairs of the same texts, in either order, but for case and signs."""
    first, second = (text_keys(pair[side] for pair in pairs).tolist() for side in (0, 1))
    return [frozenset(code) for code in zip(first, second, strict=True)]


def _each_once(gold: Dataset) -> Dataset:
    """Gold pairs as they first stand; those that stand again are left out and counted."""
    first = {code: row for row, code in reversed(list(enumerate(_codes(_pairs_of(gold)))))}
    note = Note(text="gold pairs that stand twice were left out", count=len(gold) - len(first))
    return replace(gold.take(sorted(first.values())), notes=(*gold.notes, note))


def _refuse_numbers(*, top_k: int, silver: int, gold_fraction: float) -> None:
    for name, good, found, expected in (
        ("top_k", top_k >= 1, top_k, "1 or more"),
        ("silver", silver >= 1, silver, "1 or more"),
        ("gold_fraction", 0 < gold_fraction <= 1, gold_fraction, "over 0 and 1 at the most"),
    ):
        if not good:
            raise InputError(f"{name} must be {expected}, found {found}", mend=f"change {name}")
