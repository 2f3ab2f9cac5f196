"""Sentence-transformers folders on disk: both layouts read, the older one written."""

from likewise.models.folder.contents import ModelFolder, PoolingConfig, TailModule
from likewise.models.folder.read import read_folder
from likewise.models.folder.write import write_folder

__all__ = ["ModelFolder", "PoolingConfig", "TailModule", "read_folder", "write_folder"]
