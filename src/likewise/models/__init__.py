"""From packed streams to embeddings, and folders on disk."""

from likewise.models.build import load, static_encoder
from likewise.models.encoder import Encoder

__all__ = ["Encoder", "load", "static_encoder"]
