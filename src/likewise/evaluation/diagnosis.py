"""What training changed, in cosines and in examples: the facts that a report draws."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.evaluation.pairs import pairs_as_retrieval
from likewise.evaluation.result import Result

SHOWN = 20  # errors
KEPT = 2000  # cosines of a group; more change no picture
BINS = 5  # of gold scores
DECIMALS = 4

SCHEMA = "likewise.diagnosis/1"

Groups: TypeAlias = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalError:
    """A query whose answer the trained model ranks low.

    Attributes:
        query: its text.
        expected: the relevant document that stands highest.
        got: the document that stands first.
        rank: of the expected document, from 1; None where it stands below `depth`.
        rank_before: of the base model's highest relevant document; None as above.
        depth: how far down the ranking was looked at.
    """

    query: str
    expected: str
    got: str
    rank: int | None
    rank_before: int | None
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityError:
    """A pair that the trained model places far from where people placed it.

    Attributes:
        left: one text.
        right: the other.
        gold: the score that people gave, in the file's own unit.
        cosine: of the trained model.
        cosine_before: of the base model.
        gold_share: share of all pairs that people scored lower; ties, itself too, count half.
        cosine_share: share of all pairs that the trained model holds less similar, likewise.
    """

    left: str
    right: str
    gold: float
    cosine: float
    cosine_before: float
    gold_share: float
    cosine_share: float


WorstError: TypeAlias = RetrievalError | SimilarityError
KINDS: Mapping[str, type[WorstError]] = {
    "retrieval": RetrievalError,
    "similarity": SimilarityError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Similarities before and after training, and the worst errors after it.

    Attributes:
        task: name of the data set.
        before: group of pairs to the cosines that the base model gives them.
        after: the same pairs in the same groups, by the trained model.
        errors: the worst first.
        notes: what a reader should know of the numbers, such as a sample's size.
    """

    task: str
    before: Groups
    after: Groups
    errors: tuple[WorstError, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if list(self.before) != list(self.after):
            raise ValueError(f"groups differ: {list(self.before)} and {list(self.after)}")

    def to_json(self) -> dict[str, Any]:
        """What `report_data.json` holds."""
        names = {kind: name for name, kind in KINDS.items()}
        return {
            "schema": SCHEMA,
            "task": self.task,
            "similarities": {"before": self.before, "after": self.after},
            "errors": [{"kind": names[type(error)], **asdict(error)} for error in self.errors],
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Diagnosis":
        """Read back what `to_json` gave.

        Raises:
            ValueError: it is something else.
        """
        try:
            if value["schema"] != SCHEMA:
                raise ValueError(f"expected the schema {SCHEMA}, found {value['schema']!r}")
            errors = [
                KINDS[error["kind"]](**{k: v for k, v in error.items() if k != "kind"})
                for error in value["errors"]
            ]
            return cls(
                task=value["task"],
                before=value["similarities"]["before"],
                after=value["similarities"]["after"],
                errors=tuple(errors),
                notes=tuple(value["notes"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a diagnosis: {error}") from error


def diagnose(before: Result, after: Result, data: Dataset | RetrievalSet) -> Diagnosis:
    """Compare what two results on the same data kept in their details; nothing is embedded.

    Args:
        before: of the base model.
        after: of the trained one.
        data: that both were measured on.

    Returns:
        For scored pairs, cosines by gold score, and the pairs that stand furthest from where
        people put them. For retrieval, cosines of queries with their answers and with documents
        drawn at random, and the queries whose answer stands lowest. Empty, with a note, for a
        result that keeps neither.

    Raises:
        ValueError: the results are not of the same data.
    """
    if (before.data, before.seed) != (after.data, after.seed):
        raise ValueError(f"{before.model} and {after.model} are not of the same data and seed")
    kept = before.details.keys() & after.details.keys()
    if "cosines" in kept and isinstance(data, Dataset):
        return _diagnose_similarity(before, after, data)
    if "first_ranks" in kept:
        task = data if isinstance(data, RetrievalSet) else pairs_as_retrieval(data)
        return _diagnose_retrieval(before, after, task)
    note = f'the evaluator "{after.evaluator}" keeps no details to draw'
    return Diagnosis(task=after.task, before={}, after={}, notes=(note,))


def _diagnose_similarity(before: Result, after: Result, data: Dataset) -> Diagnosis:
    rows = _by_gold(after.details["gold"], data)
    groups = [
        {name: _kept(result.details["cosines"][own]) for name, own in rows.items() if own.any()}
        for result in (before, after)
    ]
    return Diagnosis(
        task=after.task, before=groups[0], after=groups[1], errors=_furthest(before, after, data)
    )


def _by_gold(gold: NDArray[np.float64], data: Dataset) -> dict[str, NDArray[np.bool_]]:
    """Name of a group to the rows in it: by label, or by score."""
    if data.kind == "pair-labels":
        return {"different (0)": gold == 0, "same (1)": gold == 1}
    low, high = data.score_range or (float(gold.min()), float(gold.max()))
    edges = np.linspace(low, high, BINS + 1)
    bins = np.clip(np.searchsorted(edges, gold, side="right") - 1, 0, BINS - 1)
    return {f"score {edges[i]:g} to {edges[i + 1]:g}": bins == i for i in range(BINS)}


def _furthest(before: Result, after: Result, data: Dataset) -> tuple[SimilarityError, ...]:
    """The pairs whose place by cosine is furthest from their place by gold score."""
    gold, cosines = after.details["gold"], after.details["cosines"]
    gold_share, cosine_share = ((rankdata(side) - 0.5) / len(gold) for side in (gold, cosines))
    worst = np.argsort(-np.abs(gold_share - cosine_share), kind="stable")[:SHOWN]
    shown = data.take(worst)
    return tuple(
        SimilarityError(
            left=left,
            right=right,
            gold=float(gold[i]),
            cosine=float(cosines[i]),
            cosine_before=float(before.details["cosines"][i]),
            gold_share=float(gold_share[i]),
            cosine_share=float(cosine_share[i]),
        )
        for i, left, right in zip(
            worst, shown.texts("sentence1"), shown.texts("sentence2"), strict=True
        )
    )


def _diagnose_retrieval(before: Result, after: Result, data: RetrievalSet) -> Diagnosis:
    names = {
        "a query and its answer": "relevant_cosines",
        "a query and a document drawn at random": "other_cosines",
    }
    groups = [
        {
            name: _kept(result.details[key])
            for name, key in names.items()
            if all(len(one.details.get(key, ())) for one in (before, after))
        }
        for result in (before, after)
    ]
    return Diagnosis(
        task=after.task, before=groups[0], after=groups[1], errors=_lowest(before, after, data)
    )


def _lowest(before: Result, after: Result, data: RetrievalSet) -> tuple[RetrievalError, ...]:
    """The queries whose best answer stands lowest; surest of their wrong one first, if equal."""
    queries = dict(zip(data.query_ids, data.queries, strict=True))
    documents = dict(zip(data.document_ids, data.documents, strict=True))
    details = after.details
    ranks, ranks_before = details["first_ranks"], before.details["first_ranks"]
    depth = max(int(metric.partition("@")[2]) for metric in details["values"])
    lowness = np.where(ranks == 0, np.iinfo(np.int64).max, ranks)
    order = np.lexsort((-details["top_scores"][:, 0], -lowness))
    errors = []
    for i in order[:SHOWN]:
        query, found = details["query_ids"][i], details["top_documents"][i]
        expected = details["first_relevant"][i] or _best_judged(data, query, documents)
        if ranks[i] == 1 or not found:
            continue
        errors.append(
            RetrievalError(
                query=queries[query],
                expected=documents.get(expected, "(not in the corpus)"),
                got=documents[found[0]],
                rank=int(ranks[i]) or None,
                rank_before=int(ranks_before[i]) or None,
                depth=depth,
            )
        )
    return tuple(errors)


def _best_judged(data: RetrievalSet, query: str, documents: Mapping[str, str]) -> str:
    """The document of the highest grade, in the corpus if one is."""
    judged = data.judgements[query]
    return max(judged, key=lambda document: (document in documents, judged[document]))


def _kept(cosines: NDArray[np.float64]) -> list[float]:
    """The cosines, or evenly many from all over them, with as many digits as can be seen."""
    places = np.linspace(0, len(cosines) - 1, min(len(cosines), KEPT)).round().astype(np.int64)
    kept: list[float] = cosines[places].round(DECIMALS).tolist()
    return kept
