"""What a model was trained on: in its card's front matter, as the hub has it, and back."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

HUB = "hub:"
FILES_KEY = "training_files"  # beside the hub's own "datasets", which takes names on the hub alone
MOST_FILES = 20  # named one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedOn:
    """The data behind a model's weights, that of its base model included where it is known.

    Attributes:
        datasets: names on the hub.
        files: files that were no data sets on the hub, by their folder and name.
        rows: of the last training; None where that is not recorded.
    """

    datasets: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    rows: int | None = None


def trained_later(
    before: TrainedOn | None, *, sources: Iterable[str], rows: int | None
) -> TrainedOn:
    """What a model was trained on once it has been trained on this too.

    Args:
        before: of the base model; None where that is not known or there is none.
        sources: files, or "hub:ORG/NAME[:CONFIG][:SPLIT]".
        rows: of this training.

    >>> trained_later(None, sources=["hub:mteb/stsb:default:train", "data/a/x.csv"], rows=3)
    TrainedOn(datasets=('mteb/stsb',), files=('a/x.csv',), rows=3)
    """
    before = before or TrainedOn()
    named = list(sources)
    hub = [one.removeprefix(HUB).split(":")[0] for one in named if one.startswith(HUB)]
    files = ["/".join(PurePath(one).parts[-2:]) for one in named if not one.startswith(HUB)]
    if len(files) > MOST_FILES:
        files = [f"{files[0]} and {len(files) - 1:,} more"]
    return TrainedOn(
        datasets=tuple(dict.fromkeys([*before.datasets, *hub])),
        files=tuple(dict.fromkeys([*before.files, *files])),
        rows=rows,
    )


def read_front_matter(card: str | None) -> dict[str, Any]:
    r"""The front matter of a model card; nothing where there is none that can be read.

    >>> read_front_matter("---\nlicense: mit\ndatasets:\n- snli\n---\n# A model")
    {'license': 'mit', 'datasets': ['snli']}
    """
    import yaml

    parts = (card or "").lstrip("\ufeff").split("---", 2)
    if len(parts) < 3 or parts[0].strip():
        return {}
    try:
        found = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return {}  # a card is prose: the model loads whatever stands there
    return found if isinstance(found, dict) else {}


def read_trained_on(card: str | None) -> TrainedOn | None:
    """What a card says of its model's training data; None where it says nothing.

    Args:
        card: the text of README.md.
    """
    matter = read_front_matter(card)
    if not {"datasets", FILES_KEY} & matter.keys():
        return None
    tags = [str(tag) for tag in _listed(matter.get("tags"))]
    sizes = [tag.removeprefix("dataset_size:") for tag in tags if tag.startswith("dataset_size:")]
    return TrainedOn(
        datasets=tuple(map(str, _listed(matter.get("datasets")))),
        files=tuple(map(str, _listed(matter.get(FILES_KEY)))),
        rows=int(sizes[0]) if sizes and sizes[0].isdecimal() else None,
    )


def front_matter(tags: Iterable[str], data: TrainedOn | None, base_model: str | None) -> list[str]:
    """The lines of tags, base model and training data, as the hub reads them.

    Args:
        tags: of the model; the number of rows joins them, as sentence-transformers writes it.
        data: what it was trained on.
        base_model: its name on the hub.
    """
    data = data or TrainedOn()
    size = [] if data.rows is None else [f"dataset_size:{data.rows}"]
    lines = ["tags:", *(f"- {tag}" for tag in (*tags, *size))]
    if base_model is not None:
        lines.append(f"base_model: {base_model}")
    for key, names in (("datasets", data.datasets), (FILES_KEY, data.files)):
        if names:
            lines += [f"{key}:", *(f"- {json.dumps(name, ensure_ascii=False)}" for name in names)]
    return lines


def describe_data(data: TrainedOn | None) -> str:
    """The training data in one line of a card."""
    if data is None:
        return "not recorded"
    names = ", ".join((*data.datasets, *data.files))
    return names if data.rows is None else f"{names} ({data.rows:,} rows in the last training)"


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
