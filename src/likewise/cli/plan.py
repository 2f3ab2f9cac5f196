"""`likewise plan`: what `train` would do with the same options, and what it takes."""

from typing import Any

from likewise.cli.console import answer, emit_json, say
from likewise.cli.options import with_options_of
from likewise.cli.train import ask, train
from likewise.methods.planning import plan_all_stages, plan_run
from likewise.methods.run import Tell

SCHEMA = "likewise.plan/1"


@with_options_of(train)
def plan(*, json: bool, quiet: bool, **given: Any) -> None:
    """Say how long training takes and how much memory, from steps tried out for three seconds.

    The options are those of train; nothing is written.

    Example: likewise plan pairs.csv --base minilm --dev dev.csv --minutes 10
    """
    asked = ask(**{name: value for name, value in given.items() if value is not None})

    def note(text: str) -> None:
        say(f"note: {text}", quiet=quiet)

    tell = Tell(note=note)
    if not asked.has_stages:
        found = plan_run(**asked.arguments, tell=tell)
        if json:
            emit_json({"schema": SCHEMA, **found.to_json()})
            return
        for line in found.lines():
            answer(line)
        return
    del asked.arguments["existing"]
    plans = plan_all_stages(**asked.arguments, tell=tell)
    if json:
        stages = {name: one.to_json() for name, one in plans.items()}
        emit_json({"schema": SCHEMA, "stages": stages})
        return
    for name, one in plans.items():
        for line in one.lines():
            answer(f"{name}: {line}")
