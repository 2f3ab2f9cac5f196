"""Named tables, what other packages add to them, and options read from signatures."""

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from likewise.errors import InputError

T = TypeVar("T")
S = TypeVar("S")

# Limits that a signature states and `check_options` holds a user's value to
Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count: TypeAlias = Annotated[int, Field(ge=1)]


class Table(Mapping[str, T], Generic[T]):
    """A plain literal of named things, which other packages extend through entry points.

    A package adds to `Table("likewise.losses", {...})` with
    `[project.entry-points."likewise.losses"]` and a line `name = "module:attribute"`.
    Its own names win: a plug-in never replaces what Likewise ships.
    """

    def __init__(
        self,
        group: str,
        own: Mapping[str, T],
        *,
        derived: tuple[Mapping[str, S], Callable[[str, S], T]] | None = None,
    ) -> None:
        """Name the entry-point group and list what Likewise itself brings.

        Args:
            group: of entry points.
            own: what stands here.
            derived: another table, and what makes an entry of this one from each of its names
                that is not here: a method from every loss.
        """
        self.group = group
        self._own = dict(own)
        self._derived = derived

    def __getitem__(self, name: str) -> T:
        if name in self._own:
            return self._own[name]
        for point in entry_points(group=self.group, name=name):
            loaded: T = point.load()
            return loaded
        if self._derived is not None and name in self._derived[0]:
            source, make = self._derived
            return make(name, source[name])
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        derived = () if self._derived is None else self._derived[0]
        own = dict.fromkeys((*self._own, *derived))
        yield from own
        yield from sorted({p.name for p in entry_points(group=self.group)} - own.keys())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def pick(self, name: str, *, what: str) -> T:
        """The entry of that name, or an error that offers the nearest ones.

        Args:
            name: as the user wrote it.
            what: what the table holds, in the singular, for the error.

        Raises:
            InputError: there is no such entry.
        """
        if name in self:
            return self[name]
        near = difflib.get_close_matches(name, self, n=3, cutoff=0.5)
        offer = ", ".join(near) if near else ", ".join(self)
        raise InputError(f'there is no {what} "{name}"', mend=f"one of: {offer}")


def options(function: Callable[..., Any]) -> type[BaseModel]:
    """The keyword-only arguments of `function` as a strict pydantic model.

    The signature is the only place where an option is declared; recipes, help pages and docs
    read this model.

    >>> def train(data, *, scale: float = 20.0): ...
    >>> options(train)(scale=3.0).model_dump()
    {'scale': 3.0}
    """
    fields: dict[str, Any] = {
        parameter.name: (
            parameter.annotation,
            ... if parameter.default is parameter.empty else parameter.default,
        )
        for parameter in option_parameters(function)
    }
    return create_model(
        f"{function.__name__}_options",
        __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True),
        **fields,
    )


def option_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The keyword-only arguments of a function, with their annotations resolved.

    >>> def train(data, *, scale: "float" = 20.0): ...
    >>> [(p.name, p.annotation, p.default) for p in option_parameters(train)]
    [('scale', <class 'float'>, 20.0)]
    """
    hints = get_type_hints(function, include_extras=True)  # with the limits
    return [
        parameter.replace(annotation=hints[name])
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]


def check_options(
    function: Callable[..., Any], given: Mapping[str, Any], *, table: str
) -> dict[str, Any]:
    """Fill in the defaults of `function` and refuse what it does not take.

    Args:
        function: whose keyword-only arguments are the options.
        given: name to value; values may be text, as a command line has them.
        table: what the options belong to, for the error, such as "method.mnr".

    Returns:
        Every option of the function, resolved.

    Raises:
        InputError: an unknown name (the nearest right ones are offered), or a wrong type or value.
    """
    model = options(function)
    unknown = [name for name in given if name not in model.model_fields]
    if unknown:
        near = difflib.get_close_matches(unknown[0], model.model_fields, n=3, cutoff=0.4)
        offer = ", ".join(near or model.model_fields) or "no options at all"
        raise InputError(f'[{table}] has no option "{unknown[0]}"', mend=f"it takes: {offer}")
    try:
        return model(**given).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        problem = f"[{table}] {name}: {first['msg'].lower()}, found {first['input']!r}"
        raise InputError(problem, mend=f"change {name}") from error
