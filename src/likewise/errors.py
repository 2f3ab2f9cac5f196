"""Every error a user can meet, its wording and its exit code.

    LikewiseError            1  the run failed
    ├── InputError           2  the user's data, recipe or option is wrong
    ├── MissingExtra         2  an optional package is not installed
    ├── NotFinite            1  the loss or a gradient is no longer a number
    └── Interrupted        130  stopped by the user, with a checkpoint to go on from

Only `cli/main.py` turns an error into an exit code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 20  # findings printed before the rest is only counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A place in the user's files: rows count from 1, as an editor shows them."""

    path: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        row = "" if self.row is None else f", row {self.row}"
        column = "" if self.column is None else f', column "{self.column}"'
        return f"{self.path}{row}{column}"


class LikewiseError(Exception):
    """Base of all errors that a user can meet; what is printed is `str(error)`."""

    exit_code = 1


class InputError(LikewiseError):
    """What the user gave is wrong: says what was expected, what was found and how to mend it."""

    exit_code = 2

    def __init__(self, problem: str, *, mend: str, where: Where | None = None) -> None:
        """Keep the parts, so that a reader of many rows can gather them.

        Args:
            problem: what was expected and what was found, in one sentence without a full stop.
            mend: a thing to do, a command where there is one.
            where: file, row and column, as far as they are known.
        """
        self.problem = problem
        self.mend = mend
        self.where = where
        super().__init__(f"{self.finding}\nTo mend: {mend}")

    @property
    def finding(self) -> str:
        """Place and problem on one line, without the mend."""
        return self.problem if self.where is None else f"{self.where}: {self.problem}"

    @classmethod
    def gather(cls, errors: Sequence["InputError"], *, total: int | None = None) -> "InputError":
        """One error out of many: up to twenty findings, the total, and each distinct mend once.

        Args:
            errors: at least one.
            total: how many there were, if more than were kept.
        """
        total = len(errors) if total is None else total
        if total == 1:
            return errors[0]
        shown = errors[:SHOWN]
        lines = [f"{total} problems", *(f"  {error.finding}" for error in shown)]
        if total > len(shown):
            lines.append(f"  … and {total - len(shown)} more")
        mends = list(dict.fromkeys(error.mend for error in shown))
        return cls("\n".join(lines), mend="; ".join(mends))


class MissingExtra(LikewiseError):
    """An optional package is not installed; names the extra that brings it."""

    exit_code = 2

    def __init__(self, package: str, *, extra: str) -> None:
        """Say which package is missing and what to type."""
        self.package = package
        self.extra = extra
        super().__init__(
            f'the package "{package}" is not installed\nTo mend: pip install "likewise[{extra}]"'
        )


class NotFinite(LikewiseError):
    """The loss or a gradient is NaN or infinite: nothing of that step is kept."""

    def __init__(self, what: str, *, step: int, rows: Sequence[str], rate: float) -> None:
        """Name the step, the rows of its batch and the learning rate."""
        self.step = step
        self.rows = tuple(rows)
        listed = ", ".join(self.rows[:SHOWN]) + (" …" if len(self.rows) > SHOWN else "")
        super().__init__(
            f"{what} at step {step} is not a finite number (learning rate {rate:.2e})\n"
            f"Rows of that batch: {listed}\n"
            "To mend: lower --learning-rate, or read those rows with `likewise check`"
        )


class Interrupted(LikewiseError):
    """The user stopped the run; the checkpoint named here goes on from there."""

    exit_code = 130

    def __init__(
        self, checkpoint: str, *, step: int, again: str = "the same command with --resume"
    ) -> None:
        """Name the checkpoint that is gone on from, "" where there is none yet, and how."""
        self.step = step
        saved = f"; checkpoint saved in {checkpoint}" if checkpoint else ""
        super().__init__(f"interrupted after step {step}{saved}\nTo go on: {again}")
