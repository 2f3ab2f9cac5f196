"""Random streams of a run: each from the one seed, by name."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def child_seed(seed: int, *names: str | int) -> int:
    """A seed for one purpose, 63 bits, from the run's seed and the purpose's name."""
    digest = hashlib.sha256(repr((seed, *names)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator for one purpose."""
    return np.random.default_rng(child_seed(seed, *names))


@contextmanager
def torch_seed(seed: int) -> Iterator[None]:
    """Seed torch's global generators (dropout draws from them) and restore them after."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def random_state(device: torch.device) -> list[torch.Tensor]:
    """The state of the generators that dropout on `device` draws from."""
    state = [torch.get_rng_state()]
    if device.type == "cuda":
        state.append(torch.cuda.get_rng_state(device))
    return state


def restore_random_state(state: list[torch.Tensor], device: torch.device) -> None:
    """Go back to a state that `random_state` gave."""
    torch.set_rng_state(state[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[1], device)
