"""What each type of MTEB's tasks wants of its rows, from the data that `likewise.read` gives."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import InputError
from likewise.extras import require


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the files of one type of task are read, and what the task wants of them.

    Attributes:
        columns: that the files have, for messages.
        convert: the task, the rows of every split to the task's own, by split.
        kind: of data; "retrieval" where a split is a folder.
        bound: role to column, where the names are not the kind's own.
        trains: the split to learn from is needed too.
    """

    columns: str
    convert: Callable[[Any, Mapping[str, Any]], Any]
    kind: str
    bound: Mapping[str, str] | None = None
    trains: bool = False


def _rows(columns: Mapping[str, Sequence[Any]]) -> Any:
    return require("datasets", extra="mteb").Dataset.from_dict(dict(columns))


def _labelled(task: Any, splits: Mapping[str, Dataset]) -> dict[str, Any]:
    numbers = _label_numbers(label for data in splits.values() for label in data.labels())
    parts = {
        split: _rows(
            {
                task.input_column_name: data.texts("text"),
                task.label_column_name: [numbers[label] for label in data.labels()],
            }
        )
        for split, data in splits.items()
    }
    return require("datasets", extra="mteb").DatasetDict(parts)  # type: ignore[no-any-return]


def _label_numbers(labels: Iterable[str]) -> dict[str, int]:
    """A number a label: its own where all are numbers, else its place in their order."""
    names = sorted(set(labels))
    if all(name.lstrip("-").isdecimal() for name in names):
        return {name: int(name) for name in names}
    return {name: i for i, name in enumerate(names)}


def _scored(task: Any, splits: Mapping[str, Dataset]) -> dict[str, Any]:
    first, second = task.column_names
    return {
        split: _rows(
            {
                first: data.texts("sentence1"),
                second: data.texts("sentence2"),
                "score": data.numbers("score").tolist(),
            }
        )
        for split, data in splits.items()
    }


def _pair_labels(task: Any, splits: Mapping[str, Dataset]) -> dict[str, Any]:
    return {
        split: _rows(
            {
                task.input1_column_name: data.texts("sentence1"),
                task.input2_column_name: data.texts("sentence2"),
                task.label_column_name: data.labels(),
            }
        )
        for split, data in splits.items()
    }


def _clusters(task: Any, splits: Mapping[str, Dataset]) -> dict[str, Any]:
    """One text a row; for the older class one set a row, as the rows of lists in the file were."""
    older = isinstance(task, require("mteb.abstasks", extra="mteb").AbsTaskClusteringLegacy)
    text, label = task.input_column_name, task.label_column_name
    found = {}
    for split, data in splits.items():
        if not older:
            found[split] = _rows({text: data.texts("text"), label: data.labels()})
            continue
        sets: dict[Any, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        places = list(zip(data.source.tolist(), data.row.tolist(), strict=True))
        in_sets = len(set(places)) < len(places)
        for place, one, name in zip(places, data.texts("text"), data.labels(), strict=True):
            texts, labels = sets[place if in_sets else None]
            texts.append(one)
            labels.append(name)
        found[split] = _rows(
            {text: [texts for texts, _ in sets.values()], label: [n for _, n in sets.values()]}
        )
    return found


def _bitexts(task: Any, splits: Mapping[str, Dataset]) -> dict[str, Any]:
    del task  # its columns are always called so
    return {
        split: _rows(
            {
                "sentence1": data.texts("anchor"),
                "sentence2": [texts[0] for texts in data.text_lists("positive")],
            }
        )
        for split, data in splits.items()
    }


def _retrieval(task: Any, splits: Mapping[str, RetrievalSet]) -> dict[str, Any]:
    del task
    found = {}
    for split, data in splits.items():
        titles = data.titles or ("",) * len(data.documents)
        bodies = [d.removeprefix(t).strip() for d, t in zip(data.documents, titles, strict=True)]
        found[split] = {
            "corpus": _rows({"id": data.document_ids, "title": titles, "text": bodies}),
            "queries": _rows({"id": data.query_ids, "text": data.queries}),
            "relevant_docs": {q: dict(judged) for q, judged in data.judgements.items()},
            "top_ranked": None,
        }
    return found


def _reranking(task: Any, splits: Mapping[str, Dataset]) -> dict[str, Any]:
    """A corpus of every row's texts, each query to rank its own, as MTEB converts such rows."""
    del task
    found = {}
    for split, data in splits.items():
        corpus: dict[str, str] = {}
        queries: dict[str, str] = {}
        relevant: dict[str, dict[str, int]] = {}
        negatives = data.text_lists("negative") if "negative" in data.roles else [[]] * len(data)
        rows = zip(data.texts("anchor"), data.text_lists("positive"), negatives, strict=True)
        for i, (query, positive, negative) in enumerate(rows):
            if not (positive and negative):
                continue  # nothing to put in order: MTEB leaves such a query out too
            key = f"{split}_query{i}"
            queries[key], relevant[key] = query, {}
            for name, texts, grade in (("apositive", positive, 1), ("negative", negative, 0)):
                for j, text in enumerate(texts):
                    corpus[f"{name}_{key}_{j:05}"] = text
                    relevant[key][f"{name}_{key}_{j:05}"] = grade
        if not queries:
            problem = "no row has both positive and negative texts to put in order"
            mend = "write them as lists: query, positive, negative"
            raise InputError(problem, where=data.file, mend=mend)
        found[split] = {
            "corpus": _rows(
                {"id": list(corpus), "title": [""] * len(corpus), "text": list(corpus.values())}
            ),
            "queries": _rows({"id": list(queries), "text": list(queries.values())}),
            "relevant_docs": relevant,
            "top_ranked": {key: list(judged) for key, judged in relevant.items()},
        }
    return found


LAYOUTS: Mapping[str, Layout] = {
    "Classification": Layout(
        kind="labelled", columns="text, label", convert=_labelled, trains=True
    ),
    "STS": Layout(kind="scored", columns="sentence1, sentence2, score", convert=_scored),
    "PairClassification": Layout(
        kind="pair-labels", columns="sentence1, sentence2, labels", convert=_pair_labels
    ),
    "Clustering": Layout(kind="labelled", columns="sentences, labels", convert=_clusters),
    "BitextMining": Layout(
        kind="pairs",
        columns="sentence1, sentence2",
        convert=_bitexts,
        bound={"anchor": "sentence1", "positive": "sentence2"},
    ),
    "Retrieval": Layout(kind="retrieval", columns="query-id, corpus-id, score", convert=_retrieval),
    "Reranking": Layout(kind="pairs", columns="query, positive, negative", convert=_reranking),
}
