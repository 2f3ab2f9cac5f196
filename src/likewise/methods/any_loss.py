"""Any loss by its own name: the recipe is the loss itself, on data that can be read as its kind."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from likewise.data.dataset import Dataset
from likewise.losses.spec import LossSpec
from likewise.methods.conversions import as_kind, with_convertible
from likewise.methods.refusals import refuse_unfit
from likewise.methods.spec import MethodSpec
from likewise.methods.teachers import load_guide, load_vectors_of
from likewise.registry import option_parameters
from likewise.training.fit import Fit
from likewise.training.guide import Guide
from likewise.training.objective import objective_of
from likewise.training.seeding import child_seed, torch_seed

GUIDE_HELP = """guide: a second model, frozen, that embeds the same texts: a folder, minilm,
            hub:ORG/NAME; empty for the base model as it was, of which mse learns nothing."""


def method_of(name: str, spec: LossSpec) -> MethodSpec:
    """The method that trains with a loss and does nothing else.

    Its options are those of the loss, and the guide where the loss has one.

    Args:
        name: of the loss.
        spec: an entry of `LOSSES`.
    """
    return MethodSpec(
        function=_train_with(name, spec),
        kinds=with_convertible(spec.kinds),
        summary=spec.use,
        contrastive=spec.contrastive,
    )


def _train_with(name: str, spec: LossSpec) -> Callable[..., None]:
    def train(fit: Fit[Any], data: Dataset, *, guide: str = "", **options: Any) -> None:
        rows = refuse_unfit(fit, as_kind(fit, data, spec.kinds), spec, method=name)
        judge: Guide | None = None
        if spec.guided and spec.layout == "rows":
            judge = load_vectors_of(fit, guide, rows, method=name)
        elif spec.guided:
            judge = load_guide(fit, guide, method=name)
        head = build_head(fit, rows, spec)
        fit(rows, objective_of(spec, head=head, guide=judge, **options))

    taken = [
        parameter
        for parameter in inspect.signature(train).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
        and (spec.guided or parameter.name != "guide")
    ]
    own = option_parameters(spec.function)
    named: Any = train
    named.__signature__ = inspect.Signature([*taken, *own])
    named.__annotations__ = {p.name: p.annotation for p in (*taken, *own)}
    named.__name__ = f"train_{name.replace('-', '_')}"
    named.__doc__ = _docs(spec, name)
    return train


def build_head(fit: Fit[Any], data: Dataset, spec: LossSpec, **options: Any) -> nn.Module | None:
    """The weights of a loss's own, drawn from the run's seed; None where it has none.

    Args:
        fit: of the encoder, whose width the head takes.
        data: whose labels it tells apart.
        spec: of the loss.
        **options: of the head.
    """
    if spec.head is None:
        return None
    classes = len(np.unique(data.labels())) if "label" in data.roles else 1
    classes = 3 if data.kind == "nli" else max(classes, 2)
    with torch_seed(child_seed(fit.options.seed, "head")):
        return spec.head(fit.encoder.dimensions, classes, **options)


def _docs(spec: LossSpec, name: str) -> str:
    """What a recipe or a help page says: the loss's own words about its options."""
    text = inspect.cleandoc(spec.function.__doc__ or "")
    options = {parameter.name for parameter in option_parameters(spec.function)}
    lines = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text, flags=re.MULTILINE)
    told = [f"    {key}: {words}" for key, words in lines if key in options]
    guide = [f"    {GUIDE_HELP}"] if spec.guided else []
    head = f"Train with the loss {name}: {spec.use} ({spec.paper})."
    return "\n".join([head, "", "Args:", *guide, *told])
