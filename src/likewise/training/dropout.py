"""Where a model draws dropout, and with what probability."""

from torch import nn

# what our own layers, and those of transformers, call it
NAMES = ("dropout", "attention_dropout")


def dropout_places(module: nn.Module) -> list[tuple[nn.Module, str, float]]:
    """Every module that has a probability of dropout, the name it has there, and its value."""
    return [
        (part, name, value)
        for part in module.modules()
        for name in (("p",) if isinstance(part, nn.Dropout) else NAMES)
        if isinstance(value := getattr(part, name, None), float)
    ]


def highest_dropout(module: nn.Module, asked: float | None) -> float:
    """The highest probability that training a module will draw with; 0 where it draws nothing.

    Args:
        module: to be trained.
        asked: for the run, wherever the module has dropout at all; None for the module's own.

    >>> highest_dropout(nn.Sequential(nn.Dropout(0.1), nn.Dropout(0.3)), None)
    0.3
    >>> highest_dropout(nn.Linear(2, 2), 0.5)
    0.0
    """
    own = [value for _, _, value in dropout_places(module)]
    return max(own, default=0.0) if asked is None or not own else asked
