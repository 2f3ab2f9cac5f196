"""Softmax classification: a head tells entailment, neutral and contradiction apart."""

from likewise.data.dataset import Dataset
from likewise.losses import LOSSES
from likewise.losses.softmax_classification import pair_classifier
from likewise.training.fit import Fit
from likewise.training.objective import objective_of
from likewise.training.seeding import child_seed, torch_seed

CLASSES = 3


def train_softmax(fit: Fit, data: Dataset) -> None:
    """Train through a classifier of (u, v, |u - v|) (Reimers and Gurevych 2019, section 3).

    The head is trained and saved in checkpoints with the encoder; the finished model leaves it
    behind.

    Args:
        fit: the encoder, and how to train it.
        data: NLI rows.
    """
    with torch_seed(child_seed(fit.options.seed, "head")):
        head = pair_classifier(fit.encoder.dimensions, CLASSES)
    fit(data, objective_of(LOSSES["softmax"], head=head))
