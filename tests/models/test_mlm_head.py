import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

from likewise.errors import InputError
from likewise.models.architectures.mlm_heads import MLM_FAMILIES, MlmHead
from likewise.models.build import from_contents, load
from likewise.models.encoder import Encoder
from likewise.models.folder.contents import ModelFolder
from likewise.models.folder.read import read_folder
from likewise.models.mlm_head import (
    HEAD_FILE,
    family_of,
    find_head,
    load_head,
    save_masked_lm,
    with_head,
)
from models.architectures.families import CONFIGS, make_theirs

TEXTS = ["How do people paint the river", "a guide"]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def drawn_head(encoder: Encoder, seed: int = 3) -> MlmHead:
    head = find_head(encoder.contents, seed=seed).head
    for parameter in head.parameters():
        noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed))
        parameter.data.add_(0.1 * noise)
    return head


def same(one: MlmHead, other: MlmHead) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[k], theirs[k]) for k in mine)


def checkpoint(folder: Path, into: Path, family: str = "bert", **options: Any) -> Path:
    """A `…ForMaskedLM` of transformers with the tiny tokenizer, and no sentence-transformers."""
    model_type, sizes = CONFIGS[family]
    config = transformers.AutoConfig.for_model(model_type, **sizes, **options)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = transformers.AutoModelForMaskedLM.from_config(config)
    model.save_pretrained(into)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (into / name).write_bytes((folder / name).read_bytes())
    return into


def test_a_model_without_a_head_gets_one_from_the_seed(tiny_encoder: Encoder):
    found, same_again, other = (find_head(tiny_encoder.contents, seed=s) for s in (1, 1, 2))
    assert found.is_fresh
    assert found.body is None
    assert same(found.head, same_again.head)
    assert not same(found.head, other.head)
    weights = found.head.state_dict()
    assert float(weights["dense.weight"].std()) == pytest.approx(0.02, rel=0.1)
    assert not weights["bias"].any()
    assert bool((weights["norm.weight"] == 1).all())


def test_a_saved_head_is_found_again(tiny_encoder: Encoder, tmp_path: Path):
    head = drawn_head(tiny_encoder)
    tiny_encoder.contents = with_head(tiny_encoder.contents, head, body="abc")
    at_once = find_head(tiny_encoder.contents, seed=9)
    folder = tiny_encoder.save(tmp_path / "saved")
    later = find_head(load(folder, device="cpu").contents, seed=9)
    for found in (at_once, later):
        assert not found.is_fresh
        assert found.body == "abc"
        assert same(found.head, head)


def test_only_a_method_that_trains_it_carries_a_head_on(tiny_encoder: Encoder, tmp_path: Path):
    tiny_encoder.contents = with_head(tiny_encoder.contents, drawn_head(tiny_encoder))
    first = tiny_encoder.save(tmp_path / "first")
    second = load(first, device="cpu").save(tmp_path / "second")
    assert (first / HEAD_FILE).is_file()
    assert not (second / HEAD_FILE).exists()


def test_readers_of_the_folder_do_not_mind_the_head(
    tiny_folder: Path, tmp_path: Path, complaints: list[str]
):
    plain = load(tiny_folder, device="cpu")
    plain.contents = with_head(plain.contents, drawn_head(plain))
    folder = plain.save(tmp_path / "saved")
    with warnings.catch_warnings(action="ignore"):
        theirs = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        transformers.AutoModel.from_pretrained(folder)
    ours = plain.encode(TEXTS, precision="float32")
    np.testing.assert_allclose(theirs.encode(TEXTS), ours, atol=1e-5)
    assert complaints == []


def test_a_bare_backbone_finds_the_head_too(tiny_encoder: Encoder, tmp_path: Path):
    head = drawn_head(tiny_encoder)
    tiny_encoder.contents = with_head(tiny_encoder.contents, head)
    folder = tiny_encoder.save(tmp_path / "saved")
    assert same(find_head(load(f"cls:{folder}", device="cpu").contents, seed=1).head, head)


def test_a_head_is_put_back_in_place(tiny_encoder: Encoder, tmp_path: Path):
    head = drawn_head(tiny_encoder)
    tiny_encoder.contents = with_head(tiny_encoder.contents, head)
    folder = tiny_encoder.save(tmp_path / "saved")
    other = drawn_head(tiny_encoder, seed=8)
    places = [parameter.data_ptr() for parameter in other.parameters()]
    load_head(other, tiny_encoder.contents, folder)
    assert same(other, head)
    assert [parameter.data_ptr() for parameter in other.parameters()] == places


@pytest.mark.parametrize("family", MLM_FAMILIES)
def test_the_head_of_a_checkpoint_is_found(family: str, tiny_folder: Path, tmp_path: Path):
    folder = checkpoint(tiny_folder, tmp_path / "theirs", family)
    found = find_head(load(folder, device="cpu").contents, seed=1)
    assert not found.is_fresh
    weights = transformers.AutoModelForMaskedLM.from_pretrained(folder).state_dict()
    named = MLM_FAMILIES[family].names(found.head)
    assert len(named) >= 3
    for ours, (theirs,) in named.items():
        torch.testing.assert_close(found.head.state_dict()[ours], weights[theirs], atol=0, rtol=0)


