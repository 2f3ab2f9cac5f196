import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from likewise.errors import InputError
from likewise.models.build import load
from likewise.models.folder.contents import PoolingConfig
from likewise.models.folder.read import read_folder

NEW_TYPES = {
    "Transformer": "sentence_transformers.base.modules.transformer.Transformer",
    "Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
}


def change_json(path: Path, **change: Any) -> None:
    found = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**found, **change}))


def to_new_layout(folder: Path) -> None:
    """As sentence-transformers since 5.4 writes it, by hand."""
    (folder / "sentence_bert_config.json").write_text(
        json.dumps(
            {"transformer_task": "feature-extraction", "module_output_name": "token_embeddings"}
        )
    )
    change_json(folder / "tokenizer_config.json", model_max_length=32)
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"embedding_dimension": 32, "pooling_mode": "mean", "include_prompt": True})
    )
    modules = json.loads((folder / "modules.json").read_text())
    for module in modules:
        module["type"] = NEW_TYPES[module["type"].rsplit(".", 1)[-1]]
    (folder / "modules.json").write_text(json.dumps(modules))


def test_an_older_folder_is_read(tiny_folder: Path):
    found = read_folder(tiny_folder)
    assert found.pooling == PoolingConfig(modes=("mean",))
    assert found.max_tokens == 32
    assert found.tail == ()
    assert found.prompts == {}
    assert found.similarity == "cosine"
    assert found.notes == ()
    assert found.config["hidden_size"] == 32
    assert found.weights.keys() == load_file(tiny_folder / "model.safetensors").keys()


def test_both_layouts_hold_the_same_model(tiny_folder: Path, tmp_path: Path):
    new = Path(shutil.copytree(tiny_folder, tmp_path / "new"))
    to_new_layout(new)
    before, after = read_folder(tiny_folder), read_folder(new)
    assert before.pooling == after.pooling
    assert before.max_tokens == after.max_tokens
    texts = ["paint the river", "a guide"]
    found = [load(folder).encode(texts, precision="float32") for folder in (tiny_folder, new)]
    np.testing.assert_array_equal(*found)


def test_the_first_release_s_own_folder_for_the_transformer_is_read(tiny_folder: Path):
    home = tiny_folder / "0_Transformer"
    home.mkdir()
    for path in list(tiny_folder.iterdir()):
        if path.is_file() and path.name != "modules.json":
            path.rename(home / path.name)
    modules = json.loads((tiny_folder / "modules.json").read_text())
    modules[0]["path"] = "0_Transformer"
    (tiny_folder / "modules.json").write_text(json.dumps(modules))
    assert read_folder(tiny_folder).max_tokens == 32


def test_a_plain_transformers_folder_gets_the_mean_and_a_note(tiny_folder: Path):
    (tiny_folder / "modules.json").unlink()
    shutil.rmtree(tiny_folder / "1_Pooling")
    found = read_folder(tiny_folder)
    assert found.pooling == PoolingConfig(modes=("mean",))
    assert found.notes == (
        f"{tiny_folder} says nothing about pooling: the mean over all tokens is used",
    )


def test_settings_are_read(tiny_folder: Path):
    change_json(
        tiny_folder / "config_sentence_transformers.json",
        prompts={"query": "ask: ", "document": ""},
        default_prompt_name="query",
        similarity_fn_name="dot",
        truncate_dim=8,
    )
    (tiny_folder / "README.md").write_text("# mine")
    found = read_folder(tiny_folder)
    assert found.prompts == {"query": "ask: ", "document": ""}
    assert found.default_prompt == "query"
    assert found.similarity == "dot"
    assert found.truncate_dimensions == 8
    assert found.card == "# mine"


@pytest.mark.parametrize(
    ("bert", "tokenizer", "limit"),
    [
        ({"max_seq_length": 20}, {"model_max_length": 30}, 20),
        ({"max_seq_length": None}, {"model_max_length": 30}, 30),
        ({"processing_kwargs": {"text": {"max_length": 12}}}, {"model_max_length": 30}, 12),
        ({}, {"model_max_length": 1e30}, None),
        ({}, {"model_max_length": int(1e30)}, None),
        ({}, {}, None),
    ],
)
def test_the_first_limit_stated_holds(
    tiny_folder: Path, bert: dict[str, Any], tokenizer: dict[str, Any], limit: int | None
):
    (tiny_folder / "sentence_bert_config.json").write_text(json.dumps(bert))
    (tiny_folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    assert read_folder(tiny_folder).max_tokens == limit


def test_a_checkpoint_with_a_task_head_is_read(tiny_folder: Path):
    path = tiny_folder / "model.safetensors"
    weights = load_file(path)
    named = {f"bert.{name}": tensor for name, tensor in weights.items()}
    save_file({**named, "cls.predictions.bias": torch.ones(3)}, path)
    assert read_folder(tiny_folder).weights.keys() == weights.keys()


REQUIRED = ("config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_file_is_named(tiny_folder: Path, name: str):
    (tiny_folder / name).unlink()
    with pytest.raises(InputError, match=name.replace(".", r"\.")) as caught:
        read_folder(tiny_folder)
    assert str(tiny_folder) in str(caught.value)
    assert caught.value.mend


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "modules.json",
        "model.safetensors",
        "1_Pooling/config.json",
        "sentence_bert_config.json",
        "tokenizer_config.json",
    ],
)
def test_a_cut_file_is_named(tiny_folder: Path, name: str):
    path = tiny_folder / name
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        read_folder(tiny_folder)


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("config.json", {"model_type": None}, '"model_type": expected str'),
        ("sentence_bert_config.json", {"transformer_task": "fill-mask"}, "of fill-mask"),
        ("sentence_bert_config.json", {"module_output_name": "logits"}, "found logits"),
        ("sentence_bert_config.json", {"max_seq_length": 0}, "one token at least, found 0"),
        ("config_sentence_transformers.json", {"model_type": "CrossEncoder"}, '"CrossEncoder"'),
        ("config_sentence_transformers.json", {"prompts": {"query": 1}}, '"prompts.query"'),
        ("config_sentence_transformers.json", {"prompts": ["query"]}, '"prompts": expected dict'),
        ("config_sentence_transformers.json", {"similarity_fn_name": "hamming"}, "'hamming'"),
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}, "named 'query'"),
        ("config_sentence_transformers.json", {"truncate_dim": "8"}, '"truncate_dim": expected'),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    tiny_folder: Path, name: str, change: dict[str, Any], problem: str
):
    change_json(tiny_folder / name, **change)
    with pytest.raises(InputError, match=problem):
        read_folder(tiny_folder)


def test_a_dense_module_of_token_vectors_is_refused(tiny_folder: Path):
    modules = json.loads((tiny_folder / "modules.json").read_text())
    dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    (tiny_folder / "modules.json").write_text(json.dumps([*modules, dense]))
    (tiny_folder / "2_Dense").mkdir()
    change_json(tiny_folder / "2_Dense" / "config.json", module_input_name="token_embeddings")
    with pytest.raises(InputError, match='"module_input_name": only "sentence_embedding"'):
        read_folder(tiny_folder)


def test_nothing_and_a_file_are_no_folders(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="found a file"):
        read_folder(tmp_path / "file")
    with pytest.raises(InputError, match="found nothing"):
        read_folder(tmp_path / "absent")
    with pytest.raises(InputError, match=r"neither modules\.json nor config\.json"):
        read_folder(tmp_path)
