from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from likewise.errors import InputError
from likewise.models.architectures.bert import Bert
from likewise.models.architectures.padded import Padded
from likewise.models.build import (
    from_contents,
    load,
    load_weights,
    parameters,
    static_encoder,
)
from likewise.models.encoder import Encoder, architecture_of
from likewise.models.folder.contents import PoolingConfig, TailModule
from likewise.models.folder.read import read_folder
from likewise.models.folder.write import write_folder
from models.architectures.families import CONFIGS, SMALLEST_ID, make_theirs

TEXTS = ["How do people paint the river", "a guide"]


def test_a_model_is_loaded_by_its_path_in_evaluation_mode(tiny_folder: Path):
    encoder = load(tiny_folder, device="cpu")
    assert isinstance(encoder.backbone, Bert)
    assert not encoder.module.training
    assert encoder.device.type == "cpu"
    assert load(str(tiny_folder), device="cpu").max_tokens == 32


def test_a_missing_weight_is_named(tiny_folder: Path):
    path = tiny_folder / "model.safetensors"
    weights = load_file(path)
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, path)
    message = r"model\.safetensors: 1 weights are missing.* encoder\.layer\.1\.output\.dense\.bias"
    with pytest.raises(InputError, match=message):
        load(tiny_folder)


def test_a_weight_of_another_shape_is_named(tiny_folder: Path):
    path = tiny_folder / "model.safetensors"
    weights = load_file(path)
    weights["embeddings.position_embeddings.weight"] = torch.zeros(5, 32)
    save_file(weights, path)
    with pytest.raises(InputError, match=r"position_embeddings\.weight has shape \[5, 32\]"):
        load(tiny_folder)


@pytest.mark.parametrize("stated", [None, 9_999])
def test_a_text_is_never_longer_than_there_are_positions(tiny_folder: Path, stated: int | None):
    contents = replace(read_folder(tiny_folder), max_tokens=stated)
    encoder = from_contents(contents)
    assert encoder.max_tokens == contents.config["max_position_embeddings"]
    assert encoder.encode(["paint " * 300]).shape == (1, 32)


def test_a_native_family_is_taken_by_its_name_and_any_other_is_padded(tiny_folder: Path):
    contents = read_folder(tiny_folder)
    assert isinstance(architecture_of(contents).build(contents.config), Bert)
    config, _ = make_theirs(*CONFIGS["padded"])
    other = replace(contents, config=config)
    assert isinstance(architecture_of(other).build(config), Padded)


@pytest.mark.parametrize("family", [family for family in CONFIGS if family != "static"])
def test_every_family_is_saved_as_it_was_and_loads_in_transformers(
    family: str, tiny_folder: Path, tmp_path: Path
):
    model_type, sizes = CONFIGS[family]
    config, theirs = make_theirs(model_type, sizes)
    weights = {name: tensor.clone() for name, tensor in theirs.state_dict().items()}
    contents = replace(read_folder(tiny_folder), config=config, weights=weights)
    encoder = from_contents(contents)
    encoder.save(tmp_path / "model")
    again = load(tmp_path / "model", device="cpu")
    found = [model.encode(TEXTS, precision="float32") for model in (encoder, again)]
    np.testing.assert_array_equal(*found)
    saved = transformers.AutoModel.from_pretrained(tmp_path / "model").state_dict()
    assert saved.keys() == theirs.state_dict().keys()
    assert all(torch.equal(saved[name], tensor) for name, tensor in weights.items())
    assert SMALLEST_ID > 0


def test_contents_come_back_with_the_weights_of_now(tiny_encoder: Encoder, tiny_folder: Path):
    original = read_folder(tiny_folder)
    same = tiny_encoder.to_contents()
    assert same.weights.keys() == original.weights.keys()
    assert all(torch.equal(same.weights[n], t) for n, t in original.weights.items())
    with torch.no_grad():
        tiny_encoder.backbone.norm.bias += 1
    moved = tiny_encoder.to_contents().weights["embeddings.LayerNorm.bias"]
    torch.testing.assert_close(moved, original.weights["embeddings.LayerNorm.bias"] + 1)


def test_a_tail_is_trained_and_saved(tiny_folder: Path):
    weights = {"linear.weight": torch.eye(32), "linear.bias": torch.zeros(32)}
    sizes = {"in_features": 32, "out_features": 32}
    dense = TailModule(kind="Dense", config=sizes, weights=weights)
    contents = replace(read_folder(tiny_folder), tail=(dense, TailModule(kind="Normalize")))
    encoder = from_contents(contents)
    named = [name for name in parameters(encoder) if name.startswith("tail")]
    assert named == ["tail.0.linear.weight", "tail.0.linear.bias"]
    with torch.no_grad():
        parameters(encoder)["tail.0.linear.bias"].fill_(0.5)
    assert (encoder.to_contents().tail[0].weights["linear.bias"] == 0.5).all()


