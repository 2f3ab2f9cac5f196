"""The table of a comparison, and its file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from likewise.errors import InputError, Where
from likewise.evaluation.comparison import compare as differences_of
from likewise.evaluation.differences import correct_for_many, paired_difference, verdict
from likewise.evaluation.result import Difference, Evaluation, Result, Verdict
from likewise.evaluation.schema import difference_to_json
from likewise.evaluation.schema import from_json as evaluation_from_json
from likewise.evaluation.schema import to_json as evaluation_to_json

SCHEMA = "likewise.comparison/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the table.

    Attributes:
        name: of the row.
        base: the model that it starts from.
        labels: labels of people that it learned from.
        rows: that it trained on.
        seeds: runs behind it that finished.
        seconds: of one run, the mean.
        problem: why it has no score, or fewer seeds than asked; "" where all went well.
        reference: a figure from elsewhere.
    """

    name: str
    base: str
    labels: int
    rows: int
    seeds: int
    seconds: float
    problem: str = ""
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All rows on the same data.

    Attributes:
        lines: in the order that was asked for.
        evaluation: results of plain baseline, untouched base models and rows, by name.
        against_first: row to its difference from the first row that has a score.
        against_above: row to its difference from the nearest one above it that has one.
        against_base: row to its difference from the model that it starts from.
    """

    lines: tuple[Line, ...]
    evaluation: Evaluation
    against_first: dict[str, Difference]
    against_above: dict[str, Difference]
    against_base: dict[str, Difference]

    def result(self, name: str) -> Result | None:
        """What a model or a row scored; None where it has no score."""
        found = [result for result in self.evaluation.results if result.model == name]
        return found[0] if found else None

    def judged(self, name: str) -> Difference | None:
        """The difference from the first row; of the first row itself, from its base."""
        return self.against_first.get(name) or self.against_base.get(name)

    def verdict_of(self, name: str) -> Verdict | None:
        """By the `judged` difference; None where there is none."""
        difference = self.judged(name)
        return None if difference is None else verdict(difference)

    @property
    def is_corrected(self) -> bool:
        """Whether the table has several differences, so that p-values are corrected for them."""
        columns = (self.against_first, self.against_above, self.against_base)
        return any(one.p_holm is not None for column in columns for one in column.values())


def lay_out(lines: Sequence[Line], rows: dict[str, Result], others: Sequence[Result]) -> Comparison:
    """Put rows and what they are compared with side by side.

    All differences that the table shows are one family, whose p-values are corrected together: a
    pair of models that stands in two of its columns counts once.

    Args:
        lines: in the order of the table.
        rows: row to its result; those without a score are not there.
        others: a plain baseline, and the untouched base models, by their names.
    """
    ordered = [rows[line.name] for line in lines if line.name in rows]
    results = (*others, *ordered)
    bases = {result.model: result for result in others}
    above, first, base = {}, {}, {}
    for before, own in pairwise(ordered):
        above[own.model], first[own.model] = before, ordered[0]
    for line in lines:
        if line.name in rows and line.base in bases:
            base[line.name] = bases[line.base]
    against_above, against_first, against_base = _differences(rows, (above, first, base))
    last = verdict(against_first[ordered[-1].model]) if len(ordered) > 1 else None
    differences = differences_of(results) if results else ()
    return Comparison(
        lines=tuple(lines),
        evaluation=Evaluation(results=results, differences=differences, verdict=last),
        against_first=against_first,
        against_above=against_above,
        against_base=against_base,
    )


def to_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain values."""
    return {
        "schema": SCHEMA,
        "rows": [
            {
                "name": line.name,
                "base": line.base,
                "labels": line.labels,
                "training_rows": line.rows,
                "seeds": line.seeds,
                "seconds": line.seconds,
                "problem": line.problem or None,
                "reference": line.reference or None,
                "verdict": comparison.verdict_of(line.name),
                "against_first": _plain(comparison.against_first.get(line.name)),
                "against_above": _plain(comparison.against_above.get(line.name)),
                "against_base": _plain(comparison.against_base.get(line.name)),
            }
            for line in comparison.lines
        ],
        "evaluation": evaluation_to_json(comparison.evaluation),
    }


def from_json(value: Any, *, where: Where | None = None) -> Comparison:
    """Read what `to_json` made; its results have no draws.

    Raises:
        InputError: another schema, or a part is missing.
    """
    mend = "give a comparison.json that `likewise compare` wrote"
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise InputError(f'expected the schema "{SCHEMA}"', mend=mend, where=where)
    try:
        rows = value["rows"]
        return Comparison(
            lines=tuple(
                Line(
                    name=row["name"],
                    base=row["base"],
                    labels=row["labels"],
                    rows=row["training_rows"],
                    seeds=row["seeds"],
                    seconds=row["seconds"],
                    problem=row["problem"] or "",
                    reference=row["reference"] or "",
                )
                for row in rows
            ),
            evaluation=evaluation_from_json(value["evaluation"], where=where),
            **{
                key: {row["name"]: Difference(**row[key]) for row in rows if row[key]}
                for key in ("against_first", "against_above", "against_base")
            },
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"a part is missing: {error}", mend=mend, where=where) from error


def write_comparison(comparison: Comparison, path: Path) -> None:
    """Write `comparison.json`, whole or not at all."""
    text = json.dumps(to_json(comparison), ensure_ascii=False, indent=2) + "\n"
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def read_comparison(path: Path) -> Comparison:
    """Read `comparison.json`.

    Raises:
        InputError: no such file, not JSON, or no comparison.
    """
    where = Where(path=str(path))
    mend = "give a folder that `likewise compare` wrote"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("no such file", mend=mend, where=where) from error
    except ValueError as error:
        raise InputError(f"not JSON: {error}", mend=mend, where=where) from error
    return from_json(value, where=where)


def _differences(
    rows: Mapping[str, Result], columns: Sequence[Mapping[str, Result]]
) -> list[dict[str, Difference]]:
    """Each row's difference from what it is held against in each column, as one family."""
    pairs = {(name, other.model): other for column in columns for name, other in column.items()}
    found = [
        paired_difference(rows[name], other, rows[name].primary)
        for (name, _), other in pairs.items()
    ]
    of = dict(zip(pairs, correct_for_many(found), strict=True))
    return [{name: of[name, other.model] for name, other in column.items()} for column in columns]


def _plain(difference: Difference | None) -> dict[str, Any] | None:
    return None if difference is None else difference_to_json(difference)
