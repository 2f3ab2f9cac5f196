"""Another pooling for a model, which it keeps."""

from dataclasses import replace
from typing import Any, Literal, TypeAlias

from likewise.errors import InputError
from likewise.models.folder.static_layout import is_static
from likewise.training.fit import Fit

Choice: TypeAlias = Literal["cls", "mean", "model"]


def choose_pooling(fit: Fit[Any], pooling: Choice) -> None:
    """Train, and save, a model with this pooling; "model" leaves its own.

    Args:
        fit: of an encoder; is told what changed.
        pooling: "cls" for the first token, "mean" for all of them.

    Raises:
        InputError: the model is a static one, or joins several poolings.
    """
    contents = fit.encoder.contents
    own = contents.pooling.modes
    if pooling == "model" or own == (pooling,):
        return
    if is_static(contents) or len(own) > 1:
        problem = f"this model pools by {' + '.join(own)}, and what follows it rests on that"
        raise InputError(problem, mend="leave its pooling as it is: --set pooling=model")
    fit.note(f"pooling: {pooling} from now on, also in the saved model; it was {own[0]}")
    fit.encoder.contents = replace(contents, pooling=replace(contents.pooling, modes=(pooling,)))
