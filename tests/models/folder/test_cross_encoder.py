import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from likewise.errors import InputError
from likewise.models.cross_encoder import from_encoder
from likewise.models.encoder import Encoder
from likewise.models.folder.cross_encoder import is_cross_encoder_folder, read_cross_encoder

SIGMOID, TANH = "torch.nn.modules.activation.Sigmoid", "torch.nn.modules.activation.Tanh"
TRANSFORMER = "sentence_transformers.base.modules.transformer.Transformer"


def change_json(path: Path, **change: Any) -> None:
    found = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**found, **change}))


def drop_keys(path: Path, *keys: str) -> None:
    found = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in found.items() if k not in keys}))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from conftest import make_folder

    base = make_folder(tmp_path_factory.mktemp("base") / "tiny")
    return from_encoder(base, classes=1).save(tmp_path_factory.mktemp("cross") / "cross")


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """Plain: as transformers and every release of the peer before 6 wrote it."""
    return Path(shutil.copytree(original, tmp_path / "cross"))


@pytest.fixture
def newer(folder: Path) -> Path:
    """As sentence-transformers 6.2 writes it, by hand."""
    drop_keys(
        folder / "config.json", "sentence_transformers", "sbert_ce_default_activation_function"
    )
    modules = [{"idx": 0, "name": "0", "path": "", "type": TRANSFORMER}]
    (folder / "modules.json").write_text(json.dumps(modules))
    change_json(
        folder / "sentence_bert_config.json",
        transformer_task="sequence-classification",
        modality_config={"text": {"method": "forward", "method_output_name": "logits"}},
        module_output_name="scores",
    )
    change_json(
        folder / "config_sentence_transformers.json",
        activation_fn=TANH,
        default_prompt_name=None,
        model_type="CrossEncoder",
        prompts={},
    )
    return folder


def test_a_plain_folder_is_read(folder: Path):
    found = read_cross_encoder(folder)
    assert found.config["model_type"] == "bert"
    assert found.weights.keys() == load_file(folder / "model.safetensors").keys()
    assert (found.activation, found.max_tokens, found.lower_case) == ("sigmoid", 64, False)
    assert (found.prompts, found.default_prompt) == ({}, None)
    assert "tokenizer.json" in found.files
    assert found.card is not None


def test_the_newer_layout_is_read(newer: Path):
    change_json(
        newer / "config_sentence_transformers.json",
        prompts={"query": "query: "},
        default_prompt_name="query",
    )
    change_json(newer / "sentence_bert_config.json", do_lower_case=True)
    found = read_cross_encoder(newer)
    assert (found.activation, found.max_tokens, found.lower_case) == ("tanh", 64, True)
    assert (found.prompts, found.default_prompt) == ({"query": "query: "}, "query")


@pytest.mark.parametrize(
    ("change", "dropped", "activation"),
    [
        ({}, (), "sigmoid"),
        ({"sentence_transformers": {"activation_fn": TANH}}, (), "tanh"),
        ({"sbert_ce_default_activation_function": TANH}, ("sentence_transformers",), "tanh"),
        ({"sentence_transformers": {"version": "4.0.0"}}, ("sbert_ce_default_activation_function",),
         "sigmoid"),
        ({"id2label": {"0": "a", "1": "b"}, "sbert_ce_default_activation_function": None},
         ("sentence_transformers",), "identity"),
    ],
)  # fmt: skip
def test_the_activation_is_where_each_release_put_it_or_the_default(
    change: dict[str, Any], dropped: tuple[str, ...], activation: str, folder: Path
):
    drop_keys(folder / "config.json", *dropped)
    change_json(folder / "config.json", **change)
    assert read_cross_encoder(folder).activation == activation


@pytest.mark.parametrize("place", ["plain", "older", "newer"])
def test_an_activation_that_is_not_torch_s_is_refused_by_name(place: str, newer: Path):
    evil = "evil.module.Activation"
    if place == "newer":
        file = newer / "config_sentence_transformers.json"
        change_json(file, activation_fn=evil)
    else:
        file = newer / "config.json"
        drop_keys(newer / "config_sentence_transformers.json", "activation_fn")
        key = {"plain": "sentence_transformers", "older": "sbert_ce_default_activation_function"}
        value = {"activation_fn": evil} if place == "plain" else evil
        change_json(file, **{key[place]: value})
    with pytest.raises(InputError, match=evil) as caught:
        read_cross_encoder(newer)
    assert str(file) in str(caught.value)


def test_the_limit_of_the_newer_layout_may_stand_with_the_module(newer: Path):
    change_json(newer / "sentence_bert_config.json", max_seq_length=40)
    assert read_cross_encoder(newer).max_tokens == 40
    change_json(newer / "sentence_bert_config.json", processing_kwargs={"text": {"max_length": 30}})
    assert read_cross_encoder(newer).max_tokens == 30


