"""From embeddings to training rows: neighbours, negatives, and pairs worth a label."""

from likewise.mining.candidates import (
    bm25_candidates,
    random_candidates,
    score_bins,
    semantic_candidates,
)
from likewise.mining.negatives import semi_hard_negatives

__all__ = [
    "bm25_candidates",
    "random_candidates",
    "score_bins",
    "semantic_candidates",
    "semi_hard_negatives",
]
