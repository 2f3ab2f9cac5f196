"""From packed streams to embeddings, and folders on disk."""

from likewise.models.build import load
from likewise.models.encoder import Encoder

__all__ = ["Encoder", "load"]
