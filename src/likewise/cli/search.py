"""`likewise search`: find texts by a question, with any model."""

from pathlib import Path
from typing import Annotated

import typer

from likewise.cli.console import answer, emit_json, say
from likewise.data import read
from likewise.data.dataset import Dataset
from likewise.data.readers import READERS
from likewise.data.roles import parse_columns
from likewise.errors import InputError, Where
from likewise.mining.neighbours import search_cosine
from likewise.models import load

SHOWN_LINES = 3


def search(
    model: Annotated[
        str, typer.Argument(help="A folder, minilm, hub:ORG/NAME, static:FILE, mean:MODEL.")
    ],
    question: Annotated[str, typer.Argument(help="What to look for, in plain words.")],
    data: Annotated[str, typer.Option("--in", help="Texts to look in: a file or BEIR folder.")],
    top: Annotated[int, typer.Option(help="How many to show.", min=1)] = 5,
    column: Annotated[str, typer.Option(help="Column that holds the texts.")] = "text",
    show: Annotated[
        str | None, typer.Option(help="Column that names each text; its row if none.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result only.")] = False,
) -> None:
    """Find the texts nearest to a question.

    Example: likewise search likewise-demo/model "read a file line by line" --in functions.jsonl
    """
    names, texts = _texts(data, column, show)
    encoder = load(model)
    cut = encoder.count_cut(texts)
    if cut:
        said = f"{cut:,} of {len(texts):,} texts are over {encoder.max_tokens} tokens and were cut"
        say(f"note: {said}", quiet=quiet)
    prompts = encoder.prompts
    asked = encoder.encode([question], prompt="query" if "query" in prompts else None)
    found = encoder.encode(
        texts, prompt="document" if "document" in prompts else None, progress=not quiet
    )
    ranking = search_cosine(asked, found, depth=min(top, len(texts)))
    best = list(zip(ranking.positions[0].tolist(), ranking.scores[0].tolist(), strict=True))
    if json:
        hits = [{"name": names[i], "cosine": cosine, "text": texts[i]} for i, cosine in best]
        emit_json({"schema": "likewise.search/1", "question": question, "results": hits})
        return
    for i, cosine in best:
        answer(f"{cosine:.3f}  {names[i]}")
        for line in texts[i].splitlines()[:SHOWN_LINES]:
            answer(f"       {line[:100]}")


def _texts(data: str, column: str, show: str | None) -> tuple[list[str], list[str]]:
    """Names and texts, each text once."""
    rows = (
        read(data, kind="texts", columns=parse_columns([f"text={column}"]))
        if (not Path(data).is_dir())
        else read(data)
    )
    if not isinstance(rows, Dataset):
        return list(rows.document_ids), list(rows.documents)
    texts = rows.texts("text")
    if show is None:
        return [str(rows.where(i)) for i in range(len(rows))], texts
    path = Path(data)
    ending = next((e for e in READERS if path.name.removesuffix(".gz").endswith(e)), None)
    if ending is None:
        mend = "leave --show out"
        raise InputError("has no columns to show", where=Where(path=data), mend=mend)
    names = {
        where.row: record.get(show)
        for where, record in READERS[ending](path)
        if not isinstance(record, InputError)
    }
    if all(name is None for name in names.values()):
        where = Where(path=data, column=show)
        raise InputError("there is no such column", where=where, mend="name another with --show")
    return [str(names.get(int(rows.row[i]))) for i in range(len(rows))], texts
