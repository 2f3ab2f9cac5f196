"""From embeddings to training rows: neighbours, negatives, and pairs worth a label."""
