"""From a path to checked rows, their columns bound by role."""

from likewise.data.reading import read

__all__ = ["read"]
