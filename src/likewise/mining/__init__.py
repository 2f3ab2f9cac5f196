"""From embeddings to training rows: neighbours, negatives, and pairs worth a label."""

from likewise.mining.candidates import (
    bm25_candidates,
    random_candidates,
    score_bins,
    semantic_candidates,
)
from likewise.mining.indexes import INDEXES
from likewise.mining.mined import Mined, mine
from likewise.mining.negatives import semi_hard_negatives
from likewise.mining.options import MiningOptions

__all__ = [
    "INDEXES",
    "Mined",
    "MiningOptions",
    "bm25_candidates",
    "mine",
    "random_candidates",
    "score_bins",
    "semantic_candidates",
    "semi_hard_negatives",
]
