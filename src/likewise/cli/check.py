"""`likewise check`: read data, say what it is and what is odd about it, change nothing."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from likewise.cli.console import answer, emit_json, show_table
from likewise.data import read
from likewise.data.checks import CHECKS
from likewise.data.checks.finding import Data, Finding
from likewise.data.clusters import flat_texts
from likewise.data.columns import TextColumn
from likewise.data.dataset import Dataset
from likewise.data.roles import parse_columns
from likewise.data.scales import parse_range
from likewise.errors import InputError
from likewise.progress import progress

PLACES = 3  # rows named beside a finding; --json names twenty


def check(
    data: Annotated[
        list[str],
        typer.Argument(help="Files, BEIR folders, hub:ORG/NAME; folders of cross-encoders."),
    ],
    *,
    kind: Annotated[str | None, typer.Option(help="Kind of the files, if they fit two.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option(help="Bind columns: anchor=title,positive=body.")
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Skip and count bad rows.")] = False,
    score_range: Annotated[str | None, typer.Option(help="Possible scores: 0,5.")] = None,
    split: Annotated[str, typer.Option(help="Judgements of a BEIR folder.")] = "test",
    model: Annotated[
        str | None, typer.Option(help="Count tokens as this model does, and what it would cut.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print what each file is, and warnings only.")
    ] = False,
) -> None:
    """Say what data is: roles, counts, lengths, duplicates, labels, odd rows, leakage, methods.

    Nothing is written. Several files are held against each other: rows of a later one that
    occur in an earlier one leak. Which methods fit plain texts depends on what else is there: a
    file with labels, a cross-encoder.

    Example: likewise check train.csv dev.csv --model minilm
    """
    stated = parse_range(score_range) if score_range else None
    tokenizer = _tokenizer(model) if model else None
    sets: list[Data] = []
    reports: list[dict[str, Any]] = []
    errors: list[InputError] = []
    teachers, files = _split(data)
    with progress("checking", len(files) * (1 + len(CHECKS)), shown=not quiet) as advance:
        for source in files:
            is_folder = not source.startswith("hub:") and Path(source).is_dir()
            rows = read(
                source,
                kind=None if is_folder else kind,
                columns=None if is_folder else parse_columns(columns or ()) or None,
                skip_bad=skip_bad,
                score_range=stated,
                split=split,
            )
            advance(1)
            found = {}
            for name, run in CHECKS.items():
                found[name] = run(rows, sets)
                advance(1)
            sets.append(rows)
            options = "" if is_folder else _options(kind, columns, score_range)
            reports.append(_report(source, rows, found, tokenizer, options))
            errors += [
                InputError(f"{source}: {finding.text}", mend=finding.mend)
                for findings in found.values()
                for finding in findings
                if finding.level == "error"
            ]
    for report, rows in zip(reports, sets, strict=True):
        others = [one for one in sets if one is not rows]
        report |= _advice(rows, others, teachers, report["next"])
    if json:
        emit_json({"schema": "likewise.check/1", "data": reports})
    else:
        for report in reports:
            _print(report, quiet=quiet)
    if errors:
        raise InputError.gather(errors)


def _tokenizer(model: str) -> Any:
    from likewise.models import load

    return load(model).tokenizer


def _options(kind: str | None, columns: Sequence[str] | None, score_range: str | None) -> str:
    """The options that reading took, for the command to type next."""
    parts = ["--kind", kind] if kind else []
    for column in columns or ():
        parts += ["--columns", column]
    parts += ["--score-range", score_range] if score_range else []
    return "".join(f" {shlex.quote(part)}" for part in parts)


def _report(
    source: str, data: Data, found: dict[str, list[Finding]], tokenizer: Any, options: str
) -> dict[str, Any]:
    """All there is to say about one data set, as JSON values."""
    return {
        "source": source,
        "kind": data.kind,
        "rows": len(data),
        "documents": None if isinstance(data, Dataset) else len(data.documents),
        "roles": _roles(data),
        "score_range": data.score_range if isinstance(data, Dataset) else None,
        "notes": [asdict(note) for note in data.notes],
        "findings": [
            {
                "check": name,
                "level": finding.level,
                "text": finding.text,
                "count": finding.count,
                "rows": [str(place) for place in finding.rows],
                "mend": finding.mend,
                "facts": dict(finding.facts),
            }
            for name, findings in found.items()
            for finding in findings
        ],
        "tokens": _tokens(data, tokenizer) if tokenizer is not None else None,
        "next": _next(source, data, options),
    }


def _roles(data: Data) -> dict[str, dict[str, Any]]:
    """Role to its column in the file, the type of its values, and an example."""
    if not isinstance(data, Dataset):
        texts = {"query": data.queries, "document": data.documents}
        return {role: {"column": "text", "example": t[0]} for role, t in texts.items()}
    first = data.table.slice(0, 1).to_pylist()[0]
    return {
        role: {"column": data.columns.get(role, role), "example": first[role]}
        for role in data.roles
    }


def _tokens(data: Data, tokenizer: Any) -> dict[str, Any]:
    from likewise.text.audit import audit

    counted = {}
    for role, texts in _role_texts(data):
        result = audit(texts, tokenizer)
        counted[role] = {**asdict(result), "text": f"{role}: {result}"}
    return counted


def _role_texts(data: Data) -> Iterator[tuple[str, Sequence[str]]]:
    if isinstance(data, Dataset):
        for role in data.text_roles():
            yield role, TextColumn(flat_texts(data.table.column(role)))
    else:
        yield from (("query", data.queries), ("document", data.documents))


def _split(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Folders of cross-encoders, and everything else, which is data."""
    from likewise.models.cross_encoder import is_cross_encoder

    def is_model(source: str) -> bool:
        return Path(source).is_dir() and is_cross_encoder(source)

    teachers = [source for source in given if is_model(source)]
    files = [source for source in given if source not in teachers]
    if not files:
        raise InputError(f"{teachers[0]} is a model, and no data is named", mend="name a file")
    return teachers, files


