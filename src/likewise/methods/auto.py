"""Choose a method by the data."""

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.methods.advice import advise
from likewise.methods.spec import MethodSpec
from likewise.registry import Table

SHOWN = 6  # methods that an error offers


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
    if name == "auto":
        first = advise(data).first
        if first is not None:
            return first.method
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


def why_chosen(data: Dataset) -> str:
    """What `auto` chose and what that rests on, in a sentence; empty where nothing is known.

    Args:
        data: to be trained on.
    """
    advice = advise(data)
    if advice.first is None:
        return ""
    facts = f"{advice.facts}; " if advice.facts else ""
    return f"the method is {advice.first.method}: {facts}{advice.first.reason}"
