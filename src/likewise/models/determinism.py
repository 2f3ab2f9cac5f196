"""The same bits every time, where the hardware alone would not give them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from likewise.errors import InputError

# cuBLAS reads this when it starts, and only with one of these its sums have one order
# (NVIDIA, cuBLAS documentation, "Results Reproducibility")
WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
FIXED = (":4096:8", ":16:8")


@contextmanager
def repeatable(device: torch.device, *, asked: bool) -> Iterator[None]:
    """Let torch use only kernels that give the same bits every time; put back what was before.

    On a CPU nothing changes: there two runs are the same bit for bit already.

    Args:
        device: of the work inside.
        asked: whether anything is to change at all.

    Raises:
        InputError: a CUDA device, and cuBLAS was not told to keep to one order.
    """
    if not asked or device.type != "cuda":
        yield
        return
    if os.environ.get(WORKSPACE) not in FIXED:
        problem = f"on a GPU deterministic work needs {WORKSPACE}, and it is not set"
        raise InputError(problem, mend=f"start with {WORKSPACE}={FIXED[0]} before the command")
    before = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=only_warned)
