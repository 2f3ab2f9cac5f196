import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder as PeerCrossEncoder

from conftest import make_tokenizer
from likewise.errors import InputError
from likewise.models.build import load
from likewise.models.cross_build import parts_of_folder, parts_over_encoder
from likewise.models.cross_encoder import CrossEncoder, from_encoder, load_cross_encoder
from likewise.models.encoder import Encoder
from likewise.models.folder.cross_encoder import read_cross_encoder

PAIRS = [("How do people", "a guide"), ("The River", "the engine"), ("", "a"), ("a " * 90, "the")]


def change_json(path: Path, **change: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))


def sharpen(model: CrossEncoder) -> CrossEncoder:
    """Larger weights, so that pairs differ by more than any tolerance here."""
    with torch.no_grad():
        for parameter in model.module.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8)
    return model


@pytest.fixture
def folder(tiny_encoder: Encoder, tmp_path: Path) -> Path:
    return sharpen(from_encoder(tiny_encoder, classes=1, seed=3)).save(tmp_path / "cross")


def scores(model: CrossEncoder) -> np.ndarray:
    return model.predict(PAIRS, precision="float32")


def write_encoder(folder: Path, family: str, **options: Any) -> Path:
    """An embedding model of any family, mean pooled, with the tiny tokenizer."""
    tokenizer = make_tokenizer()
    config = transformers.AutoConfig.for_model(
        family, vocab_size=tokenizer.get_vocab_size(), pad_token_id=0, **options
    )
    with torch.random.fork_rng():
        torch.manual_seed(4)
        transformers.AutoModel.from_config(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "pad_token": "[PAD]"})
    )
    return folder


def test_a_new_model_keeps_every_weight_of_the_encoder_and_its_pooler(tiny_folder: Path):
    source = load(tiny_folder, device="cpu").to_contents()
    assert "pooler.dense.weight" in source.weights
    parts = parts_over_encoder(source, classes=2, labels=("no", "yes"), seed=1)
    built = CrossEncoder(contents=parts.contents, module=parts.module, pairs=parts.pairs)
    found = built.to_contents().weights
    for name, tensor in source.weights.items():
        assert torch.equal(found[f"bert.{name}"], tensor), name
    assert found.keys() - {f"bert.{name}" for name in source.weights} == {
        "classifier.weight",
        "classifier.bias",
    }
    assert not found["classifier.bias"].any()
    assert 0 < found["classifier.weight"].std() < 0.05


def test_a_new_model_is_that_which_the_peer_makes_but_for_the_head(
    tiny_folder: Path, tmp_path: Path
):
    ours = from_encoder(tiny_folder, classes=1, seed=3)
    theirs = PeerCrossEncoder(str(tiny_folder), num_labels=1, device="cpu")
    assert theirs.max_seq_length == ours.max_tokens
    with torch.no_grad():
        theirs.model.classifier.weight.copy_(ours.module.head.classifier.weight)
        theirs.model.classifier.bias.copy_(ours.module.head.classifier.bias)
        for parameter in theirs.model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8)
    sharpen(ours)
    assert np.ptp(scores(ours)) > 1e-2
    np.testing.assert_allclose(scores(ours), theirs.predict(PAIRS), atol=1e-6, rtol=0)
    assert ours.save(tmp_path / "ours")
    assert json.loads((tmp_path / "ours/config.json").read_text())["architectures"] == [
        "BertForSequenceClassification"
    ]


def test_a_family_without_a_native_encoder_gets_a_head_too_and_says_so(tmp_path: Path):
    sizes = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 3}
    base = write_encoder(
        tmp_path / "electra", "electra", intermediate_size=32, embedding_size=16, **sizes
    )
    one, same, other = (from_encoder(base, classes=1, seed=seed) for seed in (1, 1, 2))
    assert "runs padded" in one.notes[-1]
    np.testing.assert_array_equal(scores(one), scores(same))
    assert np.abs(scores(one) - scores(other)).max() > 0
    sharpen(one).save(tmp_path / "cross")
    assert np.ptp(scores(one)) > 1e-2
    theirs = PeerCrossEncoder(str(tmp_path / "cross"), device="cpu")
    np.testing.assert_allclose(theirs.predict(PAIRS), scores(one), atol=1e-5, rtol=0)
    np.testing.assert_allclose(
        scores(load_cross_encoder(tmp_path / "cross")), scores(one), atol=1e-6, rtol=0
    )
    backbone = load_file(base / "model.safetensors")
    found = load_file(other.save(tmp_path / "other") / "model.safetensors")
    assert all(torch.equal(found[f"electra.{name}"], t) for name, t in backbone.items())