def test_a_checkpoint_with_the_older_names_is_read(tiny_folder: Path, tmp_path: Path):
    folder = checkpoint(tiny_folder, tmp_path / "theirs")
    expected = find_head(load(folder, device="cpu").contents, seed=1).head
    file = folder / "model.safetensors"
    older = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    older |= {"cls.predictions.bias": "cls.predictions.decoder.bias"}
    weights = {}
    for name, tensor in load_file(file).items():
        for new, old in older.items():
            name = name.replace(new, old) if name.endswith(new) else name
        weights[name] = tensor
    save_file(weights, file, {"format": "pt"})
    found = find_head(load(folder, device="cpu").contents, seed=1)
    assert not found.is_fresh
    assert same(found.head, expected)


def test_a_folder_that_is_gone_gives_a_new_head(tiny_folder: Path, tmp_path: Path):
    encoder = load(checkpoint(tiny_folder, tmp_path / "theirs"), device="cpu")
    (tmp_path / "theirs").rename(tmp_path / "elsewhere")
    assert find_head(encoder.contents, seed=1).is_fresh


@pytest.mark.parametrize("family", MLM_FAMILIES)
def test_encoder_and_head_become_a_checkpoint_of_transformers(
    family: str, tiny_folder: Path, tmp_path: Path, complaints: list[str]
):
    model_type, sizes = CONFIGS[family]
    config, theirs = make_theirs(model_type, sizes)
    weights = {name: tensor.clone() for name, tensor in theirs.state_dict().items()}
    contents = replace(read_folder(tiny_folder), config=config, weights=weights)
    encoder = from_contents(contents)
    head = drawn_head(encoder)
    encoder.contents = with_head(encoder.contents, head)
    folder = save_masked_lm(encoder, tmp_path / "masked")
    model = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    packed = encoder.pack(encoder.tokenize(TEXTS), [0])
    with torch.no_grad():
        expected = model(input_ids=packed.ids[None]).logits[0]
        found = head.logits(encoder.backbone(packed), encoder.backbone.tokens)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert complaints == []
    assert not (folder / HEAD_FILE).exists()
    again = find_head(load(folder, device="cpu").contents, seed=1)
    assert same(again.head, head)


def test_a_checkpoint_lowers_texts_as_the_model_does(tiny_folder: Path, tmp_path: Path):
    settings = {"max_seq_length": 32, "do_lower_case": True}
    (tiny_folder / "sentence_bert_config.json").write_text(json.dumps(settings))
    data = json.loads((tiny_folder / "tokenizer.json").read_text())
    data["normalizer"] = None
    (tiny_folder / "tokenizer.json").write_text(json.dumps(data))
    encoder = load(tiny_folder, device="cpu")
    encoder.contents = with_head(encoder.contents, drawn_head(encoder))
    folder = save_masked_lm(encoder, tmp_path / "masked")
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    assert theirs(TEXTS[0])["input_ids"] == encoder.tokenize(TEXTS[:1]).ids[0].tolist()


def test_a_model_without_a_head_is_no_masked_language_model(tiny_encoder: Encoder, tmp_path: Path):
    with pytest.raises(InputError, match="has no masked-language head") as caught:
        save_masked_lm(tiny_encoder, tmp_path / "masked")
    assert "--method mlm" in caught.value.mend
    assert not (tmp_path / "masked").exists()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda data: data[:50], "not a whole safetensors file"),
        (lambda data: b"", "not a whole safetensors file"),
        (lambda data: data[:-4], "not a whole safetensors file"),
    ],
)
def test_a_damaged_head_is_named(damage, problem: str, tiny_encoder: Encoder, tmp_path: Path):
    tiny_encoder.contents = with_head(tiny_encoder.contents, drawn_head(tiny_encoder))
    folder = tiny_encoder.save(tmp_path / "saved")
    file = folder / HEAD_FILE
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(InputError, match=problem) as caught:
        find_head(load(folder, device="cpu").contents, seed=1)
    assert caught.value.where.path == str(file)


def test_a_head_of_another_shape_is_named(tiny_encoder: Encoder, tmp_path: Path):
    tiny_encoder.contents = with_head(tiny_encoder.contents, drawn_head(tiny_encoder))
    folder = tiny_encoder.save(tmp_path / "saved")
    weights = load_file(folder / HEAD_FILE)
    weights["cls.predictions.bias"] = torch.zeros(5)
    save_file(weights, folder / HEAD_FILE)
    with pytest.raises(InputError, match=r"cls\.predictions\.bias has shape \[5\]") as caught:
        find_head(load(folder, device="cpu").contents, seed=1)
    assert caught.value.where.path == str(folder / HEAD_FILE)


@pytest.mark.parametrize(
    ("family", "problem"),
    [("static", "a static model is a table of words"), ("electra", '"electra" has no masked')],
)
def test_families_without_a_head_are_refused(family: str, problem: str):
    contents = ModelFolder(config={"model_type": family}, weights={})
    with pytest.raises(InputError, match=problem) as caught:
        family_of(contents)
    assert "bert" in caught.value.mend or "minilm" in caught.value.mend