def test_parameters_begin_with_the_backbone(tiny_encoder: Encoder):
    assert next(iter(parameters(tiny_encoder))) == "backbone.tokens"


def test_saved_weights_are_put_back_in_place(tiny_encoder: Encoder, tmp_path: Path):
    before = tiny_encoder.encode(TEXTS, precision="float32")
    tiny_encoder.save(tmp_path / "model")
    own = parameters(tiny_encoder)["backbone.tokens"]
    with torch.no_grad():
        own.zero_()
    load_weights(tiny_encoder, tmp_path / "model")
    assert parameters(tiny_encoder)["backbone.tokens"] is own
    np.testing.assert_array_equal(tiny_encoder.encode(TEXTS, precision="float32"), before)


def test_several_poolings_widen_the_vectors(tiny_folder: Path):
    pooling = PoolingConfig(modes=("cls", "mean"))
    encoder = from_contents(replace(read_folder(tiny_folder), pooling=pooling))
    assert encoder.dimensions == 64


def test_a_family_without_a_native_encoder_says_so(tiny_folder: Path):
    config, theirs = make_theirs(*CONFIGS["padded"])
    contents = replace(read_folder(tiny_folder), config=config, weights=theirs.state_dict())
    (note,) = from_contents(contents).notes
    assert note.startswith('"electra" has no native encoder')
    assert load(tiny_folder).notes == ()


@pytest.mark.parametrize(
    "change",
    [{"hidden_size": None}, {"hidden_size": "wide"}, {"hidden_act": "made_up"}, {"vocab_size": -1}],
    ids=lambda change: next(iter(change)),
)
def test_a_configuration_that_makes_no_model_is_named(tiny_folder: Path, change: dict[str, object]):
    contents = read_folder(tiny_folder)
    config = {**contents.config, **change}
    with pytest.raises(InputError, match=r"here/config\.json|made_up"):
        from_contents(replace(contents, config=config), where="here")


def test_a_damaged_tokenizer_is_named(tiny_folder: Path):
    (tiny_folder / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(InputError, match=r"tokenizer\.json: not a tokenizer"):
        load(tiny_folder)


def test_a_bare_backbone_is_pooled_as_asked_and_has_no_tail(tiny_folder: Path):
    contents = read_folder(tiny_folder)
    trained = replace(
        contents,
        tail=(TailModule(kind="Normalize"),),
        prompts={"query": "how "},
        default_prompt="query",
        truncate_dimensions=4,
    )
    write_folder(tiny_folder, trained, overwrite=True)
    assert load(tiny_folder, device="cpu").encode(TEXTS).shape == (2, 4)
    for pooling in ("mean", "cls", "max"):
        encoder = load(f"{pooling}:{tiny_folder}", device="cpu")
        expected = from_contents(replace(contents, pooling=PoolingConfig(modes=(pooling,))))
        np.testing.assert_array_equal(encoder.encode(TEXTS), expected.encode(TEXTS))
        assert encoder.notes == (f'the bare backbone with pooling "{pooling}"',)


def test_the_pooling_of_a_plain_transformers_folder_is_no_longer_noted(tiny_folder: Path):
    (tiny_folder / "modules.json").unlink()
    assert "says nothing about pooling" in load(tiny_folder).notes[0]
    assert load(f"cls:{tiny_folder}").notes == ('the bare backbone with pooling "cls"',)


def test_word_vectors_are_loaded_by_the_name_of_their_file(tmp_path: Path):
    path = tmp_path / "words.txt"
    path.write_text("dog 1 0\ncat 0 1\n")
    found = load(f"static:{path}", device="cpu").encode(["dog cat", "Dog"])
    np.testing.assert_array_equal(found, [[0.5, 0.5], [1, 0]])
    weighted = load(f"static:{path}:sif=0.5", device="cpu")
    by_hand = static_encoder(path, sif=0.5, remove_component_of="words", device="cpu")
    np.testing.assert_array_equal(weighted.encode(["dog cat"]), by_hand.encode(["dog cat"]))
    np.testing.assert_array_equal(load(f"mean:static:{path}").encode(["dog"]), [[1, 0]])


def test_word_vectors_are_a_mean_and_nothing_else(tmp_path: Path):
    (tmp_path / "words.txt").write_text("dog 1 0\ncat 0 1\n")
    with pytest.raises(InputError, match='pools by "cls"'):
        load(f"cls:static:{tmp_path / 'words.txt'}")
