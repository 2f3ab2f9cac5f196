"""Data sets of the Hugging Face hub, through `datasets`; a local folder of that name wins."""

from typing import Any

from likewise.data.files import Rows
from likewise.data.kinds.values import NLI_LABELS
from likewise.errors import InputError, Where
from likewise.extras import require

PREFIX = "hub:"
BATCH_ROWS = 1024


def read_hub(name: str) -> Rows:
    """Yield every row of one split; a row's number is its place in the split, from 1.

    NLI labels that the data set keeps as numbers with names are yielded as their names, because
    data sets number them differently.

    Args:
        name: "hub:ORG/NAME[:CONFIG][:SPLIT]"; without a split it is "train", or the only one.

    Raises:
        InputError: the name, configuration or split does not exist, or the hub cannot be reached.
        MissingExtra: `datasets` is not installed.
    """
    repository, *parts = name.removeprefix(PREFIX).split(":")
    if not repository or len(parts) > 2:
        problem = f'expected hub:ORG/NAME[:CONFIG][:SPLIT], found "{name}"'
        raise InputError(problem, mend="hub:sentence-transformers/stsb::validation")
    rows = _chosen_split(name, repository, parts)
    names = {
        column: feature
        for column, feature in rows.features.items()
        if {n.casefold() for n in getattr(feature, "names", None) or ["no class"]} <= {*NLI_LABELS}
    }
    row = 0
    for batch in rows.iter(batch_size=BATCH_ROWS):
        columns = list(batch)
        for values in zip(*batch.values(), strict=True):
            row += 1
            record = dict(zip(columns, values, strict=True))
            for column, feature in names.items():
                record[column] = _named(feature, record[column])
            yield Where(path=name, row=row), record
    if not row:
        raise InputError("no rows in it", where=Where(path=name), mend="choose another split")


def _named(feature: Any, label: int | None) -> str:
    return "-" if label is None or label < 0 else str(feature.int2str(label)).casefold()


def _chosen_split(name: str, repository: str, parts: list[str]) -> Any:
    config, split = _config_and_split(name, repository, parts)
    splits = _loaded(name, repository, config)
    available = list(splits)
    wanted = split or ("train" if "train" in available else available[0])
    if wanted not in available or (not split and wanted != "train" and len(available) > 1):
        problem = f'there is no split "{split or "train"}"'
        offer = " or ".join(f"{PREFIX}{repository}:{config or ''}:{one}" for one in available)
        raise InputError(problem, where=Where(path=name), mend=offer)
    return splits[wanted]


def _config_and_split(
    name: str, repository: str, parts: list[str]
) -> tuple[str | None, str | None]:
    """What the parts of the name mean; a single one is a configuration where there is such one."""
    if len(parts) == 2:
        return parts[0] or None, parts[1] or None
    if not parts or not parts[0]:
        return None, None
    configs = _asked(name, repository, "get_dataset_config_names", repository)
    return (parts[0], None) if parts[0] in configs else (None, parts[0])


def _loaded(name: str, repository: str, config: str | None) -> Any:
    return _asked(name, repository, "load_dataset", repository, config)


def _asked(name: str, repository: str, function: str, *arguments: Any) -> Any:
    """Call a function of `datasets`; whatever goes wrong there is about the name or the network."""
    datasets = require("datasets", extra="hub")
    try:
        return getattr(datasets, function)(*arguments)
    except ValueError as error:
        problem = f"the hub data set cannot be loaded: {_first_line(error)}"
        mend = f"name its configuration: {PREFIX}{repository}:CONFIG:SPLIT"
        raise InputError(problem, where=Where(path=name), mend=mend) from error
    except Exception as error:  # the package lets errors of many libraries through
        problem = f"the hub data set cannot be reached: {_first_line(error)}"
        mend = (
            "check the name and the network (and that HF_HUB_OFFLINE is not set), or download the "
            "data set into a folder of that name here"
        )
        raise InputError(problem, where=Where(path=name), mend=mend) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
