"""Folders of a static encoder: sentence-transformers' StaticEmbedding, and model2vec's.

A StaticEmbedding is `tokenizer.json` beside `model.safetensors` with one tensor, and has no
config.json; before 5.0 it lay in `0_StaticEmbedding/`, since then in the root. Both are read; the
former is written, because readers of that time take a module in the root for a transformer.
"""

from pathlib import Path
from typing import Any

from torch import Tensor

from likewise.errors import InputError, Where
from likewise.models.folder.contents import ModelFolder, PoolingConfig, TailModule
from likewise.models.folder.jsons import read_object, read_object_if_there
from likewise.models.folder.weights import SINGLE, read_weights

STATIC_KIND = "StaticEmbedding"
WEIGHT = "embedding.weight"
TOKENIZER = "tokenizer.json"


def static_config(rows: int, width: int) -> dict[str, Any]:
    """The configuration that a StaticEmbedding has no file for.

    The padding id, which stands for a text without tokens, is the one behind the last row.

    Args:
        rows: of the table.
        width: of a row.
    """
    return {
        "model_type": "static",
        "vocab_size": rows,
        "hidden_size": width,
        "num_hidden_layers": 0,
        "pad_token_id": rows,
    }


def is_static(contents: ModelFolder) -> bool:
    """Whether these are the contents of a static encoder."""
    return contents.config.get("model_type") == "static"


def is_bare_static(path: Path) -> bool:
    """Whether a folder without modules.json is a table: model2vec's, or with no config.json."""
    config = path / "config.json"
    if config.exists():
        return read_object(config).get("model_type") == "model2vec"
    return (path / TOKENIZER).is_file() and (path / SINGLE).is_file()


def read_table(home: Path) -> Tensor:
    """The table [V, H] of a StaticEmbedding or of a model2vec model, in the dtype of the file.

    model2vec may keep fewer rows than tokens, with a row number a token in `mapping`, and a
    weight a token in `weights`. A mean over tokens is linear, so both fold into the table.

    Args:
        home: folder of the module.

    Raises:
        InputError: there is no such tensor, or it is no table.
    """
    weights = read_weights(home)
    where = Where(path=str(home / SINGLE))
    mend = "give a StaticEmbedding or model2vec folder, or copy it again"
    table = weights.get(WEIGHT, weights.get("embeddings"))
    if table is None or table.dim() != 2 or not table.is_floating_point():
        found = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in weights.items())
        problem = f"expected one table, {WEIGHT} or embeddings, found {found or 'nothing'}"
        raise InputError(problem, mend=mend, where=where)
    if WEIGHT in weights:
        return table
    mapping, scale = weights.get("mapping"), weights.get("weights")
    try:
        table = table if mapping is None else table[mapping.long()]
        return table if scale is None else table.float() * scale.float().unsqueeze(1)
    except (IndexError, RuntimeError) as error:
        problem = f"mapping and weights do not fit the table: {error}"
        raise InputError(problem, mend=mend, where=where) from error


def bare_tail(path: Path) -> tuple[TailModule, ...]:
    """What follows the mean in a folder without modules.json: model2vec may say "normalize"."""
    config = read_object_if_there(path / "config.json")
    return (TailModule(kind="Normalize"),) if config.get("normalize") else ()


def refuse_other_pooling(contents: ModelFolder) -> None:
    """Raise unless the pooling is the one that a StaticEmbedding has: the mean over all tokens.

    Raises:
        InputError: it is another; written down, it would be lost.
    """
    if contents.pooling != PoolingConfig():
        modes = " + ".join(contents.pooling.modes)
        problem = f'a static folder means the mean over all tokens, this encoder pools by "{modes}"'
        mend = "save one with mean pooling; others can be used and measured, not saved"
        raise InputError(problem, mend=mend)
