"""Train text embedding models you can trust.

    import likewise

    model = likewise.load("minilm")
    run = likewise.train(model, likewise.read("pairs.csv"), dev="dev.csv", out="runs/first")

Nothing here is imported before it is used: `import likewise` alone costs a few milliseconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # for editors and type checkers; the same names as in `_PLACES`
    from likewise import losses as losses
    from likewise.data import read as read
    from likewise.errors import InputError as InputError
    from likewise.errors import Interrupted as Interrupted
    from likewise.errors import LikewiseError as LikewiseError
    from likewise.errors import MissingExtra as MissingExtra
    from likewise.errors import NotFinite as NotFinite
    from likewise.evaluation import evaluate as evaluate
    from likewise.methods import Run as Run
    from likewise.methods import train as train
    from likewise.mining import mine as mine
    from likewise.models import CrossEncoder as CrossEncoder
    from likewise.models import Encoder as Encoder
    from likewise.models import load as load
    from likewise.models import load_cross_encoder as load_cross_encoder

__version__: Final = "0.1.0"

__all__ = (
    "CrossEncoder",
    "Encoder",
    "InputError",
    "Interrupted",
    "LikewiseError",
    "MissingExtra",
    "NotFinite",
    "Run",
    "__version__",
    "evaluate",
    "load",
    "load_cross_encoder",
    "losses",
    "mine",
    "read",
    "train",
)

_PLACES: Final = (
    ("likewise.data", ("read",)),
    (
        "likewise.errors",
        ("InputError", "Interrupted", "LikewiseError", "MissingExtra", "NotFinite"),
    ),
    ("likewise.evaluation", ("evaluate",)),
    ("likewise.methods", ("Run", "train")),
    ("likewise.mining", ("mine",)),
    ("likewise.models", ("CrossEncoder", "Encoder", "load", "load_cross_encoder")),
)


def __getattr__(name: str) -> Any:  # PEP 562
    if name == "losses":
        return import_module("likewise.losses")
    for module, names in _PLACES:
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'likewise' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
