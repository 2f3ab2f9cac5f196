"""Pairs as retrieval: each anchor must find its positives among all the positives."""

from itertools import chain

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import InputError
from likewise.evaluation.result import Result
from likewise.evaluation.retrieval import METRICS, evaluate_retrieval
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name
from likewise.mining.vectors import Embed


def evaluate_pairs(
    embed: Embed,
    data: Dataset,
    *,
    metrics: tuple[str, ...] = METRICS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """Retrieval over the texts of the pairs themselves; see `evaluate_retrieval`.

    Args:
        embed: called once with the anchors and once with the positives and negatives.
        data: of kind "pairs".
        metrics: as `evaluate_retrieval` takes them; the first one leads.
        resamples: bootstrap draws of anchors behind the 95 % intervals.
        seed: of those draws.

    Returns:
        Every metric, from 0 to 1. Details are those of retrieval.

    Raises:
        InputError: there is only one text to find.
    """
    task = pairs_as_retrieval(data)
    return evaluate_retrieval(embed, task, metrics=metrics, resamples=resamples, seed=seed)


def pairs_as_retrieval(data: Dataset) -> RetrievalSet:
    """Distinct anchors are queries; distinct positives and negatives are the corpus.

    Rows with the same anchor share their positives, rows with the same positive one document:
    no text counts as wrong where another row calls it right. Ids follow the order of the texts,
    not of the rows.

    Raises:
        InputError: there is only one text to find, so that every model is perfect.
    """
    anchors, positives = data.texts("anchor"), data.text_lists("positive")
    relevant: dict[str, set[str]] = {}
    for anchor, texts in zip(anchors, positives, strict=True):
        relevant.setdefault(anchor, set()).update(texts)
    others = (data.text_lists(role) for role in data.text_roles() if role != "anchor")
    documents = sorted(set(chain.from_iterable(chain.from_iterable(others))))
    if len(documents) < 2:
        problem = f"{len(documents)} distinct text to find: an evaluation needs two or more"
        raise InputError(problem, mend="give pairs with more than one positive")
    queries = sorted(relevant)
    document_ids = _ids("d", len(documents))
    id_of = dict(zip(documents, document_ids, strict=True))
    query_ids = _ids("q", len(queries))
    return RetrievalSet(
        name=task_name(data),
        split="test",
        query_ids=query_ids,
        queries=tuple(queries),
        document_ids=document_ids,
        documents=tuple(documents),
        judgements={
            query_id: {id_of[text]: 1 for text in sorted(relevant[query])}
            for query_id, query in zip(query_ids, queries, strict=True)
        },
        sources=data.sources,
        notes=data.notes,
    )


def _ids(prefix: str, n: int) -> tuple[str, ...]:
    width = len(str(n))
    return tuple(f"{prefix}{i:0{width}d}" for i in range(1, n + 1))
