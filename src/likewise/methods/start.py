"""What a run starts from: the model to train, and what it has to beat."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import InputError
from likewise.methods.cross_encoder import labels_of
from likewise.methods.spec import MethodSpec
from likewise.methods.teachers import CosineScorer, load_teacher
from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, from_encoder
from likewise.models.encoder import Encoder
from likewise.models.scratch import has_own_tokenizer
from likewise.models.source import parse_name
from likewise.training.seeding import child_seed
from likewise.training.text_rows import CHUNK


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A model to train, and the one that is measured before it.

    Attributes:
        model: trained in place.
        base: measured on the dev data before the first step; of a cross-encoder made from a
            bi-encoder, the cosine of that bi-encoder.
        is_fresh: the model's head is drawn at random, so that the model itself is no base.
    """

    model: Encoder | CrossEncoder
    base: Any
    is_fresh: bool = False

    def base_for(self, dev: Dataset | RetrievalSet) -> Any | None:
        """What to measure first on this data; None where nothing but a baseline can answer."""
        return None if self.is_fresh and dev.kind == "nli" else self.base


def start_model(
    model: Encoder | CrossEncoder | str | Path,
    spec: MethodSpec,
    data: Dataset,
    *,
    options: Mapping[str, Any],
    seed: int,
) -> Start:
    """Load or make what the method trains.

    Args:
        model: a model, or what `likewise.load` takes.
        spec: of the method.
        data: to be trained on; says how many labels a cross-encoder answers, and teaches a random
            encoder's own tokenizer.
        options: of the method.
        seed: of the run; a new head is drawn from it.

    Raises:
        InputError: a cross-encoder where an encoder is trained.
    """
    found = model if isinstance(model, Encoder | CrossEncoder) else _load(str(model), data)
    if spec.makes == "cross-encoder":
        if isinstance(found, CrossEncoder):
            return Start(model=found, base=found)
        labels = labels_of(str(options.get("loss", "auto")), data)
        own = child_seed(seed, "cross-encoder")
        cross = from_encoder(found, classes=max(len(labels), 1), labels=labels, seed=own)
        return Start(model=cross, base=CosineScorer(found), is_fresh=True)
    if isinstance(found, CrossEncoder):
        named = f'"{model}"' if isinstance(model, str | Path) else "the model"
        problem = f"{named} is a cross-encoder: it scores pairs, and has no vectors to train"
        raise InputError(problem, mend="use --method cross-encoder, or another --base")
    return Start(model=found, base=found)


def _load(name: str, data: Dataset) -> Encoder | CrossEncoder:
    return (
        load(name, texts=_texts(data))
        if has_own_tokenizer(parse_name(name))
        else load_teacher(name)
    )


def _texts(data: Dataset) -> Iterator[str]:
    """Every text of every column as often as it stands there, a chunk in memory at a time."""
    for role in data.text_roles():
        for first in range(0, len(data), CHUNK):
            part = replace(data, table=data.table.select([role]).slice(first, CHUNK))
            for texts in part.text_lists(role):
                yield from texts
