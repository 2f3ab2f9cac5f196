"""Bind columns to roles by name, or say what is missing and the line that would mend it."""

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from likewise.data.dataset import NO_TEXTS
from likewise.data.kinds.kind import Kind, Role
from likewise.errors import InputError, Where
from likewise.registry import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Which columns of a file play which roles.

    Attributes:
        kind: that the columns fit.
        columns: role to its columns in the file, in the kind's order; roles without one are absent.
        ignored: the columns that play none.
        stated: the columns that the user bound by hand.
    """

    kind: Kind
    columns: dict[str, tuple[str, ...]]
    ignored: tuple[str, ...]
    stated: frozenset[str] = frozenset()

    @property
    def contradicting(self) -> tuple[str, ...]:
        """Ignored columns that speak against the kind, such as a label beside pairs."""
        return tuple(c for c in self.ignored if _key(c) in self.kind.contradicted_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """How far the columns go for one kind."""

    binding: Binding
    missing: tuple[Role, ...]
    clashes: dict[str, tuple[str, ...]]

    @property
    def fits(self) -> bool:
        return not self.missing and not self.clashes

    @property
    def used(self) -> frozenset[str]:
        return frozenset(c for columns in self.binding.columns.values() for c in columns)

    @property
    def rank(self) -> tuple[bool, int]:
        """Sorts the kind that the user most likely meant to the front; the table decides ties."""
        completable = len(self.missing) <= len(self.binding.ignored)
        return (not completable, -len(self.binding.columns))


def parse_columns(given: Iterable[str]) -> dict[str, str]:
    """What `--columns` says, given several times or as a comma list: role to column.

    Args:
        given: such as ["anchor=title,positive=body"]; a comma inside a column's name may stand.

    Raises:
        InputError: a part is not ROLE=COLUMN.

    >>> parse_columns(["anchor=title,positive=body, long"])
    {'anchor': 'title', 'positive': 'body, long'}
    """
    columns: dict[str, str] = {}
    for text in given:
        role = ""
        for part in text.split(","):
            name, equals, column = part.partition("=")
            if equals and name.strip():
                role = name.strip()
                columns[role] = column.strip()
            elif role:
                columns[role] += f",{part}"
            else:
                mend = "--columns anchor=title,positive=body"
                raise InputError(f'--columns takes ROLE=COLUMN, found "{text}"', mend=mend)
    return columns


def bind(
    header: Sequence[str],
    *,
    kinds: Table[Kind],
    where: Where,
    kind: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Binding:
    """Find the one kind that a file's columns fit, and the column of each role.

    Args:
        header: the file's column names.
        kinds: to choose from.
        where: the file, for errors.
        kind: chosen by the user; None to find it out.
        columns: role to column, bound by the user; these come first.

    Raises:
        InputError: no kind fits, or two do, or a column contradicts the kind; it prints the
            header, what is missing, and an option that mends it.
    """
    chosen = [kinds.pick(kind, what="kind of data")] if kind else list(kinds.values())
    stated = _stated(header, columns or {}, chosen, where)
    able = [k for k in chosen if all(k.role(role) for role in stated)]
    if not able:
        problem = f"no kind of data has all the roles {', '.join(stated)}"
        mend = "; ".join(f"{k.name}: {', '.join(r.name for r in k.roles)}" for k in chosen)
        raise InputError(problem, where=where, mend=f"bind the roles of one kind: {mend}")
    attempts = [_attempt(k, header, stated) for k in able]
    fitting = _undominated([a for a in attempts if a.fits])
    if len(fitting) > 1:
        raise _ambiguous(fitting, header, where)
    if not fitting:
        raise _unfitting(attempts, header, where)
    binding = fitting[0].binding
    if binding.contradicting and kind is None:
        raise _contradicted(binding, header, where)
    return binding


def late_column(binding: Binding, name: str) -> InputError | None:
    """The error for a field that shows up after the binding, if it would have changed it.

    Args:
        binding: made from the rows before.
        name: of the new field.
    """
    role = next((role for role in binding.kind.roles if role.matches(name)), None)
    if role is None and _key(name) not in binding.kind.contradicted_by:
        return None
    problem = f'the field "{name}" first appears here, after the columns were bound'
    return InputError(problem, mend=f'write it in the first row too: "{name}": null')


def _key(column: str) -> str:
    return column.strip().casefold()


def _stated(
    header: Sequence[str], columns: Mapping[str, str], chosen: Sequence[Kind], where: Where
) -> dict[str, str]:
    """The user's own bindings, with the column names as the header spells them."""
    stated: dict[str, str] = {}
    for role, column in columns.items():
        if not any(kind.role(role) for kind in chosen):
            names = [r.name for kind in chosen for r in kind.roles]
            near = difflib.get_close_matches(role, names, n=3, cutoff=0.5) or names
            offer = ", ".join(dict.fromkeys(near))
            raise InputError(f'--columns: there is no role "{role}"', mend=f"one of: {offer}")
        spelled = column if column in header else _spelled(column, header)
        if spelled is None:
            near = difflib.get_close_matches(column, header, n=1, cutoff=0.5)
            offer = f"did you mean {near[0]}?" if near else f"one of: {', '.join(header)}"
            raise InputError(f'there is no column "{column}"', where=where, mend=offer)
        if spelled in stated.values():
            problem = f'--columns binds the column "{spelled}" twice'
            raise InputError(problem, where=where, mend="give every role a column of its own")
        stated[role] = spelled
    return stated


