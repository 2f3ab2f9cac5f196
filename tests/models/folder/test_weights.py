import json
import os
import pickle
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from likewise.errors import InputError
from likewise.models.folder.weights import (
    base_weights,
    modern_names,
    read_pickle,
    read_safetensors,
    read_weights,
)

WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4, dtype=torch.bfloat16)}


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_file(WEIGHTS, tmp_path / "model.safetensors", metadata={"format": "pt"})
    return tmp_path / "model.safetensors"


def with_header(header: object, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_one_file_is_read(file: Path):
    assert_same(read_weights(file.parent), WEIGHTS)


def test_weights_outlive_their_file(file: Path):
    found = read_safetensors(file)
    file.write_bytes(b"\0" * file.stat().st_size)
    assert_same(found, WEIGHTS)


def test_shards_are_joined(tmp_path: Path):
    places = {}
    for name, tensor in WEIGHTS.items():
        save_file({name: tensor}, tmp_path / f"part-{name}.safetensors")
        places[name] = f"part-{name}.safetensors"
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    assert_same(read_weights(tmp_path), WEIGHTS)
    (tmp_path / "part-b.safetensors").unlink()
    with pytest.raises(InputError, match=r"part-b\.safetensors: this file is missing"):
        read_weights(tmp_path)


@pytest.mark.parametrize(
    ("index", "problem"),
    [
        (
            {"weight_map": {"a": "model.safetensors.part", "c": "model.safetensors.part"}},
            "1 weights listed here are in no shard, the first is c",
        ),
        ({"weight_map": {"a": "../outside.safetensors"}}, "points outside"),
        ({}, '"weight_map": expected dict'),
    ],
    ids=["not in its shard", "climbs out", "no map"],
)
def test_an_index_that_lies_is_named(file: Path, index: object, problem: str):
    file.rename(file.parent / "model.safetensors.part")
    (file.parent / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match=problem):
        read_weights(file.parent)


def test_a_cut_file_is_named_wherever_it_is_cut(file: Path):
    whole = file.read_bytes()
    for size in [0, 4, 8, 20, len(whole) // 2, len(whole) - 1]:
        file.write_bytes(whole[:size])
        with pytest.raises(InputError, match="not a whole safetensors file") as caught:
            read_safetensors(file)
        assert str(file) in str(caught.value)


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 50) + b"{}",
        with_header({"a": {**ENTRY, "data_offsets": [0, 800]}}, b"\0" * 8),
        with_header({"a": {**ENTRY, "shape": [200]}}, b"\0" * 8),
        with_header({"a": ENTRY, "b": ENTRY}, b"\0" * 8),
        with_header({"a": {**ENTRY, "dtype": "X7"}}, b"\0" * 8),
        with_header({"a": ENTRY}, b"\0" * 20),
        with_header({"a": {**ENTRY, "shape": [2**40, 2**40]}}, b"\0" * 8),
        with_header([1, 2], b""),
        b"\x80\x04\x95" + b"\0" * 30,
    ],
    ids=[
        "huge header",
        "long header",
        "far offset",
        "wrong shape",
        "overlap",
        "no such dtype",
        "bytes over",
        "overflow",
        "list",
        "a pickle",
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors: not a whole safetensors file"):
        read_safetensors(path)


def test_a_folder_without_weights_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"no weights here: expected model\.safetensors") as caught:
        read_weights(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_pickle_of_tensors_is_read(tmp_path: Path):
    torch.save(WEIGHTS, tmp_path / "pytorch_model.bin")
    assert_same(read_weights(tmp_path), WEIGHTS)


def test_pickled_shards_are_joined(tmp_path: Path):
    torch.save(WEIGHTS, tmp_path / "part.bin")
    index = {"weight_map": dict.fromkeys(WEIGHTS, "part.bin")}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert_same(read_weights(tmp_path), WEIGHTS)


class _Marks:
    """Makes a folder when it is unpickled in the ordinary way."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def dump(value: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(value))


@pytest.mark.parametrize("save", [dump, torch.save], ids=["pickle", "torch"])
def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path: Path, save):
    marker = tmp_path / "ran"
    path = tmp_path / "pytorch_model.bin"
    save({"a": _Marks(str(marker))}, path)
    with pytest.raises(InputError, match="refused") as caught:
        read_pickle(path)
    assert "model.safetensors" in caught.value.mend
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"PK\x03\x04broken"])
def test_a_damaged_pickle_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(InputError, match=r"pytorch_model\.bin: refused"):
        read_weights(tmp_path)


def test_a_pickle_of_something_else_is_refused(tmp_path: Path):
    torch.save({"a": 1}, tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match="expected a dictionary of tensors"):
        read_weights(tmp_path)


def test_safetensors_win_over_a_pickle(file: Path):
    (file.parent / "pytorch_model.bin").write_bytes(b"not even a pickle")
    assert_same(read_weights(file.parent), WEIGHTS)


@pytest.mark.parametrize(
    ("model_type", "prefix"),
    [
        ("bert", "bert."),
        ("roberta", "roberta."),
        ("xlm-roberta", "roberta."),
        ("camembert", "roberta."),
        ("distilbert", "distilbert."),
        ("mpnet", "mpnet."),
        ("modernbert", "model."),
        ("deberta-v2", "deberta."),
        ("bert", ""),
    ],
)
def test_the_prefix_of_a_task_head_is_taken_off(model_type: str, prefix: str):
    backbone = {"embeddings.tokens": torch.ones(1), "layer.0.weight": torch.zeros(1)}
    named = {prefix + name: tensor for name, tensor in backbone.items()}
    head = {"cls.predictions.bias": torch.ones(1)} if prefix else {}
    assert base_weights({**named, **head}, model_type).keys() == backbone.keys()


def test_old_names_of_a_norm_s_weights_are_understood():
    old = {"x.LayerNorm.gamma": torch.ones(1), "x.LayerNorm.beta": torch.zeros(1)}
    found = base_weights({**old, "x.gamma": torch.ones(1)}, "bert")
    assert set(found) == {"x.LayerNorm.weight", "x.LayerNorm.bias", "x.gamma"}


def test_position_numbers_are_no_weights():
    given = {"embeddings.position_ids": torch.arange(3), "embeddings.w": torch.ones(1)}
    assert list(base_weights(given, "bert")) == ["embeddings.w"]


def test_names_of_long_ago_become_those_of_today_and_prefixes_stay():
    scale, shift, places = torch.ones(2), torch.zeros(2), torch.arange(3)
    old = {
        "bert.LayerNorm.gamma": scale,
        "bert.LayerNorm.beta": shift,
        "bert.embeddings.position_ids": places,
        "classifier.gamma": scale,
    }
    assert modern_names(old) == {
        "bert.LayerNorm.weight": scale,
        "bert.LayerNorm.bias": shift,
        "classifier.gamma": scale,
    }
