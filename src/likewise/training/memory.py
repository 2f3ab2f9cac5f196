"""Give freed memory back to the system, so that a long run does not swell."""

import ctypes
from functools import lru_cache
from typing import Any

STEPS_BETWEEN_TRIMS = 5


@lru_cache(maxsize=1)
def _c_library() -> Any:
    try:
        library = ctypes.CDLL("libc.so.6")
        return library if hasattr(library, "malloc_trim") else None
    except OSError:
        return None  # not glibc: its allocator does not need this


def trim_memory(step: int) -> None:
    """Every fifth step, return what glibc keeps of freed tensors; elsewhere, do nothing.

    Every batch has tensors of other sizes, and glibc keeps the holes between them: about 10 MB a
    step with a MiniLM. One trim takes 30 ms.

    Args:
        step: of the run; 0 before the first.
    """
    if step % STEPS_BETWEEN_TRIMS == 0 and _c_library() is not None:
        _c_library().malloc_trim(0)
