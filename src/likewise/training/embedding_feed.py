"""Rows for a loss of embeddings: distinct texts tokenised once, gathered by the loss's layout."""

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.losses.spec import Layout
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch, collate
from likewise.training.examples import Examples, build_examples
from likewise.training.feed import Feed, FeedOf
from likewise.training.guide import Guide, embed_guide
from likewise.training.options import TrainingOptions
from likewise.training.sampling import TOGETHER, Groups


def embedding_feed(
    layout: Layout = "rows", *, grouped: bool = False, guide: Guide | None = None
) -> FeedOf:
    """Feed an encoder with the texts of each row.

    Args:
        layout: how rows become arguments of the loss.
        grouped: batches need several rows of each label.
        guide: a second, frozen model that embeds the same texts.

    Returns:
        A function that tokenises the data; it raises InputError where no row has a negative, or
        no label has two rows.
    """

    def feed(encoder: Encoder, data: Dataset, options: TrainingOptions) -> Feed:
        examples = build_examples(encoder, data, max_tokens=options.max_tokens)
        if layout == "contrast":
            _refuse_no_negatives(examples)

        def gather(rows: NDArray[np.int64], step: int) -> Batch:
            batch = collate(examples, rows, layout=layout, device=encoder.device, step=step)
            if guide is None:
                return batch
            return embed_guide(guide, batch, examples, precision=options.precision)

        return Feed(
            rows=len(data),
            texts=len(examples.ids),
            row_tokens=examples.row_tokens,
            collate=gather,
            where=data.where,
            cut=examples.cut,
            groups=_groups(examples, options.batch_size) if grouped else None,
        )

    return feed


def _groups(examples: Examples, batch_size: int) -> Groups:
    """A few rows of a label at a time, yet never a batch of one label.

    Raises:
        InputError: no label has two rows, so that nothing belongs together.
    """
    labels = np.asarray(examples.values["label"], dtype=np.int64)
    if np.bincount(labels).max() < 2:
        problem = f"each of {len(labels):,} rows has a label of its own: nothing belongs together"
        raise InputError(problem, mend="give two rows or more for each label")
    return Groups(labels, min(TOGETHER, max(batch_size // 2, 2)))


def _refuse_no_negatives(examples: Examples) -> None:
    """Nothing to tell apart: no two rows differ on both sides, and no negatives are given.

    Raises:
        InputError: so it is.
    """
    if "label" in examples.columns or "anchor" not in examples.columns:
        return
    if not {"anchor", "positive"} >= examples.columns.keys():
        return
    sides = (examples.columns[role] for role in ("anchor", "positive"))
    if not all(len(np.unique(examples.cluster[side[side >= 0]])) > 1 for side in sides):
        problem = "no row has a negative: all have the same answer, or ask the same question"
        mend = "give pairs that differ, or look at them: likewise check"
        raise InputError(problem, mend=mend)