def test_a_family_whose_head_needs_a_decoder_is_refused(tmp_path: Path):
    sizes = {"d_model": 24, "d_ff": 32, "d_kv": 8, "num_layers": 1, "num_heads": 3}
    base = write_encoder(tmp_path / "t5", "t5", **sizes)
    weights = load_file(base / "model.safetensors")
    encoder = {name: t for name, t in weights.items() if not name.startswith("decoder.")}
    save_file(encoder, base / "model.safetensors")
    with pytest.raises(InputError, match="needs more than an encoder"):
        from_encoder(base, classes=1)


def test_a_table_of_vectors_cannot_read_two_texts_together(tiny_encoder: Encoder):
    contents = tiny_encoder.to_contents()
    static = {"model_type": "static", "vocab_size": 9, "hidden_size": 4}
    with pytest.raises(InputError, match='"static" cannot read two texts together'):
        parts_over_encoder(
            type(contents)(config=static, weights={}, files=contents.files),
            classes=1,
            labels=(),
            seed=0,
        )


def test_texts_are_lowered_as_in_the_embedding_model_and_the_folder_keeps_it(
    tiny_folder: Path, tmp_path: Path
):
    tokenizer = make_tokenizer()
    tokenizer.normalizer = None
    tokenizer.save(str(tiny_folder / "tokenizer.json"))
    change_json(tiny_folder / "tokenizer_config.json", do_lower_case=False)
    change_json(tiny_folder / "sentence_bert_config.json", do_lower_case=True)
    ours = sharpen(from_encoder(tiny_folder, classes=1))
    assert ours.predict([("THE RIVER", "A")]) == ours.predict([("the river", "a")])
    ours.save(tmp_path / "cross")
    again = load_cross_encoder(tmp_path / "cross")
    np.testing.assert_array_equal(scores(again), scores(ours))
    theirs = PeerCrossEncoder(str(tmp_path / "cross"), device="cpu")
    np.testing.assert_allclose(theirs.predict(PAIRS), scores(ours), atol=1e-5, rtol=0)


def test_the_limit_is_the_smallest_of_what_is_stated_and_what_has_positions(folder: Path):
    assert load_cross_encoder(folder).max_tokens == 64
    change_json(folder / "tokenizer_config.json", model_max_length=20)
    assert load_cross_encoder(folder).max_tokens == 20
    change_json(folder / "tokenizer_config.json", model_max_length=10**30)
    assert load_cross_encoder(folder).max_tokens == 64


def test_texts_lose_their_front_where_the_tokenizer_says_so(folder: Path):
    change_json(folder / "tokenizer_config.json", truncation_side="left")
    ours = load_cross_encoder(folder)
    theirs = PeerCrossEncoder(str(folder), device="cpu")
    pair = [("a " * 90 + "river " * 20, "the"), ("a " * 90, "the")]
    assert ours.count_cut(pair) == 2
    found = ours.predict(pair, precision="float32")
    np.testing.assert_allclose(found, theirs.predict(pair), atol=1e-5, rtol=0)
    assert abs(found[0] - found[1]) > 1e-3


def test_a_missing_weight_is_named_with_its_file(folder: Path):
    weights = load_file(folder / "model.safetensors")
    del weights["classifier.weight"]
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(InputError, match=r"1 weights are missing, the first is classifier\.weight"):
        load_cross_encoder(folder)


def test_a_weight_of_another_shape_is_named_with_both(folder: Path):
    change_json(folder / "config.json", id2label={"0": "no", "1": "yes"})
    with pytest.raises(InputError, match=r"classifier.weight has shape \[1, 32\], .* \[2, 32\]"):
        load_cross_encoder(folder)


@pytest.mark.parametrize("change", [{"hidden_size": "wide"}, {"hidden_act": "unheard"}])
def test_a_configuration_that_makes_no_model_is_named(change: dict[str, Any], folder: Path):
    change_json(folder / "config.json", **change)
    with pytest.raises(InputError, match="no model can be built from this") as caught:
        load_cross_encoder(folder)
    assert str(folder / "config.json") in str(caught.value)


def test_weights_that_the_model_does_not_use_are_kept(folder: Path, tmp_path: Path):
    weights = load_file(folder / "model.safetensors")
    weights["someone.elses"] = torch.arange(3.0)
    save_file(weights, folder / "model.safetensors")
    load_cross_encoder(folder).save(tmp_path / "again")
    again = load_file(tmp_path / "again/model.safetensors")
    assert torch.equal(again["someone.elses"], torch.arange(3.0))


def test_parts_know_where_they_came_from_in_errors(folder: Path):
    contents = read_cross_encoder(folder)
    contents.files["tokenizer.json"] = b"{"
    with pytest.raises(InputError, match="not a tokenizer") as caught:
        parts_of_folder(contents, where="a/folder")
    assert "a/folder/tokenizer.json" in str(caught.value)
