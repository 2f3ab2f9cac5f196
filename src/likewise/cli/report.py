"""`likewise report`: runs as one page of HTML."""

from pathlib import Path
from typing import Annotated

import typer

from likewise.cli.console import answer, emit_json
from likewise.errors import InputError, Where
from likewise.report import write_page, write_report


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs; several share one page.")],
    out: Annotated[
        Path | None,
        typer.Option(help="The page; report.html in the run's folder, or here for several runs."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the page.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the page's path only.")] = False,
) -> None:
    """Write a run as one self-contained page of HTML, or several runs side by side.

    Example: likewise report runs/first runs/second --out both.html
    """
    if len(runs) == 1 and out is None:
        page = write_report(runs[0])  # the run's own page, made anew
    else:
        page = out or Path("report.html")
        _refuse(page, overwrite=overwrite)
        write_page(runs, page)
    if json:
        emit_json({"report": str(page), "runs": [str(run) for run in runs]})
    else:
        answer(str(page) if quiet else f"report: {page}")


def _refuse(page: Path, *, overwrite: bool) -> None:
    where = Where(path=str(page))
    if page.is_dir():
        raise InputError("is a folder", mend=f"name a file: --out {page}/report.html", where=where)
    if page.exists() and not overwrite:
        mend = "choose another --out, or add --overwrite"
        raise InputError("exists already", mend=mend, where=where)
    if not page.parent.is_dir():
        mend = f"make the folder first: mkdir -p {page.parent}"
        raise InputError("its folder does not exist", mend=mend, where=where)
