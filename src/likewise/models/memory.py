"""Memory of freed tensors: kept for the next batch, given back before it swells."""

import ctypes
import os
from functools import lru_cache
from typing import Any

import psutil

# glibc's malloc.h: the numbers of what mallopt sets
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST_KEPT = 1 << 30  # bytes of a block that is reused, not asked of the system each time
NEVER = 2**31 - 1
OWN_SETTINGS = ("GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
KERNELS_KEPT = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
GROWTH, SLACK = 1.1, 100_000_000  # of what one pass needs, and bytes beyond


@lru_cache(maxsize=1)
def _c_library() -> Any:
    try:
        library = ctypes.CDLL("libc.so.6")
        return library if hasattr(library, "malloc_trim") else None
    except OSError:
        return None  # not glibc: its allocator does not need this


@lru_cache(maxsize=1)
def settle_memory() -> None:
    """Have this process keep the memory of freed tensors, and fewer compiled kernels.

    glibc hands every block of more than 32 MB back to the system and asks for it again, and most
    smaller ones: a fifth of the time of encoding goes into empty pages (bench/encode.py).
    oneDNN keeps 1,024 kernels, one for each shape it met: most of a gigabyte, and 128 are as
    fast. Whoever makes a model calls this before anything is computed. Settings of the user's
    own, by the environment, stay as they are.
    """
    os.environ.setdefault(KERNELS_KEPT, "128")
    if _c_library() is not None and not any(name in os.environ for name in OWN_SETTINGS):
        _c_library().mallopt(MMAP_THRESHOLD, LARGEST_KEPT)
        _c_library().mallopt(TRIM_THRESHOLD, NEVER)


def give_back_memory() -> None:
    """Hand all freed memory back to the system: 30 ms, and the next batch asks for it again."""
    if _c_library() is not None:
        _c_library().malloc_trim(0)


class Tide:
    """Gives memory back when a process has grown by a tenth, and more, over what one pass needs.

    Every batch, and every part of one, has tensors of other sizes, and the holes between them add
    up: about 10 MB a pass with a MiniLM, were nothing given back.
    """

    def __init__(self) -> None:
        """Before the first pass."""
        self._process = psutil.Process()
        self._needed = 0
        self._is_fresh = True

    def after_pass(self) -> bool:
        """Look at the process; whether memory was given back."""
        used = self._process.memory_info().rss
        if self._is_fresh:
            self._needed = max(self._needed, used)
        self._is_fresh = used > GROWTH * self._needed + SLACK
        if self._is_fresh:
            give_back_memory()
        return self._is_fresh
