"""From what a user asked for to a recipe in which everything is decided."""

import difflib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.derive import corpus_to_texts
from likewise.errors import InputError
from likewise.methods.auto import choose_method
from likewise.methods.recipe import Recipe, build_recipe, resolve_options
from likewise.methods.table import METHODS
from likewise.training.options import TrainingOptions
from likewise.training.run_folder import short_list


def name_of(dev: Dataset | RetrievalSet | str | Path | None) -> str | None:
    """How a recipe names the dev data."""
    if isinstance(dev, RetrievalSet):
        return dev.name
    if isinstance(dev, Dataset):
        return ", ".join(short_list(dev.sources))
    return None if dev is None else str(dev)


def settle(
    data: Dataset,
    dev: str | None,
    base: str,
    method: str,
    settings: Mapping[str, Any],
) -> Recipe:
    """Sort settings into those of the loop and those of the method, and check both.

    Args:
        data: to be trained on.
        dev: the dev data's name.
        base: the model's name.
        method: a name in `METHODS`, or "auto".
        settings: any of `TrainingOptions`, or an option of the method, by name.

    Raises:
        InputError: an unknown method or setting, a wrong value, or data that the method cannot
            take.
    """
    known = {field.name for field in fields(TrainingOptions)}
    name = choose_method(method, data, METHODS)
    own = {key: value for key, value in settings.items() if key not in known}
    _refuse_unknown(own, known, name)
    return build_recipe(
        {
            "data": short_list(data.sources),
            "base": base,
            "method": name,
            "dev": dev,
            "training": {
                **METHODS[name].training,
                **{key: value for key, value in settings.items() if key in known},
            },
            "options": resolve_options(name, own),
        }
    )


def _refuse_unknown(own: Mapping[str, Any], known: set[str], method: str) -> None:
    """A setting that neither the loop nor the method has; the nearest of both are offered."""
    options = resolve_options(method, {})
    for key in own:
        if key not in options:
            near = difflib.get_close_matches(key, [*known, *options], n=3, cutoff=0.5)
            problem = f'neither training nor the method {method} has an option "{key}"'
            offer = near or [*options, *sorted(known)]
            raise InputError(problem, mend=f"it may be: {', '.join(offer)}")


def rows_to_train(data: Dataset | RetrievalSet, method: str) -> Dataset:
    """The rows themselves; of a retrieval set the corpus, for a method that learns from texts.

    What the set is measured by stays out of it.

    Args:
        data: as it was read.
        method: a name in `METHODS`, or "auto".

    Raises:
        InputError: a retrieval set, and a method for something else.
    """
    if isinstance(data, Dataset):
        return data
    if method != "auto" and "texts" in METHODS.pick(method, what="method").kinds:
        return corpus_to_texts(data)
    problem = f"{data.name} is a retrieval set: it can be measured on, not trained on"
    mend = "give pairs to train on, and this with --dev; or learn from its corpus: --method gpl"
    raise InputError(problem, mend=mend)
