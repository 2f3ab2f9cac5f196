"""The scale of scores: stated by the user, or inferred over the whole file."""

import re

import numpy as np
from numpy.typing import NDArray

from likewise.errors import InputError

USUAL = ((0.0, 1.0), (-1.0, 1.0), (1.0, 5.0), (0.0, 5.0), (0.0, 10.0), (0.0, 100.0))


def infer_range(scores: NDArray[np.float64]) -> tuple[float, float]:
    """The narrowest usual scale that holds all scores, else lowest and highest score found.

    A scale that starts at 1 is believed only where a 1 occurs, as a 0 may just be missing.

    Args:
        scores: [n] finite, n > 0.

    >>> infer_range(np.array([0.0, 3.8, 5.0]))
    (0.0, 5.0)
    """
    low, high = float(scores.min()), float(scores.max())
    for start, end in USUAL:
        if start <= low and high <= end and (start <= 0 or low == start):
            return start, end
    return low, high


def parse_range(text: str) -> tuple[float, float]:
    """What `--score-range` says.

    Args:
        text: LOW,HIGH such as "0,5", or LOW:HIGH.

    Raises:
        InputError: these are not two numbers, the lower first.

    >>> parse_range("0,5")
    (0.0, 5.0)
    """
    try:
        low, high = (float(part) for part in re.split("[,:]", text))
    except ValueError:
        low, high = 1.0, 0.0
    if not low < high:
        problem = f'--score-range takes LOW,HIGH with LOW below HIGH, found "{text}"'
        raise InputError(problem, mend="--score-range 0,5")
    return low, high