def _spelled(column: str, header: Sequence[str]) -> str | None:
    return next((name for name in header if _key(name) == _key(column)), None)


def _attempt(kind: Kind, header: Sequence[str], stated: Mapping[str, str]) -> _Attempt:
    free = [name for name in header if name not in stated.values()]
    bound: dict[str, tuple[str, ...]] = {}
    clashes: dict[str, tuple[str, ...]] = {}
    for role in kind.roles:
        by_hand = tuple(c for name, c in stated.items() if kind.role(name) is role)
        found = by_hand or tuple(name for name in free if role.matches(name))
        if len(found) > 1 and not role.numbered:
            clashes[role.name] = found
        elif found:
            bound[role.name] = found
    used = {column for columns in (*bound.values(), *clashes.values()) for column in columns}
    binding = Binding(
        kind=kind,
        columns=bound,
        ignored=tuple(name for name in header if name not in used),
        stated=frozenset(stated.values()),
    )
    missing = tuple(r for r in kind.required if r.name not in bound and r.name not in clashes)
    return _Attempt(binding=binding, missing=missing, clashes=clashes)


def _undominated(fitting: list[_Attempt]) -> list[_Attempt]:
    """Without the kinds that use only a part of the columns that another one uses."""
    return [a for a in fitting if not any(a.used < other.used for other in fitting)]


def _ambiguous(fitting: Sequence[_Attempt], header: Sequence[str], where: Where) -> InputError:
    names = [attempt.binding.kind.name for attempt in fitting]
    problem = f"the columns {', '.join(header)} fit more than one kind: {', '.join(names)}"
    mend = "choose one: " + " or ".join(f"--kind {name}" for name in names)
    return InputError(problem, where=where, mend=mend)


def _contradicted(binding: Binding, header: Sequence[str], where: Where) -> InputError:
    column = binding.contradicting[0]
    name = binding.kind.name
    problem = (
        f'the columns {", ".join(header)} fit the kind {name}, but "{column}" may say that some '
        f"rows are none: taken as {name}, every row would be a positive"
    )
    first, second = (shlex.quote(c[0]) for c in list(binding.columns.values())[:2])
    quoted = shlex.quote(column)
    mend = (
        f"--kind pair-labels --columns sentence1={first},sentence2={second},label={quoted} if it "
        f"holds 0 and 1; --kind scored --columns sentence1={first},sentence2={second},"
        f"score={quoted} if it holds scores; --kind {name} to take every row as a positive"
    )
    if "negative" in binding.columns:
        mend = (
            f"--columns scores={quoted} if it holds a teacher's scores of the positive and each "
            f"negative, as lists; --kind {name} to leave it out"
        )
    return InputError(problem, where=where, mend=mend)


def _unfitting(attempts: Sequence[_Attempt], header: Sequence[str], where: Where) -> InputError:
    nearest = min(attempts, key=lambda attempt: attempt.rank)
    kind = nearest.binding.kind
    listed = ", ".join(header)
    if nearest.clashes:
        role, columns = next(iter(nearest.clashes.items()))
        problem = f'columns {listed}: more than one could be "{role}": {", ".join(columns)}'
        mend = "choose one: " + " or ".join(
            f"--columns {shlex.quote(f'{role}={c}')}" for c in columns
        )
        return InputError(problem, where=where, mend=mend)
    missing = ", ".join(role.name for role in nearest.missing)
    problem = f"columns {listed}: for the kind {kind.name}, no column is named {missing}"
    mend = _line(nearest)
    if len(attempts) > 1:
        mend += "; if the first row is no header, write one above it"
    return InputError(problem, where=where, mend=mend)


def _line(attempt: _Attempt) -> str:
    """The `--columns` option that would bind what is missing, its columns guessed in order."""
    free = list(attempt.binding.ignored)
    parts = []
    for role in attempt.missing:
        is_text = role.name not in NO_TEXTS
        column = free.pop(0 if is_text else -1) if free else "COLUMN"
        parts.append(f"{role.name}={column}")
    if any("," in part for part in parts):
        return " ".join(f"--columns {shlex.quote(part)}" for part in parts)
    return f"--columns {shlex.quote(','.join(parts))}"
