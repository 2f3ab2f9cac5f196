import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.modules import Pooling

from likewise.errors import InputError
from likewise.models.folder.contents import POOLING_MODES, PoolingConfig
from likewise.models.folder.layouts import (
    first_of_tail,
    format_pooling,
    parse_pooling,
    read_modules,
)

FILE = Path("1_Pooling/config.json")
NEW = {
    "Transformer": "sentence_transformers.base.modules.transformer.Transformer",
    "Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
    "Dense": "sentence_transformers.base.modules.dense.Dense",
    "Normalize": "sentence_transformers.base.modules.normalize.Normalize",
    "LayerNorm": "sentence_transformers.sentence_transformer.modules.layer_norm.LayerNorm",
}
STATIC = "sentence_transformers.sentence_transformer.modules.static_embedding.StaticEmbedding"
OLD = {kind: f"sentence_transformers.models.{kind}" for kind in NEW}


def modules_file(folder: Path, kinds: dict[str, str], names: list[str], **change: Any) -> Path:
    lines = [
        {"idx": i, "name": str(i), "path": f"{i}_{name}" if i else "", "type": kinds[name]}
        for i, name in enumerate(names)
    ]
    lines[-1].update(change)
    path = folder / "modules.json"
    path.write_text(json.dumps(lines))
    return path


@pytest.mark.parametrize("kinds", [OLD, NEW], ids=["up to 5.3", "since 5.4"])
def test_both_ways_of_naming_classes_mean_the_same(tmp_path: Path, kinds: dict[str, str]):
    entries = read_modules(modules_file(tmp_path, kinds, list(NEW)))
    assert [entry.kind for entry in entries] == list(NEW)
    assert entries[0].folder == tmp_path
    assert entries[2].folder == tmp_path / "2_Dense"


def test_the_first_module_may_bear_its_family_s_name(tmp_path: Path):
    kinds = {"BERT": "sentence_transformers.models.BERT", **OLD}
    path = modules_file(tmp_path, kinds, ["BERT", "Pooling"])
    assert read_modules(path)[0].kind == "Transformer"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"type": "sentence_transformers.models.LSTM"}, 'LSTM" is not supported'),
        ({"type": "custom.modeling.Pooling"}, "never run"),
        ({"type": "evil_sentence_transformers.Pooling"}, "never run"),
        ({"path": "../../etc"}, "points outside"),
        ({"path": "/etc"}, "points outside"),
        ({"type": None}, '"type": expected str, found None'),
        ({"path": 1}, '"path": expected str, found 1'),
    ],
)
def test_a_module_that_cannot_be_had_is_named(tmp_path: Path, change: dict[str, Any], problem: str):
    path = modules_file(tmp_path, OLD, ["Transformer", "Pooling"], **change)
    with pytest.raises(InputError, match=problem) as caught:
        read_modules(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "names",
    [
        ["Pooling", "Transformer"],
        ["Transformer", "Dense"],
        ["Transformer", "Pooling", "Pooling"],
        ["Transformer", "Pooling", "Transformer"],
        ["StaticEmbedding", "Pooling"],
        ["Transformer", "StaticEmbedding"],
    ],
    ids=" ".join,
)
def test_another_order_of_modules_is_refused(tmp_path: Path, names: list[str]):
    with pytest.raises(InputError, match="expected Transformer, Pooling and what follows"):
        read_modules(modules_file(tmp_path, {**OLD, "StaticEmbedding": STATIC}, names))


@pytest.mark.parametrize("name", [STATIC, "sentence_transformers.models.StaticEmbedding"])
def test_a_table_needs_no_pooling_before_what_follows(tmp_path: Path, name: str):
    kinds = {**OLD, "StaticEmbedding": name}
    entries = read_modules(modules_file(tmp_path, kinds, ["StaticEmbedding", "Dense", "Normalize"]))
    assert [entry.kind for entry in entries] == ["StaticEmbedding", "Dense", "Normalize"]
    assert first_of_tail(entries) == 1
    entries = read_modules(modules_file(tmp_path, OLD, ["Transformer", "Pooling", "Dense"]))
    assert first_of_tail(entries) == 2


@pytest.mark.parametrize("content", ["[]", "{}", "[1]"])
def test_a_file_without_modules_is_named(tmp_path: Path, content: str):
    (tmp_path / "modules.json").write_text(content)
    with pytest.raises(InputError, match=r"modules\.json"):
        read_modules(tmp_path / "modules.json")


def test_every_set_of_modes_survives_the_older_layout():
    for size in range(1, len(POOLING_MODES) + 1):
        for modes in itertools.combinations(POOLING_MODES, size):
            pooling = PoolingConfig(modes=modes, include_prompt=size % 2 == 0)
            config = format_pooling(pooling, 8)
            assert "pooling_mode" not in config
            assert parse_pooling(config, FILE) == pooling


@given(st.lists(st.sampled_from(POOLING_MODES), min_size=1, max_size=4))
def test_no_order_of_modes_is_ever_lost(modes: list[str]):
    pooling = PoolingConfig(modes=tuple(modes))
    assert parse_pooling(format_pooling(pooling, 8), FILE) == pooling


@given(st.lists(st.sampled_from(POOLING_MODES), min_size=1, max_size=3, unique=True))
def test_what_is_written_means_the_same_to_the_peer(modes: list[str]):
    peer = Pooling(**parsed_by_the_peer(format_pooling(PoolingConfig(modes=tuple(modes)), 8)))
    named = (peer.pooling_mode,) if isinstance(peer.pooling_mode, str) else peer.pooling_mode
    assert list(named) == modes


def parsed_by_the_peer(config: dict[str, Any]) -> dict[str, Any]:
    """As its `load_config` treats a file."""
    from sentence_transformers.sentence_transformer.modules import pooling as peer

    config = dict(config)
    width = config.pop("word_embedding_dimension", None)
    peer._convert_legacy_pooling_kwargs(config)
    return config if width is None else {"embedding_dimension": width, **config}


@pytest.mark.parametrize(
    ("config", "modes"),
    [
        ({"pooling_mode": "cls"}, ("cls",)),
        ({"pooling_mode": ["mean", "cls"]}, ("mean", "cls")),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, ("cls",)),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, ("cls", "mean")),
        ({"word_embedding_dimension": 8}, ("mean",)),
    ],
)
def test_each_way_of_naming_modes_is_read(config: dict[str, Any], modes: tuple[str, ...]):
    assert parse_pooling(config, FILE).modes == modes


@pytest.mark.parametrize(
    "config",
    [
        {"pooling_mode": "median"},
        {"pooling_mode": 3},
        {"pooling_mode": []},
        {"include_prompt": "yes"},
        {"pooling_mode": [["mean"]]},
    ],
)
def test_a_mode_that_is_none_names_the_file(config: dict[str, Any]):
    with pytest.raises(InputError, match=r"1_Pooling/config\.json"):
        parse_pooling(config, FILE)
