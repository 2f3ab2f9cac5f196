"""A batch of random texts for any loss, and its objective."""

import numpy as np
import torch

from likewise.losses import LOSSES
from likewise.models.encoder import Encoder
from likewise.text.packed import Packed, pack
from likewise.training.batch import Batch
from likewise.training.objective import Objective, objective_of
from likewise.training.seeding import torch_seed

VOCABULARY = 60  # of the tiny tokenizer, about: special tokens and letters are ids like others
ROWS = 12
CANDIDATES = 3
TEACHER_WIDTH = 32
DRAWN = {
    "score": lambda draw, _: torch.from_numpy(draw.uniform(size=ROWS)),
    "label": lambda draw, k: torch.from_numpy(draw.permutation(np.arange(ROWS) % k)),
    "scores": lambda draw, _: torch.from_numpy(draw.uniform(size=(ROWS, CANDIDATES))),
}


def draw_batch(name: str, *, with_prompts: bool = False) -> Batch:
    """Twelve rows of random texts for the roles of a loss; the last repeats the first's text."""
    spec = LOSSES[name]
    draw = np.random.default_rng(3)
    shapes = [(ROWS, CANDIDATES) if r == "candidates" else (ROWS,) for r in spec.text_roles]
    counts = [int(np.prod(shape)) for shape in shapes]
    lengths = np.sort(draw.integers(4, 20, size=sum(counts)))
    packed = pack([draw.integers(4, VOCABULARY, size=length) for length in lengths])
    if with_prompts:
        packed = Packed(ids=packed.ids, starts=packed.starts, pooled=packed.positions() >= 2)
    parts = np.split(draw.permutation(len(packed)), np.cumsum(counts)[:-1])
    places = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    if len(places) > 1:
        places[0][-1] = places[0][0]
    picks = {r: torch.from_numpy(p) for r, p in zip(spec.text_roles, places, strict=True)}
    classes = 2 if "pair-labels" in spec.kinds else 3
    teacher = torch.from_numpy(draw.normal(size=(len(packed), TEACHER_WIDTH))).float()
    return Batch(
        packed=packed,
        rows=np.arange(ROWS),
        texts=np.arange(len(packed)),
        picks=picks,
        values={role: DRAWN[role](draw, classes) for role in spec.roles if role in DRAWN},
        guides={r: teacher[p] for r, p in picks.items()} if spec.guided else {},
    )


def make_objective(name: str, encoder: Encoder) -> Objective:
    spec = LOSSES[name]
    if spec.head is None:
        return objective_of(spec)
    with torch_seed(1):
        return objective_of(spec, head=spec.head(encoder.dimensions, 3))
