"""Data of one kind made from another: what a loss takes from what the user has."""

from likewise.data.derive.classes import labelled_to_pairs
from likewise.data.derive.corpus import corpus_to_texts, judged_to_pairs
from likewise.data.derive.negatives import with_easy_negatives, with_negatives
from likewise.data.derive.nli import nli_to_pairs, nli_to_scored
from likewise.data.derive.pair_labels import pair_labels_to_pairs, pair_labels_to_scored
from likewise.data.derive.reranking import reranking_to_pair_labels, reranking_to_pairs

__all__ = [
    "corpus_to_texts",
    "judged_to_pairs",
    "labelled_to_pairs",
    "nli_to_pairs",
    "nli_to_scored",
    "pair_labels_to_pairs",
    "pair_labels_to_scored",
    "reranking_to_pair_labels",
    "reranking_to_pairs",
    "with_easy_negatives",
    "with_negatives",
]
