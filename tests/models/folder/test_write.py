import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from likewise.errors import InputError
from likewise.models.folder import write as write_module
from likewise.models.folder.contents import ModelFolder, PoolingConfig, TailModule
from likewise.models.folder.read import read_folder
from likewise.models.folder.write import write_folder

DENSE = TailModule(
    kind="Dense",
    config={
        "in_features": 64,
        "out_features": 8,
        "bias": False,
        "activation_function": "torch.nn.modules.linear.Identity",
        "module_input_name": "sentence_embedding",
        "module_output_name": "sentence_embedding",
    },
    weights={"linear.weight": torch.arange(512.0).reshape(8, 64)},
)
NORM = TailModule(
    kind="LayerNorm",
    config={"dimension": 8},
    weights={"norm.weight": torch.ones(8), "norm.bias": torch.zeros(8)},
)


@pytest.fixture
def contents(tiny_folder: Path) -> ModelFolder:
    return replace(
        read_folder(tiny_folder),
        pooling=PoolingConfig(modes=("cls", "mean"), include_prompt=False),
        tail=(DENSE, NORM, TailModule(kind="Normalize")),
        prompts={"query": "frage: ", "document": ""},
        default_prompt="document",
        similarity="dot",
        truncate_dimensions=4,
        lower_case=True,
    )


def json_of(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_what_is_written_is_read_again(contents: ModelFolder, tmp_path: Path):
    write_folder(tmp_path / "out", contents)
    found = read_folder(tmp_path / "out")
    for name in (
        "config",
        "pooling",
        "max_tokens",
        "lower_case",
        "prompts",
        "default_prompt",
        "similarity",
        "truncate_dimensions",
        "files",
    ):
        assert getattr(found, name) == getattr(contents, name), name
    assert found.weights.keys() == contents.weights.keys()
    assert all(torch.equal(found.weights[n], t) for n, t in contents.weights.items())
    assert [module.kind for module in found.tail] == ["Dense", "LayerNorm", "Normalize"]
    for module, original in zip(found.tail, contents.tail, strict=True):
        assert all(torch.equal(module.weights[n], t) for n, t in original.weights.items())


def test_the_files_are_those_of_the_older_layout(contents: ModelFolder, tmp_path: Path):
    out = tmp_path / "out"
    write_folder(out, contents)
    found = {str(path.relative_to(out)) for path in out.rglob("*")}
    assert found == {
        "1_Pooling",
        "1_Pooling/config.json",
        "2_Dense",
        "2_Dense/config.json",
        "2_Dense/model.safetensors",
        "3_LayerNorm",
        "3_LayerNorm/config.json",
        "3_LayerNorm/model.safetensors",
        "4_Normalize",
        "README.md",
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    types = [line["type"] for line in json_of(out / "modules.json")]
    assert types == [
        f"sentence_transformers.models.{kind}"
        for kind in ("Transformer", "Pooling", "Dense", "LayerNorm", "Normalize")
    ]
    assert json_of(out / "sentence_bert_config.json") == {
        "max_seq_length": 32,
        "do_lower_case": True,
    }
    assert json_of(out / "1_Pooling" / "config.json") == {
        "word_embedding_dimension": 32,
        "pooling_mode_cls_token": True,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
        "pooling_mode_weightedmean_tokens": False,
        "pooling_mode_lasttoken": False,
        "include_prompt": False,
    }


def test_a_dense_module_has_only_the_keys_that_older_readers_take(
    contents: ModelFolder, tmp_path: Path
):
    write_folder(tmp_path / "out", contents)
    assert json_of(tmp_path / "out" / "2_Dense" / "config.json").keys() == {
        "in_features",
        "out_features",
        "bias",
        "activation_function",
    }
    residual = replace(DENSE, config={**DENSE.config, "use_residual": True})
    write_folder(tmp_path / "two", replace(contents, tail=(residual,)))
    assert json_of(tmp_path / "two" / "2_Dense" / "config.json")["use_residual"] is True


def test_settings_are_sorted_and_complete(contents: ModelFolder, tmp_path: Path):
    write_folder(tmp_path / "out", contents)
    path = tmp_path / "out" / "config_sentence_transformers.json"
    settings = json_of(path)
    assert list(settings) == sorted(settings)
    assert path.read_text().startswith('{\n  "__version__": {\n')
    assert settings["model_type"] == "SentenceTransformer"
    assert settings["__version__"].keys() == {"sentence_transformers", "transformers", "pytorch"}
    assert settings["truncate_dim"] == 4
    write_folder(tmp_path / "two", replace(contents, truncate_dimensions=None))
    assert "truncate_dim" not in json_of(tmp_path / "two" / "config_sentence_transformers.json")


def test_weights_say_that_they_are_torch_s(contents: ModelFolder, tmp_path: Path):
    write_folder(tmp_path / "out", contents)
    for place in ("", "2_Dense"):
        with safe_open(tmp_path / "out" / place / "model.safetensors", framework="pt") as file:
            assert file.metadata() == {"format": "pt"}


def test_a_card_is_kept_and_a_missing_one_made(contents: ModelFolder, tmp_path: Path):
    write_folder(tmp_path / "one", replace(contents, card="# mine"))
    assert (tmp_path / "one" / "README.md").read_text() == "# mine"
    write_folder(tmp_path / "two", replace(contents, card=None))
    assert "# two" in (tmp_path / "two" / "README.md").read_text()
    assert "a vector of 8 numbers" in (tmp_path / "two" / "README.md").read_text()


def test_an_existing_model_stays_unless_overwriting_is_asked(contents: ModelFolder, tmp_path: Path):
    write_folder(tmp_path / "out", contents)
    with pytest.raises(InputError, match="a model is here already"):
        write_folder(tmp_path / "out", replace(contents, max_tokens=7))
    assert read_folder(tmp_path / "out").max_tokens == 32
    write_folder(tmp_path / "out", replace(contents, max_tokens=7), overwrite=True)
    assert read_folder(tmp_path / "out").max_tokens == 7


def test_a_failure_leaves_the_old_model_and_nothing_else(
    contents: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "models" / "out"
    write_folder(out, contents)

    def full(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write_module, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        write_folder(out, replace(contents, max_tokens=7), overwrite=True)
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert read_folder(out).max_tokens == 32


def test_a_model_can_be_written_over_the_folder_that_it_was_read_from(tiny_folder: Path):
    contents = read_folder(tiny_folder)
    write_folder(tiny_folder, contents, overwrite=True)
    again = read_folder(tiny_folder)
    assert all(torch.equal(again.weights[n], t) for n, t in contents.weights.items())


def test_an_order_of_modes_that_booleans_cannot_tell_is_kept(contents: ModelFolder, tmp_path: Path):
    swapped = replace(contents, pooling=PoolingConfig(modes=("mean", "cls")), tail=())
    write_folder(tmp_path / "out", swapped)
    assert read_folder(tmp_path / "out").pooling.modes == ("mean", "cls")


def test_a_configuration_without_a_width_is_a_programmer_s_mistake(
    contents: ModelFolder, tmp_path: Path
):
    with pytest.raises(ValueError, match="names no width"):
        write_folder(tmp_path / "out", replace(contents, config={"model_type": "bert"}))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("key", ["dtype", "torch_dtype"])
def test_the_configuration_states_the_dtype_of_the_weights(
    contents: ModelFolder, tmp_path: Path, key: str
):
    half = {**contents.config, "dtype": "float16", key: "float16"}
    write_folder(tmp_path / "out", replace(contents, config=half))
    assert json_of(tmp_path / "out" / "config.json")[key] == "float32"
    assert half[key] == "float16"
