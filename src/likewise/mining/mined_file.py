"""Mined rows on disk, as `likewise train` takes them, with the provenance of every negative."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.errors import InputError, Where
from likewise.mining.filters import Candidates, Verdict
from likewise.mining.options import Layout
from likewise.models.draft_file import beside, refuse_output

FORMATS = (".jsonl", ".parquet", ".csv")
ROWS = 8192  # written at a time
DECIMALS = 6  # of a cross-encoder's scores, which are float32
TEXT = pa.large_string()
FIELDS = {
    "text": TEXT,
    "source": TEXT,
    "rank": pa.int64(),
    "score": pa.float64(),
    "cross_score": pa.float64(),
    "suspicious": TEXT,
}
WHY = {
    Verdict.MARGIN: "within the margin",
    Verdict.ABOVE: "above the positive",
    Verdict.RELEVANT: "relevant to the cross-encoder",
}
RANDOM, GIVEN = "random", "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedRows:
    """Rows with the negatives that were chosen for them.

    Attributes:
        pairs: n rows, with the negatives that they had.
        chosen: [n, K].
        documents: N texts that the places of the negatives are of.
        names: of the rankings, in the order of their bits.
        positive_scores: [n] lowest cosine of a row's positives.
        positive_relevance: [n] lowest score of them by the cross-encoder; None without one.
        keeps_suspicious: whether suspicious ones may be among the chosen.
    """

    pairs: Dataset
    chosen: Candidates
    documents: list[str]
    names: tuple[str, ...]
    positive_scores: NDArray[np.float64]
    positive_relevance: NDArray[np.float32] | None
    keeps_suspicious: bool

    @property
    def fields(self) -> dict[str, pa.DataType]:
        """What is told of every negative, behind its text."""
        told = {"text", "source", "rank", "score"}
        told |= {"cross_score"} if self.positive_relevance is not None else set()
        told |= {"suspicious"} if self.keeps_suspicious else set()
        return {name: kind for name, kind in FIELDS.items() if name in told}

    def negatives(self, rows: range) -> list[list[dict[str, Any]]]:
        """Of each row its own negatives, then those mined: text and provenance."""
        some = self.pairs.take(rows)
        own = some.text_lists("negative") if "negative" in some.roles else [[] for _ in rows]
        nothing = dict.fromkeys(FIELDS)
        return [
            [
                *({**nothing, "text": text, "source": GIVEN} for text in before),
                *describe(self.chosen, row, self.documents, self.names),
            ]
            for row, before in zip(rows, own, strict=True)
        ]

    def scores(self, rows: range) -> dict[str, pa.Array]:
        """What is told of each row."""
        part = slice(rows.start, rows.stop)
        found = {"positive_score": pa.array(self.positive_scores[part])}
        if self.positive_relevance is not None:
            relevance = self.positive_relevance[part].astype(np.float64).round(DECIMALS)
            found["positive_cross_score"] = pa.array(relevance)
        return found

    def provenance(self) -> pa.Table:
        """A line for each negative that was mined: row from 0, text, and where it is from."""
        every = range(len(self.pairs))
        lines = [
            {"row": row, **one}
            for row in every
            for one in describe(self.chosen, row, self.documents, self.names)
        ]
        schema = pa.schema([("row", pa.int64()), *self.fields.items()])
        table = pa.Table.from_pylist(lines, schema=schema)
        for name, values in self.scores(every).items():
            table = table.append_column(name, values.take(table.column("row")))
        return table.rename_columns({"text": "negative"})


def describe(
    found: Candidates, row: int, documents: list[str], names: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    """Text and provenance of the candidates of a row.

    Args:
        found: of all rows.
        row: one of them.
        documents: texts.
        names: of the rankings, in the order of their bits.
    """
    for column in np.flatnonzero(found.places[row] >= 0).tolist():
        bits = int(found.sources[row, column])
        relevance = float(found.relevance[row, column])
        yield {
            "text": documents[int(found.places[row, column])],
            "source": "+".join(n for i, n in enumerate(names) if bits >> i & 1) or RANDOM,
            "rank": int(found.ranks[row, column]) or None,
            "score": float(found.scores[row, column]),
            "cross_score": None if np.isnan(relevance) else round(relevance, DECIMALS),
            "suspicious": WHY.get(Verdict(int(found.verdicts[row, column]))),
        }


def refuse_mined(out: Path, *, layout: Layout, lists: bool, overwrite: bool) -> None:
    """Refuse files that cannot be written, before any work.

    Args:
        out: the file with the rows.
        layout: of them.
        lists: whether suspicious candidates are listed beside it.
        overwrite: whether files that are there may be replaced.

    Raises:
        InputError: another ending, an absent folder, a file that exists, or lists in a CSV.
    """
    refuse_output(out, what="rows", overwrite=overwrite, formats=FORMATS)
    others = [provenance_file(out)] if out.suffix == ".csv" else []
    for other in (*others, *[suspicious_file(out)][:lists]):
        refuse_output(other, what="rows", overwrite=overwrite, formats=FORMATS)
    if out.suffix == ".csv" and layout == "list":
        mend = "--layout columns or rows, or a file that ends in .jsonl or .parquet"
        raise InputError("a CSV file cannot hold lists", where=Where(path=str(out)), mend=mend)


def provenance_file(out: Path) -> Path:
    """Where the provenance of negatives in a CSV stands."""
    return out.with_name(f"{out.stem}.provenance.csv")


def suspicious_file(out: Path) -> Path:
    """Where suspicious candidates are listed."""
    return out.with_name(f"{out.stem}.suspicious.csv")


def write_mined(rows: MinedRows, out: Path, *, layout: Layout) -> list[Path]:
    """Write the rows.

    A CSV has the texts alone, and of several positives one a row; the provenance goes into a file
    beside it, line by line.

    Args:
        rows: with their negatives.
        out: its ending chooses the format.
        layout: of the negatives.

    Returns:
        The files.
    """
    tables = _tables(rows, layout)
    if out.suffix == ".csv":
        split = [_split(_exploded(table)) for table in tables]
        for i, path in enumerate((out, provenance_file(out))):
            _write_csv(path, [parts[i] for parts in split])
        return [out, provenance_file(out)]
    fresh = beside(out, ".new")
    if out.suffix == ".parquet":
        first = next(tables)
        with pq.ParquetWriter(fresh, first.schema) as writer:
            for table in (first, *tables):
                writer.write_table(table)
    else:
        with fresh.open("w", encoding="utf-8") as file:
            for table in tables:
                lines = (json.dumps(row, ensure_ascii=False) for row in table.to_pylist())
                file.writelines(f"{line}\n" for line in lines)
    fresh.replace(out)
    return [out]


def suspicious_table(rows: MinedRows, found: Candidates) -> pa.Table:
    """Suspicious candidates for a person to read, the most suspicious first.

    Args:
        rows: that they are candidates of.
        found: [n, C] suspicious candidates alone.

    Returns:
        A line for each: where the row stands, its texts, the candidate, why, and the scores.
    """
    anchors, positives = rows.pairs.texts("anchor"), rows.pairs.text_lists("positive")
    every = range(len(rows.pairs))
    told = {name: values.to_pylist() for name, values in rows.scores(every).items()}
    lines = [
        {
            "row": str(rows.pairs.where(row)),
            "anchor": anchors[row],
            "positive": " | ".join(positives[row]),
            "candidate": one.pop("text"),
            "why": one.pop("suspicious"),
            **one,
            **{name: values[row] for name, values in told.items()},
        }
        for row in every
        for one in describe(found, row, rows.documents, rows.names)
    ]
    texts = ("row", "anchor", "positive", "candidate", "why")
    fields = [(name, FIELDS[name]) for name in ("source", "rank", "score", "cross_score")]
    numbers = [(name, pa.float64()) for name in told]
    schema = pa.schema([*((name, TEXT) for name in texts), *fields, *numbers])
    lines.sort(key=lambda line: line["positive_score"] - line["score"])
    return pa.Table.from_pylist(lines, schema=schema)


def write_suspicious(table: pa.Table, out: Path) -> Path:
    """Write what `suspicious_table` has gathered, beside the output.

    Args:
        table: of suspicious candidates.
        out: the file with the mined rows.
    """
    _write_csv(suspicious_file(out), [table])
    return suspicious_file(out)


def _tables(rows: MinedRows, layout: Layout) -> Iterator[pa.Table]:
    """The rows as they are written, a part of them at a time, all with the same columns."""
    n = len(rows.pairs)
    parts = [range(start, min(start + ROWS, n)) for start in range(0, n, ROWS)]
    own = rows.pairs.text_lists("negative") if "negative" in rows.pairs.roles else [[]] * n
    mined = (rows.chosen.places >= 0).sum(axis=1).tolist()
    width = max(len(before) + more for before, more in zip(own, mined, strict=True))
    for part in parts:
        some = rows.pairs.take(part).only("anchor", "positive").table
        columns = {name: some.column(name) for name in some.column_names} | rows.scores(part)
        lists = rows.negatives(part)
        if layout == "rows":
            # a row without a negative stands once, and has none
            lists = [row or [dict.fromkeys(FIELDS)] for row in lists]
            repeats = np.repeat(np.arange(len(lists)), [len(row) for row in lists])
            columns = {name: column.take(pa.array(repeats)) for name, column in columns.items()}
        for name, kind in rows.fields.items():
            if layout == "columns":
                for i in range(width):
                    cells = [row[i][name] if i < len(row) else None for row in lists]
                    columns[_column(name, i + 1)] = pa.array(cells, kind)
            elif layout == "list":
                several = [[one[name] for one in row] for row in lists]
                columns[_column(name)] = pa.array(several, pa.large_list(kind))
            else:
                columns[_column(name)] = pa.array([one[name] for row in lists for one in row], kind)
        yield pa.table(columns)


def _column(field: str, number: int | None = None) -> str:
    """As in negative_1 and negative_1_source, or negative and negative_source."""
    parts = ("negative", None if number is None else str(number), field)
    return "_".join(part for part in parts if part and part != "text")


def _exploded(table: pa.Table) -> pa.Table:
    """Of several positives one a row."""
    import pyarrow.compute as pc

    column = table.column("positive")
    if not pa.types.is_large_list(column.type):
        return table
    place = table.column_names.index("positive")
    repeated = table.take(pc.list_parent_indices(column))
    return repeated.set_column(place, "positive", pc.list_flatten(column))


def _split(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The texts, and what is told of them."""
    is_text = re.compile(r"anchor|positive|negative(_\d+)?").fullmatch
    texts = [name for name in table.column_names if is_text(name)]
    return table.select(texts), table.drop_columns(texts)


def _write_csv(path: Path, tables: list[pa.Table]) -> None:
    fresh = beside(path, ".new")
    with fresh.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(tables[0].column_names)
        for table in tables:
            writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    fresh.replace(path)
