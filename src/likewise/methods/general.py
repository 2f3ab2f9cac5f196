"""What a model could do before it was trained, on other sets: what a gain has cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.leakage import leaked_rows
from likewise.data.reading import read
from likewise.errors import InputError
from likewise.evaluation.comparison import compare
from likewise.evaluation.evaluators import evaluate
from likewise.evaluation.result import Evaluation, Result
from likewise.evaluation.tasks import task_name
from likewise.methods.dev_data import measurable
from likewise.methods.spec import Makes
from likewise.methods.start import Start
from likewise.models.cross_encoder import CrossEncoder

Data: TypeAlias = Dataset | RetrievalSet


@dataclass(frozen=True, slots=True, kw_only=True)
class General:
    """Sets that a run is not about, and what was noted of them."""

    sets: tuple[Data, ...] = ()
    notes: tuple[str, ...] = ()

    def measure(self, model: Any, name: str) -> tuple[Result, ...]:
        """A model on each of the sets.

        Args:
            model: what `evaluate` takes.
            name: of it, for tables.
        """
        return tuple(evaluate(model, data, name=name) for data in self.sets)


def read_general(names: Sequence[str], train: Dataset, start: Start) -> General:
    """Read the sets and check that the model can be measured on them.

    Args:
        names: files or folders.
        train: rows to be trained on; those of a set that stand in it are counted, and stay.
        start: the model.

    Raises:
        InputError: one cannot be read or measured on, two have one name in tables, or the model
            has no skill yet that it could lose.
    """
    if names and start.is_fresh:
        problem = "a cross-encoder with a new head has no general skill to lose"
        raise InputError(problem, mend="leave out general (--general)")
    makes: Makes = "cross-encoder" if isinstance(start.model, CrossEncoder) else "encoder"
    sets = tuple(measurable(read(name), 0, makes) for name in names)
    tasks = [task_name(data) for data in sets]
    repeated = next((name for name, times in Counter(tasks).items() if times > 1), None)
    if repeated is not None:
        problem = f'two sets of general skill have the name "{repeated}"'
        raise InputError(problem, mend="name each once, or rename one of the files")
    seen = [len(leaked_rows(train, data)) for data in sets]
    notes = tuple(
        f"{count:,} of {len(data):,} rows of {name} are trained on: no measure of what is kept"
        for count, data, name in zip(seen, sets, tasks, strict=True)
        if count
    )
    return General(sets=sets, notes=notes)


def conclude_general(before: Sequence[Result], after: Sequence[Result]) -> Evaluation | None:
    """Both models side by side on each set; None where there is none.

    Args:
        before: of the base model.
        after: of the trained one, on the same sets.
    """
    if not before:
        return None
    results = tuple(one for pair in zip(before, after, strict=True) for one in pair)
    return Evaluation(results=results, differences=compare(results))
