from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from likewise.errors import InputError
from likewise.models.transformers_adapter import (
    UNLIMITED,
    TextSampling,
    build_backbone,
    build_classifier,
    classifier_prefix,
    count_tokens,
    load_seq2seq,
    make_fast_tokenizer,
    most_tokens_of,
    sample_texts,
    width_of,
)
from models.architectures.families import SIZES
from models.tiny_t5 import make_t5

ELECTRA = {**SIZES, "model_type": "electra", "embedding_size": 16, "pad_token_id": 0}


def test_a_backbone_has_the_sizes_of_its_configuration():
    model = build_backbone(ELECTRA)
    assert width_of(model) == SIZES["hidden_size"]
    assert model.get_input_embeddings().weight.shape == (SIZES["vocab_size"], 16)


def test_building_draws_nothing_from_the_caller_s_generator():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    build_backbone(ELECTRA)
    assert torch.equal(torch.rand(1), expected)


def test_names_and_shapes_cost_no_memory():
    assert {p.device.type for p in build_backbone(ELECTRA, device="meta").parameters()} == {"meta"}


def test_a_classifier_has_a_class_for_each_label_and_knows_its_prefix():
    model = build_classifier({**ELECTRA, "id2label": {"0": "a", "1": "b", "2": "c"}})
    assert model.classifier.out_proj.weight.shape == (3, SIZES["hidden_size"])
    prefix = classifier_prefix(model)
    assert prefix == "electra."
    assert any(name.startswith(prefix) for name, _ in model.named_parameters())


def test_a_classifier_is_drawn_from_its_own_seed():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, same, other = (build_classifier(ELECTRA, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    weights = [model.classifier.out_proj.weight for model in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_family_without_a_classification_head_is_refused():
    config = {"model_type": "whisper"}
    with pytest.raises(InputError, match='cannot build the family "whisper"'):
        build_classifier(config)


@pytest.mark.parametrize(
    "config",
    [{"model_type": "no-such-family"}, {"model_type": ""}, {**ELECTRA, "hidden_size": "wide"}],
    ids=["unknown", "none", "a size that is no number"],
)
def test_what_cannot_be_built_is_refused_by_name(config: dict[str, object]):
    with pytest.raises(InputError, match="cannot build the family"):
        build_backbone(config)


def test_positions_limit_a_text_and_their_absence_does_not():
    assert most_tokens_of(ELECTRA) == SIZES["max_position_embeddings"]
    t5 = {"model_type": "t5", "vocab_size": 50, "d_model": 8, "d_ff": 8, "num_layers": 1}
    assert most_tokens_of({**t5, "num_heads": 2, "d_kv": 4}) == UNLIMITED


def test_a_tokenizer_is_made_from_an_older_vocabulary(tiny_folder: Path, tiny_tokenizer: Tokenizer):
    (tiny_folder / "tokenizer.json").unlink()
    vocabulary = tiny_tokenizer.get_vocab()
    words = sorted(vocabulary, key=vocabulary.__getitem__)
    (tiny_folder / "vocab.txt").write_text("\n".join(words) + "\n")
    made = Tokenizer.from_buffer(make_fast_tokenizer(tiny_folder))
    made.no_padding()
    text = "How do people paint the zebra?"
    assert made.encode(text).ids == tiny_tokenizer.encode(text).ids


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path):
    (tmp_path / "vocab.txt").write_text("")
    with pytest.raises(InputError, match=r"no tokenizer\.json here") as caught:
        make_fast_tokenizer(tmp_path)
    assert caught.value.where is not None
    assert caught.value.where.path == str(tmp_path)


@pytest.fixture(scope="module")
def t5_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_t5(tmp_path_factory.mktemp("t5") / "model")


SAMPLING = TextSampling(count=2, top_k=5, top_p=0.9, longest_input=16, longest_output=6)


def test_texts_are_drawn_for_every_text_in_its_place(t5_folder: Path):
    model, tokenizer = load_seq2seq(t5_folder)
    texts = ["a river", "how do people paint the apple", "home"]
    found = sample_texts(model, tokenizer, texts, SAMPLING, seed=1)
    assert [len(drawn) for drawn in found] == [2, 2, 2]
    assert all("[" not in text for drawn in found for text in drawn)  # no special tokens


def test_drawing_one_token_of_the_likeliest_one_is_greedy_decoding(t5_folder: Path):
    model, tokenizer = load_seq2seq(t5_folder)
    sampling = replace(SAMPLING, top_k=1, count=1)
    (drawn,) = sample_texts(model, tokenizer, ["a river"], sampling, seed=1)
    batch = tokenizer(["a river"], return_tensors="pt")
    ids = model.generate(
        batch["input_ids"],
        attention_mask=batch["attention_mask"],
        do_sample=False,
        max_new_tokens=sampling.longest_output,
    )
    assert drawn == [tokenizer.decode(ids[0], skip_special_tokens=True).strip()]


def test_tokens_are_counted_up_to_the_limit(t5_folder: Path):
    _, tokenizer = load_seq2seq(t5_folder)
    assert count_tokens(tokenizer, ["river", "a river home"], most=4) == [3, 4]


def test_loading_draws_no_bar(t5_folder: Path, capsys: pytest.CaptureFixture[str]):
    load_seq2seq(t5_folder)
    assert capsys.readouterr() == ("", "")


def test_an_encoder_alone_writes_nothing_and_is_refused(tmp_path: Path):
    folder = make_t5(tmp_path / "encoder", is_encoder_alone=True)
    with pytest.raises(InputError, match=r"weights of the model are not here, such as decoder"):
        load_seq2seq(folder)


@pytest.mark.parametrize("damage", ["no configuration", "no weights", "half the weights"])
def test_a_damaged_sequence_to_sequence_folder_is_named(damage: str, tmp_path: Path):
    folder = make_t5(tmp_path / "t5")
    file = folder / ("config.json" if damage == "no configuration" else "model.safetensors")
    if damage == "half the weights":
        file.write_bytes(file.read_bytes()[:500])
    else:
        file.unlink()
    with pytest.raises(InputError, match="cannot load a sequence-to-sequence model") as caught:
        load_seq2seq(folder)
    assert str(folder) in str(caught.value)
