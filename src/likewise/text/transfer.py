"""From the host to a device without waiting for what the device computes."""

import torch
from torch import Tensor


def send(values: Tensor, device: torch.device | str) -> Tensor:
    """Copy to a device; to a CUDA one through pinned memory, in the order of its work.

    A plain copy waits until everything before it has been computed; this one is queued behind it,
    and the host goes on. Memory that was pinned for it is kept until the copy is made.

    Args:
        values: of any shape.
        device: where they are wanted.

    Returns:
        The same values there; `values` itself where it is there already.
    """
    device = torch.device(device)
    if device.type != "cuda" or values.device.type != "cpu":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)
