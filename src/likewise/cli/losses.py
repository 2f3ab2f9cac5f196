"""`likewise losses`: every loss, and when to use it; or the options of one."""

from dataclasses import asdict
from typing import Annotated

import typer

from likewise.cli.console import answer, emit_json, program, show_table
from likewise.losses.listing import LossFacts, describe_loss, list_losses


def losses(
    name: Annotated[str | None, typer.Argument(help="One of them, to see its options.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print names only: of losses, or of options.")
    ] = False,
) -> None:
    """List the losses: what data each takes, when to use it, and where it comes from.

    Each is a method by its own name: likewise train pairs.csv --method cosent.

    Example: likewise losses triplet
    """
    found = list_losses() if name is None else [describe_loss(name)]
    if json:
        shown = [asdict(facts) for facts in found]
        emit_json({"losses": shown} if name is None else shown[0])
    elif quiet:
        names = found if name is None else found[0].options
        for one in names:
            answer(one.name)
    elif name is None:
        rows = [(facts.name, facts.data, facts.use, facts.paper) for facts in found]
        show_table("losses", ["name", "data", "use", "paper"], rows, n_left=4)
    else:
        _show(found[0])


def _show(facts: LossFacts) -> None:
    """One loss: what it is, and its options with their defaults."""
    answer(f"{facts.name}: {facts.use}")
    answer(facts.formula)
    answer(f"data:  {facts.data}")
    answer(f"paper: {facts.paper}")
    if facts.options:
        rows = [(o.name, o.written_default, o.values, o.meaning) for o in facts.options]
        show_table("options", ["name", "default", "values", "meaning"], rows, n_left=4)
    shown = next((o for o in facts.options if o.default is not None), None)
    example = "" if shown is None else f" --set {shown.name}={shown.written_default}"
    answer(f"next:  {program()} train DATA --method {facts.name}{example}")