def _advice(
    data: Data, others: Sequence[Data], teachers: Sequence[str], command: str
) -> dict[str, Any]:
    """The methods that fit, the best first, and why."""
    from likewise.methods.advice import advise

    advice = advise(data, others, cross_encoders=teachers)
    fitting = _methods("texts" if data.kind == "retrieval" else data.kind)
    first = [choice.method for choice in advice.choices if choice.method in fitting]
    if data.kind == "retrieval":
        fitting = first
    if advice.first is not None and data.kind == "texts":
        command = f"{command} --method {advice.first.method} {advice.first.options}".strip()
    return {
        "methods": list(dict.fromkeys([*first, *fitting])),
        "facts": advice.facts,
        "advice": [asdict(choice) for choice in advice.choices if choice.method in fitting],
        "next": command,
    }


def _methods(kind: str) -> list[str]:
    from likewise.methods.table import METHODS

    return [name for name, spec in METHODS.items() if kind in spec.kinds]


def _next(source: str, data: Data, options: str) -> str:
    """The command to type next."""
    if _methods(data.kind):
        return f"likewise train {shlex.quote(source)}{options}"
    return f"likewise eval minilm --on {shlex.quote(source)}{options}"


def _print(report: dict[str, Any], *, quiet: bool) -> None:
    """Write one report for a person."""
    size = f"{report['rows']:,} rows"
    if report["documents"] is not None:
        size = f"{report['rows']:,} queries, {report['documents']:,} documents"
    answer(f"{report['source']}: {report['kind']}, {size}")
    if not quiet:
        rows = [(r, v["column"], _short(v["example"])) for r, v in report["roles"].items()]
        show_table("", ("role", "column", "first row"), rows)
        for note in report["notes"]:
            answer("  " + (f"{note['count']:,} {note['text']}" if note["count"] else note["text"]))
        for counted in (report["tokens"] or {}).values():
            answer(f"  {counted['text']}")
    for finding in report["findings"]:
        if finding["level"] != "note":
            _print_warning(finding, report["source"])
        elif not quiet and not (finding["check"] == "lengths" and report["tokens"]):
            answer(f"  {finding['text']}")
    if not quiet:
        _print_methods(report)
        answer("")


def _print_warning(finding: dict[str, Any], source: str) -> None:
    answer(f"  {finding['level']}: {finding['text']}")
    if finding["rows"]:
        places = "; ".join(row.removeprefix(f"{source}, ") for row in finding["rows"][:PLACES])
        answer(f"    at {places}{'; …' if finding['count'] > PLACES else ''}")
    answer(f"    To mend: {finding['mend']}")


def _print_methods(report: dict[str, Any]) -> None:
    """Write which methods fit, and what to type next."""
    if report["kind"] == "retrieval":
        answer(f"  to measure on; next: {report['next']}")
    if report["facts"]:
        what = "its corpus" if report["kind"] == "retrieval" else "to learn from"
        answer(f"  {what}: {report['facts']}; what fits, the best first:")
    for one in report["advice"] if report["facts"] else ():
        needs = f"; needs {one['needs']}" if one["needs"] else ""
        options = f"; {one['options']}" if one["options"] else ""
        answer(f"    {one['method']}: {one['reason']}{options}{needs}")
    if report["kind"] != "retrieval":
        why = next((one["reason"] for one in report["advice"]), "")
        said = f" ({report['methods'][0]}: {why})" if why and not report["facts"] else ""
        answer(f"  methods that fit: {', '.join(report['methods'])}{said}; next: {report['next']}")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else f"{flat[:59]}…"
