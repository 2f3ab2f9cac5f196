"""`likewise encode`: texts to vectors on disk, or with a cross-encoder pairs to scores."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from likewise.cli.console import answer, emit_json, say
from likewise.cli.options import as_paths
from likewise.data import read
from likewise.data.dataset import Dataset
from likewise.data.roles import parse_columns
from likewise.errors import InputError
from likewise.models import load
from likewise.models.cross_encoder import CrossEncoder, is_cross_encoder, load_cross_encoder
from likewise.models.encoder import Encoder
from likewise.models.int8 import INT8, loss_of_quality
from likewise.models.scores_file import ScoredFile, score_to_file
from likewise.models.vectors_file import EncodedFile, encode_to_file

LOOKED_AT = 256  # texts on which the loss of int8 is measured

Done = TypeVar("Done", EncodedFile, ScoredFile)


def encode(
    model: Annotated[
        str, typer.Argument(help="A folder, minilm, hub:ORG/NAME, static:FILE, mean:MODEL.")
    ],
    data: Annotated[
        list[str],
        typer.Argument(help="Texts: .txt, or a file with a text column; pairs of a cross-encoder."),
    ],
    out: Annotated[Path, typer.Option(help="Where the result goes: .npy or .parquet.")],
    column: Annotated[
        str | None, typer.Option(help="Role or column to encode; text by default.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Kind of the pairs, if they fit two.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option(help="Bind columns of pairs: anchor=title,positive=body.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="A prompt's name, or its own text.")] = None,
    precision: Annotated[str, typer.Option(help="auto, float32, bfloat16, int8.")] = "auto",
    dimensions: Annotated[int | None, typer.Option(help="Keep only the first so many.")] = None,
    normalize: Annotated[bool, typer.Option("--normalize", help="Scale to length 1.")] = False,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic",
            help="Each vector the same bit for bit whatever else is encoded: slower.",
        ),
    ] = False,
    activation: Annotated[
        str | None, typer.Option(help="Of a cross-encoder: sigmoid, identity, softmax.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --out.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result only.")] = False,
) -> None:
    """Encode texts into vectors, in the order of the input; an interrupted run goes on.

    A cross-encoder scores pairs instead: the first two texts of each row.

    Example: likewise encode minilm texts.txt --out vectors.npy
    """
    common: dict[str, Any] = {
        "precision": precision,
        "overwrite": overwrite,
        "progress": not quiet,
    }
    if is_cross_encoder(model):
        only = {"--column": column, "--prompt": prompt, "--dimensions": dimensions}
        flags = {"--normalize": normalize or None, "--deterministic": deterministic or None}
        _refuse({**only, **flags}, "an embedding model", model)
        pairs = _pairs(data, kind, columns, quiet=quiet)
        cross = load_cross_encoder(model, device=device)
        scored = _going_on(
            cross, quiet, lambda: score_to_file(cross, pairs, out, activation=activation, **common)
        )
        classes = f" of {scored.classes} classes" if scored.classes > 1 else ""
        _finish(scored, f"{scored.rows:,} scores{classes} in {out}", "pairs", json=json)
        return
    _refuse(
        {"--kind": kind, "--columns": columns, "--activation": activation}, "a cross-encoder", model
    )
    texts = _texts(data, column)
    encoder = load(model, device=device)
    options = {"prompt": prompt, "dimensions": dimensions, "normalize": normalize, **common}
    if deterministic:  # named only then: a draft of before goes on
        options["deterministic"] = True
    encoded = _going_on(encoder, quiet, lambda: encode_to_file(encoder, texts, out, **options))
    said = f"{encoded.rows:,} vectors of {encoded.dimensions} dimensions in {out}"
    lost = _tell_loss(encoder, texts, prompt, quiet=quiet) if precision == INT8 else {}
    _finish(encoded, said, "texts", json=json, **lost)


def _tell_loss(
    encoder: Encoder, texts: list[str], prompt: str | None, *, quiet: bool
) -> dict[str, float]:
    """What int8 costs on some of the texts, evenly spread."""
    some = texts[:: max(len(texts) // LOOKED_AT, 1)][:LOOKED_AT]
    exact, found = (encoder.encode(some, prompt=prompt, precision=p) for p in ("float32", INT8))
    mean, lowest = loss_of_quality(exact, found)
    said = f"int8 against float32 on {len(some)} of the texts: mean cosine {mean:.5f}"
    say(f"note: {said}, the lowest {lowest:.5f}", quiet=quiet)
    return {"int8_mean_cosine": mean, "int8_lowest_cosine": lowest}


def _going_on(model: Encoder | CrossEncoder, quiet: bool, work: Callable[[], Done]) -> Done:
    """Do the work, and say what the model has to say and what was cut."""
    for note in model.notes:
        say(f"note: {note}", quiet=quiet)
    try:
        done = work()
    except KeyboardInterrupt:
        say("interrupted; to go on from what is done: the same command again")
        raise
    if done.cut:
        unit = "texts" if isinstance(model, Encoder) else "pairs"
        said = f"{done.cut:,} of {done.rows:,} {unit} are over {model.max_tokens} tokens"
        say(f"note: {said} and were cut", quiet=quiet)
    return done


def _finish(
    done: EncodedFile | ScoredFile, said: str, unit: str, *, json: bool, **more: float
) -> None:
    if json:
        emit_json({**done.to_json(), **more})
    else:
        answer(f"{said} ({done.rows / max(done.seconds, 1e-9):,.0f} {unit}/s)")


def _texts(data: list[str], column: str | None) -> list[str]:
    rows = read(
        as_paths(data),
        kind="texts" if column is not None else None,
        columns=parse_columns([f"text={column}"]) if column is not None else None,
    )
    if not isinstance(rows, Dataset) or "text" not in rows.roles:
        mend = "name the column with the texts: --column NAME"
        raise InputError(f"{data[0]} has no text column", mend=mend)
    return rows.texts("text")


def _pairs(
    data: list[str], kind: str | None, columns: list[str] | None, *, quiet: bool
) -> list[tuple[str, str]]:
    """The first two texts of every row; of several positives the first."""
    rows = read(as_paths(data), kind=kind, columns=parse_columns(columns or []) or None)
    if not isinstance(rows, Dataset) or len(rows.text_roles()) < 2:
        problem = f"{data[0]} has no pairs of texts, and a cross-encoder scores pairs"
        mend = "name the columns of the two: --columns anchor=NAME,positive=NAME"
        raise InputError(problem, mend=mend)
    first, second = (rows.text_lists(role) for role in rows.text_roles()[:2])
    more = sum(len(texts) > 1 for texts in second)
    if more:
        say(f"note: {more:,} rows have several second texts: the first is scored", quiet=quiet)
    return [(a[0], b[0]) for a, b in zip(first, second, strict=True)]


def _refuse(options: Mapping[str, object], owner: str, model: str) -> None:
    """Refuse options that belong to the other sort of model."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        problem = f"{', '.join(given)}: only {owner} takes this, and {model} is another model"
        raise InputError(problem, mend=f"leave out {' and '.join(given)}")