def test_no_limit_is_stated_where_the_number_is_astronomical(folder: Path):
    change_json(folder / "tokenizer_config.json", model_max_length=10**30)
    assert read_cross_encoder(folder).max_tokens is None


def test_names_of_weights_from_long_ago_are_those_of_today(folder: Path):
    weights = load_file(folder / "model.safetensors")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in weights.items()
    }
    old["bert.embeddings.position_ids"] = torch.arange(64)[None]
    save_file(old, folder / "model.safetensors")
    assert read_cross_encoder(folder).weights.keys() == weights.keys()


def test_every_layout_is_known_as_a_cross_encoder(folder: Path):
    assert is_cross_encoder_folder(folder)


def test_the_newer_layout_is_known_as_a_cross_encoder(newer: Path):
    assert is_cross_encoder_folder(newer)


def test_a_folder_that_names_no_class_may_be_one(folder: Path):
    drop_keys(folder / "config.json", "architectures")
    assert is_cross_encoder_folder(folder)


def test_an_embedding_model_is_none_and_says_how_to_make_one(tiny_folder: Path):
    assert not is_cross_encoder_folder(tiny_folder)
    with pytest.raises(InputError, match="an embedding model: it gives a text a vector") as caught:
        read_cross_encoder(tiny_folder)
    assert "likewise train DATA" in caught.value.mend
    assert "--method cross-encoder" in caught.value.mend


def test_a_base_model_is_none_and_is_named(folder: Path):
    change_json(folder / "config.json", architectures=["BertForMaskedLM"])
    assert not is_cross_encoder_folder(folder)
    with pytest.raises(InputError, match="BertForMaskedLM, a model without a classification head"):
        read_cross_encoder(folder)


def test_an_empty_folder_is_none(tmp_path: Path):
    assert not is_cross_encoder_folder(tmp_path)
    with pytest.raises(InputError, match=r"config\.json is missing"):
        read_cross_encoder(tmp_path)


def test_a_cross_encoder_of_other_modules_is_refused_by_their_names(newer: Path):
    modules = json.loads((newer / "modules.json").read_text())
    modules.append({"idx": 1, "name": "1", "path": "1_LogitScore", "type": "x.LogitScore"})
    (newer / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(InputError, match="made of Transformer, LogitScore is not supported"):
        read_cross_encoder(newer)


def test_a_cross_encoder_that_generates_text_is_refused(newer: Path):
    change_json(newer / "sentence_bert_config.json", transformer_task="text-generation")
    with pytest.raises(InputError, match='found "text-generation"'):
        read_cross_encoder(newer)


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("config.json", "{", "line 1 is not"),
        ("config.json", "[]", "expected a JSON object"),
        ("config.json", "{}", '"model_type"'),
        ("config.json", '{"model_type": "bert", "sentence_transformers": 3}', "found 3"),
        ("config.json", '{"model_type": "bert", "sentence_transformers": {"activation_fn": 3}}',
         "found 3"),
        ("tokenizer_config.json", "nonsense", "line 1 is not"),
        ("model.safetensors", "nonsense", "not a whole safetensors file"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named(file: str, content: str, problem: str, folder: Path):
    (folder / file).write_text(content)
    with pytest.raises(InputError, match=problem) as caught:
        read_cross_encoder(folder)
    assert str(folder / file) in str(caught.value)


@pytest.mark.parametrize(
    ("file", "change", "problem"),
    [
        ("config_sentence_transformers.json", {"prompts": []}, None),
        ("config_sentence_transformers.json", {"prompts": [1]}, '"prompts"'),
        ("config_sentence_transformers.json", {"default_prompt_name": "q"}, "no prompt named 'q'"),
        ("tokenizer_config.json", {"model_max_length": 0}, "one token at least"),
    ],
)
def test_a_wrong_setting_is_named(
    file: str, change: dict[str, Any], problem: str | None, newer: Path
):
    change_json(newer / file, **change)
    if problem is None:  # an empty list has no prompts either
        assert read_cross_encoder(newer).prompts == {}
        return
    with pytest.raises(InputError, match=problem):
        read_cross_encoder(newer)


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(file: str, folder: Path):
    (folder / file).unlink()
    with pytest.raises(InputError, match=file.replace(".", r"\.")):
        read_cross_encoder(folder)


def test_damaged_modules_are_named(newer: Path):
    (newer / "modules.json").write_text('["Transformer"]')
    with pytest.raises(InputError, match="modules") as caught:
        read_cross_encoder(newer)
    assert str(newer / "modules.json") in str(caught.value)


def test_reading_changes_nothing(folder: Path, tiny_encoder: Encoder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    read_cross_encoder(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
