"""What no loss could learn from, said before the first step."""

from typing import Any

import numpy as np

from likewise.data.checks.labels import refuse_one_class
from likewise.data.checks.scores import refuse_equal_scores
from likewise.data.checks.suspicious import refuse_equal_triplets
from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.losses.spec import LossSpec
from likewise.training.fit import Fit


def refuse_unfit(fit: Fit[Any], data: Dataset, spec: LossSpec, *, method: str) -> Dataset:
    """Refuse rows from which a loss learns nothing or the wrong thing; leave out idle ones.

    Args:
        fit: is told of rows left out.
        data: of a kind that the loss takes.
        spec: of the loss.
        method: its name, for errors.

    Returns:
        The rows to train on.

    Raises:
        InputError: one class only; a triplet whose positive is its negative; triplets without a
            negative; scores that are all equal.
    """
    if "label" in data.roles:
        refuse_one_class(data)
    if "negative" in data.roles:
        refuse_equal_triplets(data)
    if "score" in spec.roles:
        refuse_equal_scores(data)
    if spec.layout != "triplets":
        return data
    if "negative" not in data.roles:
        problem = f"the method {method} needs a negative in each row, and there is none"
        mend = "add a column negative, or use --method mnr, which takes other rows as negatives"
        raise InputError(problem, mend=mend, where=data.file)
    rows = np.flatnonzero([len(texts) > 0 for texts in data.text_lists("negative")])
    if not len(rows):
        problem = f"the method {method} needs a negative in each row, and all are empty"
        mend = "fill in the column negative, or use --method mnr"
        raise InputError(problem, mend=mend, where=data.file)
    if len(rows) < len(data):
        fit.note(
            f"rows without a negative make no triplet and were left out: {len(data) - len(rows):,}"
        )
    return data.take(rows) if len(rows) < len(data) else data
