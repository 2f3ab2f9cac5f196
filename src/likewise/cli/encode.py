"""`likewise encode`: texts to vectors on disk."""

from pathlib import Path
from typing import Annotated

import typer

from likewise.cli.console import answer, emit_json, say
from likewise.cli.options import as_paths
from likewise.data import read
from likewise.data.dataset import Dataset
from likewise.data.roles import parse_columns
from likewise.errors import InputError
from likewise.models import load
from likewise.models.vectors_file import encode_to_file


def encode(
    model: Annotated[str, typer.Argument(help="A folder, minilm, hub:ORG/NAME.")],
    data: Annotated[list[str], typer.Argument(help="Texts: .txt, or a file with a text column.")],
    out: Annotated[Path, typer.Option(help="Where the vectors go: .npy or .parquet.")],
    column: Annotated[
        str | None, typer.Option(help="Role or column to encode; text by default.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="A prompt's name, or its own text.")] = None,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    dimensions: Annotated[int | None, typer.Option(help="Keep only the first so many.")] = None,
    normalize: Annotated[bool, typer.Option("--normalize", help="Scale to length 1.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --out.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result only.")] = False,
) -> None:
    """Encode texts into vectors, in the order of the input; an interrupted run goes on.

    Example: likewise encode minilm texts.txt --out vectors.npy
    """
    rows = read(
        as_paths(data),
        kind="texts" if column is not None else None,
        columns=parse_columns([f"text={column}"]) if column is not None else None,
    )
    if not isinstance(rows, Dataset) or "text" not in rows.roles:
        mend = "name the column with the texts: --column NAME"
        raise InputError(f"{data[0]} has no text column", mend=mend)
    encoder = load(model, device=device)
    for note in encoder.notes:
        say(f"note: {note}", quiet=quiet)
    try:
        done = encode_to_file(
            encoder,
            rows.texts("text"),
            out,
            prompt=prompt,
            precision=precision,
            dimensions=dimensions,
            normalize=normalize,
            overwrite=overwrite,
            progress=not quiet,
        )
    except KeyboardInterrupt:
        say("interrupted; to go on from what is done: the same command again")
        raise
    if done.cut:
        said = (
            f"{done.cut:,} of {done.rows:,} texts are over {encoder.max_tokens} tokens and were cut"
        )
        say(f"note: {said}", quiet=quiet)
    if json:
        emit_json(done.to_json())
    else:
        speed = f"{done.rows / max(done.seconds, 1e-9):,.0f} texts/s"
        answer(f"{done.rows:,} vectors of {done.dimensions} dimensions in {out} ({speed})")
