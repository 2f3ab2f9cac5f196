"""A retrieval folder, as BEIR (Thakur et al. 2021) or MTEB has it: queries, corpus, judgements."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from likewise.data.dataset import Note, RetrievalSet
from likewise.data.files import Rows
from likewise.data.kinds.values import describe
from likewise.data.readers.retrieval_files import find_judgements, find_texts, read_rows
from likewise.data.rows import Faults
from likewise.errors import InputError, Where

JUDGEMENT_COLUMNS = ("query-id", "corpus-id", "score")


def looks_like_beir(folder: Path, split: str = "test") -> bool:
    """Whether the folder holds queries and a corpus."""
    return all(find_texts(folder, name, split) for name in ("queries", "corpus"))


def read_beir(folder: Path, *, split: str = "test", skip_bad: bool = False) -> RetrievalSet:
    """Read queries, corpus and the judgements of one split, and check that they fit together.

    Args:
        folder: with `queries.jsonl`, `corpus.jsonl` and `qrels/SPLIT.tsv`, `qrels.SPLIT.tsv` or
            `qrels.tsv`, each also .gz; or as MTEB's data sets have them: `queries` and `corpus`
            as folders of JSONL or Parquet, the judgements as such files in `qrels`, `data` or
            `default`.
        split: of the judgements.
        skip_bad: bad rows are skipped, counted and listed in the notes.

    Returns:
        The queries that have at least one relevant document in this split, the whole corpus, and
        the judgements (all grades, also 0).

    Raises:
        InputError: a file or split is missing, an id is repeated with another text or judged
            without existing, a text is empty, or a grade is no whole number.
    """
    paths = {name: _required(folder, name, split) for name in ("queries", "corpus")}
    judged_in = find_judgements(folder, split)
    faults = Faults()
    queries, _ = _texts(read_rows(paths["queries"]), faults)
    documents, titles = _texts(read_rows(paths["corpus"]), faults)
    judgements = _judgements(read_rows(judged_in), queries, documents, faults)
    if faults.total and not skip_bad:
        raise InputError.gather(faults.shown, total=faults.total)
    relevant = {q: d for q, d in judgements.items() if any(grade > 0 for grade in d.values())}
    if not relevant:
        problem = f"no judgement of the split {split} names a relevant document"
        mend = "a grade over 0 says relevant"
        raise InputError(problem, where=Where(path=str(judged_in[0])), mend=mend)
    return RetrievalSet(
        name=folder.resolve().name,
        split=split,
        query_ids=tuple(q for q in queries if q in relevant),
        queries=tuple(text for q, text in queries.items() if q in relevant),
        document_ids=tuple(documents),
        documents=tuple(documents.values()),
        titles=tuple(titles.values()),
        judgements=relevant,
        sources=tuple(str(p) for files in (*paths.values(), judged_in) for p in files),
        notes=(*_notes(queries, judgements, relevant), *faults.notes()),
    )


def _required(folder: Path, name: str, split: str) -> tuple[Path, ...]:
    paths = find_texts(folder, name, split)
    if not paths:
        mend = 'write one object a line there: {"_id": "1", "text": "…"}'
        raise InputError(f"there is no {name}.jsonl", where=Where(path=str(folder)), mend=mend)
    return paths


def _texts(rows: Rows, faults: Faults) -> tuple[dict[str, str], dict[str, str]]:
    """Id to text, title and text joined by a space; and id to the title, "" where there is none."""
    texts: dict[str, str] = {}
    titles: dict[str, str] = {}
    for where, record in _good(rows, faults):
        key, problem = _id(record), ""
        parts = [record.get("title"), record.get("text")]
        text = " ".join(part.strip() for part in parts if isinstance(part, str)).strip()
        if key is None:
            problem, mend = 'there is no "_id"', 'name each: {"_id": "1", "text": "…"}'
        elif any(part is not None and not isinstance(part, str) for part in parts):
            wrong = next(p for p in parts if p is not None and not isinstance(p, str))
            problem, mend = f"expected a text, found {describe(wrong)}", "write it in quotes"
        elif not text:
            problem, mend = (
                f'the text of "{key}" is empty',
                "fill it in, or remove it and its qrels",
            )
        elif texts.get(key, text) != text:
            problem = f'the id "{key}" stands here a second time, with another text'
            mend = "give every text an id of its own"
        if problem:
            faults.add(InputError(problem, where=where, mend=mend))
        else:
            texts[str(key)] = text
            titles[str(key)] = (parts[0] or "").strip()
    return texts, titles


def _good(rows: Rows, faults: Faults) -> Iterator[tuple[Where, dict[str, Any]]]:
    for where, record in rows:
        if isinstance(record, InputError):
            faults.add(record)
        else:
            yield where, record


def _id(record: Mapping[str, Any]) -> str | None:
    key = record.get("_id", record.get("id"))
    if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
        return None
    return str(key)


def _judgements(
    rows: Rows, queries: Mapping[str, str], documents: Mapping[str, str], faults: Faults
) -> dict[str, dict[str, int]]:
    judgements: dict[str, dict[str, int]] = {}
    for where, record in _good(rows, faults):
        missing = [name for name in JUDGEMENT_COLUMNS if name not in record]
        if missing:
            problem = f"columns {', '.join(record)}: no column is named {', '.join(missing)}"
            mend = "write this header, with tabs: " + " ".join(JUDGEMENT_COLUMNS)
            raise InputError(problem, where=Where(path=where.path, row=1), mend=mend)
        query, document, grade = (_plain(record[name]) for name in JUDGEMENT_COLUMNS)
        problem, mend = "", "remove the judgement, or add what it names"
        column = "score"
        if query not in queries:
            problem, column = f'there is no query "{query}" in queries.jsonl', "query-id"
        elif document not in documents:
            problem, column = f'there is no document "{document}" in corpus.jsonl', "corpus-id"
        elif not _is_whole(grade):
            problem = f"expected a whole number, found {describe(grade)}"
            mend = "write 0 for not relevant, 1 or more for relevant"
        elif judgements.get(query, {}).get(document, int(float(grade))) != int(float(grade)):
            problem = f'"{document}" was judged for "{query}" before, with another grade'
            mend = "keep one judgement for a query and a document"
        if problem:
            place = Where(path=where.path, row=where.row, column=column)
            faults.add(InputError(problem, where=place, mend=mend))
        else:
            judgements.setdefault(query, {})[document] = int(float(grade))
    return judgements


def _plain(cell: Any) -> str:
    """A cell as text: TSV has nothing else, JSON and Parquet have numbers too."""
    return "" if cell is None else str(cell).strip()


def _is_whole(text: str) -> bool:
    try:
        return float(text).is_integer()
    except ValueError:
        return False


def _notes(
    queries: Mapping[str, str],
    judgements: Mapping[str, dict[str, int]],
    relevant: Mapping[str, dict[str, int]],
) -> Iterator[Note]:
    grades = sorted({grade for documents in judgements.values() for grade in documents.values()})
    listed = ", ".join(map(str, grades))
    yield Note(text=f"grades: {listed}; over 0 is relevant")
    if len(queries) > len(judgements):
        text = "queries without a judgement in this split left out"
        yield Note(text=text, count=len(queries) - len(judgements))
    if len(judgements) > len(relevant):
        text = "queries without a relevant document left out"
        yield Note(text=text, count=len(judgements) - len(relevant))
