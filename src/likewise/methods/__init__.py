"""Ways of making an embedding model, one a file, and the run around them."""

from likewise.methods.run import Run, train
from likewise.methods.spec import MethodSpec
from likewise.methods.stages import train_stages
from likewise.methods.table import METHODS

__all__ = ["METHODS", "MethodSpec", "Run", "train", "train_stages"]
