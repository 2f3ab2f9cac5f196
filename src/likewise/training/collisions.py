"""False negatives: candidates of a batch that answer an anchor although they are not its own."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from likewise.training.examples import Examples


def find_collisions(
    examples: Examples,
    entries: Mapping[str, NDArray[np.int64]],
    owners: Mapping[str, NDArray[np.int64]],
) -> NDArray[np.bool_]:
    """Which candidates are no negatives of an anchor.

    Those that are, or nearly are, the anchor itself or a positive of it, wherever in the data that
    positive stands. Where rows have a group, also the positives of its own group, and the
    negatives of other groups: what is no member of theirs may be one of its own.

    Args:
        examples: clusters, answers and groups of the data.
        entries: "anchor" and "positive" [B], perhaps "negative" [N]: indices of texts.
        owners: the same roles to the row that each entry belongs to.

    Returns:
        [B, B + N], False on the diagonal of its first B columns.
    """
    roles = [role for role in ("positive", "negative") if role in entries]
    anchor = examples.cluster[entries["anchor"]]
    positive = examples.cluster[entries["positive"]]
    candidates = np.concatenate([examples.cluster[entries[role]] for role in roles])
    collides: NDArray[np.bool_] = candidates[None, :] == anchor[:, None]
    collides |= candidates[None, :] == positive[:, None]
    for i, cluster in enumerate(anchor.tolist()):
        if cluster in examples.answers:
            collides[i] |= np.isin(candidates, examples.answers[cluster])
    if examples.group is not None:
        own = examples.group[owners["anchor"]]
        collides[:, : len(own)] |= own[:, None] == own[None, :]
        if "negative" in entries:
            theirs = examples.group[owners["negative"]]
            collides[:, len(own) :] |= own[:, None] != theirs[None, :]
    np.fill_diagonal(collides, False)
    return collides
