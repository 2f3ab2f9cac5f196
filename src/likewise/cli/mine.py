"""`likewise mine`: negatives for pairs, as it is typed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from likewise.cli.console import answer, emit_json, program, say
from likewise.cli.options import as_paths, with_fields
from likewise.data import read
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.roles import parse_columns
from likewise.mining.mined import mine as mine_negatives
from likewise.mining.options import MiningOptions


@with_fields(MiningOptions)
def mine(
    model: Annotated[
        str, typer.Argument(help="A folder, minilm, hub:ORG/NAME, static:FILE, mean:MODEL.")
    ],
    data: Annotated[
        list[str],
        typer.Argument(help="Pairs, labelled pairs, NLI rows, or a BEIR folder."),
    ],
    *,
    out: Annotated[Path, typer.Option(help="Rows to train on: .jsonl, .parquet or .csv.")],
    corpus: Annotated[
        list[str] | None, typer.Option(help="More texts to mine from: a file or a BEIR folder.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Kind of the data, if it fits two.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option(help="Bind columns: anchor=title,positive=body.")
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Skip and count bad rows.")] = False,
    split: Annotated[str, typer.Option(help="Judgements of a BEIR folder.")] = "train",
    work: Annotated[
        Path | None,
        typer.Option(help="Keep vectors, rankings and scores in this folder for other runs."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result only.")] = False,
    **settings: Any,
) -> None:
    """Find negatives for every pair: hard, semi-hard or easy ones, none known to be right.

    The documents are the positives of all rows and what --corpus adds. An interrupted run goes
    on: the same command again.

    Example: likewise mine minilm pairs.csv --out mined.jsonl --negatives 3
    """
    rows = read(
        as_paths(data),
        kind=kind,
        columns=parse_columns(columns or ()) or None,
        skip_bad=skip_bad,
        split=split,
    )
    further = [text for one in corpus or () for text in _documents(one)]
    try:
        found = mine_negatives(
            model,
            rows,
            out=out,
            corpus=further,
            work=work,
            overwrite=overwrite,
            progress=not quiet,
            **settings,
        )
    except KeyboardInterrupt:
        say("interrupted; to go on from what is done: the same command again")
        raise
    if json:
        emit_json(found.to_json())
        return
    for note in found.notes:
        say(str(note), quiet=quiet)
    counts = found.counts
    answer(f"{counts['negatives']:,} negatives for {counts['rows']:,} rows in {out}")
    for other in found.files[1:]:
        answer(f"beside it: {other}")
    say(f"to train on it: {program()} train {out} --method mnr --out runs/mined", quiet=quiet)


def _documents(name: str) -> list[str]:
    """All texts of a file, or the corpus of a BEIR folder."""
    found: Dataset | RetrievalSet = read(name)
    return found.all_texts() if isinstance(found, Dataset) else list(found.documents)
