"""Which device and which precision, and why."""

from dataclasses import dataclass
from typing import Literal

import torch

from likewise.errors import InputError

Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """Where the arithmetic runs, in which dtype, and a sentence that says why."""

    device: torch.device
    dtype: torch.dtype
    why: str


def choose_device(name: str = "auto") -> torch.device:
    """CUDA, then MPS, then CPU; or the one named.

    Raises:
        InputError: the named device is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        problem = f'the device "{name}" cannot be used here: {reason}'
        raise InputError(problem, mend='use "auto", "cpu", "cuda" or "mps"') from error
    return device


def choose_hardware(device: torch.device, precision: str = "auto") -> Hardware:
    """Bfloat16 where the hardware multiplies it natively, else float32; or the one named.

    Args:
        device: as `choose_device` gave it.
        precision: "auto", "float32" or "bfloat16".

    Raises:
        InputError: no such precision.
    """
    if precision == "auto":
        native = has_bfloat16(device)
        why = "multiplies bfloat16 natively" if native else "has no native bfloat16"
        dtype = torch.bfloat16 if native else torch.float32
        return Hardware(device=device, dtype=dtype, why=f"{device.type} {why}")
    if precision not in {"float32", "bfloat16"}:
        mend = 'one of: "auto", "float32", "bfloat16"'
        raise InputError(f'there is no precision "{precision}"', mend=mend)
    return Hardware(device=device, dtype=getattr(torch, precision), why="as asked")


def has_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 itself; emulation is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        # torch has no public question for this; where the private one is gone, float32 is safe
        ask = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        return bool(ask())
    return False
