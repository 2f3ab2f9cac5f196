import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from conftest import make_folder
from likewise.errors import InputError
from likewise.models.cross_encoder import from_encoder
from likewise.models.folder.cross_encoder import CrossEncoderFolder, read_cross_encoder
from likewise.models.folder.cross_write import labels_of, with_labels, write_cross_encoder

SIGMOID = "torch.nn.modules.activation.Sigmoid"


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> CrossEncoderFolder:
    base = make_folder(tmp_path_factory.mktemp("base") / "tiny")
    made = from_encoder(base, classes=1).to_contents()
    return replace(made, base_model="org/base")


def read(path: Path) -> dict[str, object]:
    return json.loads(path.read_text())


def test_the_folder_is_plain(contents: CrossEncoderFolder, tmp_path: Path):
    write_cross_encoder(tmp_path / "cross", contents)
    names = {path.name for path in (tmp_path / "cross").iterdir()}
    assert names == {
        "README.md",
        "config.json",
        "model.safetensors",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    config = read(tmp_path / "cross/config.json")
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert config["id2label"] == {"0": "LABEL_0"}
    assert config["label2id"] == {"LABEL_0": 0}
    assert config["sentence_transformers"]["activation_fn"] == SIGMOID
    assert config["sbert_ce_default_activation_function"] == SIGMOID


def test_what_is_written_is_read_again(contents: CrossEncoderFolder, tmp_path: Path):
    write_cross_encoder(tmp_path / "cross", contents)
    found = read_cross_encoder(tmp_path / "cross")
    for field in ("activation", "max_tokens", "prompts", "default_prompt", "files"):
        assert getattr(found, field) == getattr(contents, field), field
    assert found.weights.keys() == contents.weights.keys()
    assert all(torch.equal(t, contents.weights[name]) for name, t in found.weights.items())


def test_only_a_new_limit_changes_a_tokenizer_file(contents: CrossEncoderFolder, tmp_path: Path):
    write_cross_encoder(tmp_path / "same", contents)
    for name, content in contents.files.items():
        assert (tmp_path / "same" / name).read_bytes() == content
    write_cross_encoder(tmp_path / "short", replace(contents, max_tokens=20))
    settings = read(tmp_path / "short/tokenizer_config.json")
    assert settings == {
        **json.loads(contents.files["tokenizer_config.json"]),
        "model_max_length": 20,
    }


def test_a_tokenizer_without_settings_gets_the_limit(contents: CrossEncoderFolder, tmp_path: Path):
    files = {"tokenizer.json": contents.files["tokenizer.json"]}
    write_cross_encoder(tmp_path / "cross", replace(contents, files=files, max_tokens=30))
    assert read(tmp_path / "cross/tokenizer_config.json") == {"model_max_length": 30}


def test_prompts_bring_the_files_of_the_newer_layout(contents: CrossEncoderFolder, tmp_path: Path):
    prompted = replace(contents, prompts={"query": "q: "}, default_prompt="query")
    write_cross_encoder(tmp_path / "cross", prompted)
    settings = read(tmp_path / "cross/config_sentence_transformers.json")
    assert settings["model_type"] == "CrossEncoder"
    assert settings["prompts"] == {"query": "q: "}
    assert settings["default_prompt_name"] == "query"
    found = read_cross_encoder(tmp_path / "cross")
    assert (found.prompts, found.default_prompt) == ({"query": "q: "}, "query")


def test_the_dtype_stated_is_that_of_the_weights(contents: CrossEncoderFolder, tmp_path: Path):
    half = replace(
        contents,
        config={**contents.config, "dtype": "float16"},
        weights={name: t.bfloat16() for name, t in contents.weights.items()},
    )
    write_cross_encoder(tmp_path / "cross", half)
    assert read(tmp_path / "cross/config.json")["dtype"] == "bfloat16"
    found = load_file(tmp_path / "cross/model.safetensors")
    assert {tensor.dtype for tensor in found.values()} == {torch.bfloat16}


def test_a_card_is_kept_and_else_made(contents: CrossEncoderFolder, tmp_path: Path):
    write_cross_encoder(tmp_path / "made", contents)
    assert "# made" in (tmp_path / "made/README.md").read_text()
    write_cross_encoder(tmp_path / "kept", replace(contents, card="mine\n"))
    assert (tmp_path / "kept/README.md").read_text() == "mine\n"


def test_a_failure_leaves_the_older_model_as_it_was(contents: CrossEncoderFolder, tmp_path: Path):
    write_cross_encoder(tmp_path / "cross", contents)
    before = {path.name: path.read_bytes() for path in (tmp_path / "cross").iterdir()}
    broken = replace(contents, config={**contents.config, "bad": object()})
    with pytest.raises(TypeError):
        write_cross_encoder(tmp_path / "cross", broken, overwrite=True)
    with pytest.raises(InputError, match="a model is here already"):
        write_cross_encoder(tmp_path / "cross", contents)
    assert {path.name: path.read_bytes() for path in (tmp_path / "cross").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["cross"]


def test_labels_stand_by_their_number_whatever_their_order_in_the_file():
    config = {"id2label": {"2": "c", "0": "a", "1": "b"}, "num_labels": 2}
    assert labels_of(config) == ("a", "b", "c")
    again = with_labels(config, 3, ("a", "b", "c"))
    assert again == {
        "id2label": {"0": "a", "1": "b", "2": "c"},
        "label2id": {"a": 0, "b": 1, "c": 2},
    }


def test_placeholders_are_no_names():
    assert labels_of(with_labels({}, 3, ())) == ()
    assert labels_of({}) == ()
    assert labels_of({"id2label": {"0": "LABEL_1", "1": "LABEL_0"}}) == ("LABEL_1", "LABEL_0")
