"""What a run will do and take, without making it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import InputError
from likewise.methods.run import Tell, train
from likewise.methods.stage_check import in_stage, plan_stages
from likewise.methods.stage_recipe import PREFIX, build_staged
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.encoder import Encoder
from likewise.training.fit import PROBE_SECONDS
from likewise.training.plan import Plan

# these make what they train on, which takes longer than a plan may
PREPARING = frozenset({"augmented", "distillation", "gpl"})


class _Made(Exception):
    """What ends a run of which the plan alone is wanted."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


def plan_run(
    model: Encoder | CrossEncoder | str,
    data: Dataset | RetrievalSet,
    *,
    tell: Tell | None = None,
    **arguments: Any,
) -> Plan:
    """Say what `train` would do with the same arguments, and what it takes; nothing is written.

    Steps are tried out for three seconds; the model stays as it is. Of a method that trains
    another model first, the training of that one is planned.

    Args:
        model: as for `train`.
        data: rows to train on.
        tell: who is told of notes.
        **arguments: all others of `train`; `out` is looked at only where a run goes on.

    Raises:
        InputError: data or options are wrong; or the method makes its data first.
    """
    method = str(arguments.get("method"))

    def begin() -> None:
        if method in PREPARING:
            problem = f"{method} makes what it trains on first: there is nothing yet to plan with"
            mend = "likewise train says the plan as soon as that is made"
            raise InputError(problem, mend=mend)

    def planned(plan: Plan) -> None:
        raise _Made(plan)

    asked = replace(
        tell or Tell(),
        begin=begin,
        planned=planned,
        plan_only=True,
        probe_seconds=PROBE_SECONDS,
    )
    try:
        train(model, data, tell=asked, **arguments)
    except _Made as made:
        return made.plan
    raise TypeError(f"the method {method} trains nothing")


def plan_all_stages(
    recipe: Mapping[str, Any],
    *,
    out: str | Path,
    allow_leak: bool = False,
    tell: Tell | None = None,
    named: str = "the recipe",
) -> dict[str, Plan]:
    """Plan each stage of a recipe, as if every stage began with the base of the first.

    What a stage learns changes its weights, not how long the next one takes. A stage that is
    taught by the model of another cannot be planned before that is there, and is left out.

    Args:
        recipe: its tables.
        out: folder of the run, which is not touched.
        allow_leak: measure although dev rows stand in the training data.
        tell: who is told of notes.
        named: what errors call the recipe.

    Returns:
        Stage to plan.

    Raises:
        InputError: the recipe or its data is wrong.
    """
    tell = tell or Tell()
    asked = build_staged(recipe, where=named)
    found: dict[str, Plan] = {}
    for one in plan_stages(asked, Path(out), allow_leak=allow_leak, where=named).stages:
        stage = one.stage
        if any(isinstance(v, str) and PREFIX in v for v in stage.options.values()):
            tell.note(f"stage {stage.name}: planned when the stage that teaches it is done")
            continue
        with in_stage(stage.name):
            found[stage.name] = plan_run(
                asked.base if stage.base.startswith(PREFIX) else stage.base,
                one.rows,
                method=stage.method,
                dev=one.dev,
                out=one.folder,
                allow_leak=allow_leak,
                tell=tell,
                **stage.settings({}),
            )
    return found
