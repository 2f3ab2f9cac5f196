"""From packed streams to embeddings, and folders on disk."""

from likewise.models.build import load, static_encoder
from likewise.models.cross_encoder import CrossEncoder, load_cross_encoder
from likewise.models.encoder import Encoder

__all__ = ["CrossEncoder", "Encoder", "load", "load_cross_encoder", "static_encoder"]
