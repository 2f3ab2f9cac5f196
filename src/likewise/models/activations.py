"""What turns a cross-encoder's logits into scores; named in its folder as a class of torch.nn."""

import torch
from torch import Tensor, nn

from likewise.errors import InputError, Where
from likewise.models.heads import ACTIVATION_PATHS, ACTIVATIONS

KINDS: tuple[type[nn.Module], ...] = (*ACTIVATIONS, nn.Softmax)


def default_activation(classes: int) -> str:
    """The sigmoid for one logit, the logits themselves for several, as the peer has it."""
    return "sigmoid" if classes == 1 else "identity"


def find_score_activation(name: str, *, where: Where | None = None) -> str:
    """The name we use for an activation: the class of torch.nn in lower case.

    Args:
        name: such a name, or the path of a class, as "torch.nn.modules.activation.Sigmoid".
        where: the file that names it, for the error.

    Raises:
        InputError: it is none of torch.nn's activations: nothing else is imported by name.

    >>> find_score_activation("torch.nn.modules.linear.Identity")
    'identity'
    """
    short = name.rsplit(".", 1)[-1]
    known = {kind.__name__.lower(): kind for kind in KINDS}
    is_path = "." in name and name.removesuffix(short) in ACTIVATION_PATHS
    if short.lower() in known and (is_path or name in known):
        return short.lower()
    problem = f'the activation "{name}" is not supported'
    raise InputError(problem, mend=f"one of torch.nn's: {', '.join(known)}", where=where)


def activation_path(name: str) -> str:
    """The path of the class that a folder names.

    >>> activation_path("sigmoid")
    'torch.nn.modules.activation.Sigmoid'
    """
    kind = _kind(name)
    return f"{kind.__module__}.{kind.__name__}"


def activate(logits: Tensor, name: str) -> Tensor:
    """Scores from logits [S, K], of the same shape.

    Raises:
        InputError: the softmax over one class, which is always 1.
    """
    kind = _kind(name)
    if kind is nn.Softmax:
        if logits.shape[1] == 1:
            problem = "the softmax over one class is always 1"
            raise InputError(problem, mend='use "sigmoid" or "identity"')
        return torch.softmax(logits, dim=-1)
    scores: Tensor = kind()(logits)
    return scores


def _kind(name: str) -> type[nn.Module]:
    return {kind.__name__.lower(): kind for kind in KINDS}[find_score_activation(name)]
