"""Choose a method by the data."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.methods.spec import MethodSpec
from likewise.registry import Table

# Of the methods that fit a kind, the one to try first; not yet a measured ranking
BEST: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pairs": "mnr",
        "nli": "mnr",
        "scored": "cosine",
        "pair-labels": "online-contrastive",
        "labelled": "mnr",
        "distilled": "distillation",
    }
)
SHOWN = 6  # methods that an error offers
NEED_MORE: Final = frozenset({"texts"})


def choose_method(name: str, data: Dataset, methods: Table[MethodSpec]) -> str:
    """The method named, or the first that suits the data best.

    Args:
        name: of a method, or "auto".
        data: to be trained on.
        methods: the table to choose from.

    Raises:
        InputError: there is no such method, or it does not take this kind of data.
    """
    fitting = [key for key, spec in methods.items() if data.kind in spec.kinds]
    if name == "auto" and data.kind in BEST:
        return BEST[data.kind]
    if name == "auto":
        if data.kind in NEED_MORE:
            problem = f"what to train on {data.kind} data is not a matter of the data alone"
            mend = f"choose with --method: {', '.join(fitting)}; each needs a teacher or a guide"
            raise InputError(problem, mend=mend)
        if fitting:
            return next((key for key in fitting if methods[key].kinds[0] == data.kind), fitting[0])
        kinds = sorted({kind for spec in methods.values() for kind in spec.kinds})
        problem = f"no method trains on {data.kind} data yet"
        raise InputError(problem, mend=f"give data of one of these kinds: {', '.join(kinds)}")
    spec = methods.pick(name, what="method")
    if data.kind not in spec.kinds:
        problem = f"the method {name} takes {' or '.join(spec.kinds)} data, found {data.kind}"
        few = ", ".join(fitting[:SHOWN]) + (" and others" if len(fitting) > SHOWN else "")
        mend = f"use --method with one of: {few}" if fitting else "give other data"
        raise InputError(problem, mend=mend)
    return name
