import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import CrossEncoder as PeerCrossEncoder

from conftest import TOPICS, answer, make_tokenizer, question
from likewise import progress
from likewise.errors import InputError
from likewise.models.build import load
from likewise.models.cross_encoder import (
    CrossEncoder,
    check_pairs,
    from_encoder,
    is_cross_encoder,
    load_cross_encoder,
    load_cross_weights,
)
from likewise.models.encoder import Encoder

PAIRS = [
    *((question(*topic), answer(*topic)) for topic in TOPICS[:12]),
    ("a", "the"),
    ("", "people"),
    ("people", ""),
    ("", ""),
    ("paint " * 90, "a"),
    ("a", "river " * 90),
    ("apple " * 50, "violin " * 60),
    ("a", "the"),
    ("the", "a"),
]
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": {"pad_token_id": 0},
    "roberta": {"pad_token_id": 0, "type_vocab_size": 1},
    "xlm-roberta": {"pad_token_id": 0, "type_vocab_size": 1},
    "camembert": {"pad_token_id": 0, "type_vocab_size": 1},
    "distilbert": {"pad_token_id": 0},
    "mpnet": {"pad_token_id": 0},
    "modernbert": {"pad_token_id": 0, "classifier_pooling": "mean"},
    "electra": {"pad_token_id": 0, "embedding_size": 16},
}
SIZES = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 66,
}
DISTILBERT_SIZES = {
    "dim": 24, "n_layers": 2, "n_heads": 3, "hidden_dim": 40, "max_position_embeddings": 66,
}  # fmt: skip


def write_classifier(
    folder: Path,
    family: str,
    *,
    classes: int = 1,
    tokenizer_class: str | None = "",
    **options: Any,
) -> Path:
    """A folder of transformers' …ForSequenceClassification with random weights."""
    tokenizer = make_tokenizer()
    sizes = DISTILBERT_SIZES if family == "distilbert" else SIZES
    given = {"bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
    config = transformers.AutoConfig.for_model(
        family,
        **{**sizes, **given, **FAMILIES[family], "num_labels": classes, **options},
        vocab_size=tokenizer.get_vocab_size(),
    )
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model = transformers.AutoModelForSequenceClassification.from_config(config)
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.data = 0.2 * torch.randn(parameter.shape)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    if tokenizer_class == "":
        has_types = family in {"bert", "electra"}
        tokenizer_class = "BertTokenizer" if has_types else "PreTrainedTokenizerFast"
    special = {
        f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")
    }
    settings = {"tokenizer_class": tokenizer_class, "model_max_length": 48, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def change_json(path: Path, **change: Any) -> None:
    found = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**found, **change}))


def scores(model: CrossEncoder, pairs: Any = PAIRS, **options: Any) -> np.ndarray:
    return model.predict(pairs, precision="float32", **options)


@pytest.fixture(scope="module")
def cross(tmp_path_factory: pytest.TempPathFactory) -> CrossEncoder:
    folder = write_classifier(tmp_path_factory.mktemp("cross") / "bert", "bert")
    return load_cross_encoder(folder, device="cpu")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("classes", [1, 3])
def test_scores_are_the_peer_s_for_every_family(family: str, classes: int, tmp_path: Path):
    folder = write_classifier(tmp_path / family, family, classes=classes)
    ours = load_cross_encoder(folder, device="cpu")
    theirs = PeerCrossEncoder(str(folder), device="cpu")
    found, expected = scores(ours), theirs.predict(PAIRS)
    assert found.shape == ((len(PAIRS),) if classes == 1 else (len(PAIRS), 3))
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)
    assert np.ptp(found) > 1e-3
    assert bool(ours.notes) == (family == "electra")


@pytest.mark.parametrize("family", ["bert", "electra"])
@pytest.mark.parametrize(
    ("tokenizer_class", "stated", "types"),
    [
        ("BertTokenizer", None, True),
        ("ElectraTokenizerFast", None, True),
        ("PreTrainedTokenizerFast", None, False),
        ("PreTrainedTokenizerFast", ["input_ids", "token_type_ids", "attention_mask"], True),
        ("BertTokenizer", ["input_ids", "attention_mask"], False),
        (None, None, True),
    ],
)
def test_types_are_given_where_the_peer_s_tokenizer_gives_them(
    family: str, tokenizer_class: str | None, stated: list[str] | None, types: bool, tmp_path: Path
):
    folder = write_classifier(tmp_path / "model", family, tokenizer_class=tokenizer_class)
    if stated is not None:
        change_json(folder / "tokenizer_config.json", model_input_names=stated)
    ours = load_cross_encoder(folder, device="cpu")
    assert ours.pairs.has_segments == types
    theirs = PeerCrossEncoder(str(folder), device="cpu")
    np.testing.assert_allclose(scores(ours), theirs.predict(PAIRS), atol=1e-5, rtol=0)


def test_scores_of_a_model_over_minilm_are_the_peer_s(tmp_path: Path):
    ours = from_encoder("minilm", classes=1, seed=1)
    assert ours.contents.base_model == "minilm"
    ours.save(tmp_path / "cross")
    theirs = PeerCrossEncoder(str(tmp_path / "cross"), device="cpu")
    assert (ours.max_tokens, theirs.max_seq_length) == (512, 512)
    pairs = [*PAIRS, ("Ünlike Büchern", "日本語 text"), ("word " * 400, "other " * 300)]
    for name, kind in (("sigmoid", torch.nn.Sigmoid()), ("identity", torch.nn.Identity())):
        expected = theirs.predict(pairs, batch_size=1, activation_fn=kind)
        np.testing.assert_allclose(
            scores(ours, pairs, activation=name), expected, atol=1e-5, rtol=0
        )


def test_a_saved_model_scores_the_same_here_and_in_the_peer_and_back(
    cross: CrossEncoder, tmp_path: Path
):
    before = scores(cross)
    cross.save(tmp_path / "ours")
    np.testing.assert_array_equal(scores(load_cross_encoder(tmp_path / "ours")), before)
    peer = PeerCrossEncoder(str(tmp_path / "ours"), device="cpu")
    np.testing.assert_allclose(peer.predict(PAIRS), before, atol=1e-5, rtol=0)
    peer.save_pretrained(str(tmp_path / "theirs"))
    back = load_cross_encoder(tmp_path / "theirs")
    assert (back.activation, back.max_tokens) == ("sigmoid", 48)
    np.testing.assert_allclose(scores(back), before, atol=1e-6, rtol=0)


def test_transformers_reads_what_is_written(cross: CrossEncoder, tmp_path: Path):
    cross.save(tmp_path / "ours")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "ours")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "ours")
    first, second = PAIRS[0]
    with torch.no_grad():
        logits = model.eval()(**tokenizer(first, second, return_tensors="pt")).logits
    found = scores(cross, [PAIRS[0]], activation="identity")
    np.testing.assert_allclose(found, logits[:, 0], atol=1e-5, rtol=0)


@settings(max_examples=12, deadline=None)
@given(order=st.permutations(range(len(PAIRS))), budget=st.sampled_from([1, 70, 400, 4096]))
def test_the_batch_and_the_order_change_no_score(
    cross: CrossEncoder, order: list[int], budget: int
):
    expected = scores(cross)
    found = scores(cross, [PAIRS[i] for i in order], batch_tokens=budget)
    np.testing.assert_allclose(found, expected[list(order)], atol=1e-6, rtol=0)


def test_each_distinct_pair_is_computed_once(cross: CrossEncoder, monkeypatch):
    seen = 0
    work = cross.embed

    def embed(packed, **options):
        nonlocal seen
        seen += len(packed)
        return work(packed, **options)

    monkeypatch.setattr(cross, "embed", embed)
    found = scores(cross, [("a", "the")] * 5 + [("the", "a")])
    assert seen == 2
    assert len(set(found[:5].tolist())) == 1
    assert found[5] != found[0]


def test_the_order_of_the_two_texts_matters_and_any_two_sequence_is_a_pair(cross: CrossEncoder):
    forms = [["a", "the"], ("a", "the"), np.array(["a", "the"])]
    assert len(set(scores(cross, forms).tolist())) == 1
    assert scores(cross, [("a", "the")]) != scores(cross, [("the", "a")])


def test_no_pairs_have_no_scores(cross: CrossEncoder, tmp_path: Path):
    assert scores(cross, []).shape == (0,)
    three = load_cross_encoder(write_classifier(tmp_path / "three", "bert", classes=3))
    assert scores(three, []).shape == (0, 3)


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        ("a text", "found one string"),
        (["ab"], "pair 1 of 1 is str"),
        ([("a", "b"), ("a",)], r"pair 2 of 2 is tuple of \(str\)"),
        ([("a", "b", "c")], r"pair 1 of 1 is tuple of \(str, str, str\)"),
        ([("a", None)], r"pair 1 of 1 is tuple of \(str, NoneType\)"),
        ([None], "pair 1 of 1 is NoneType"),
    ],
)
def test_what_is_no_pair_is_named(cross: CrossEncoder, pairs: Any, problem: str):
    with pytest.raises(InputError, match=problem):
        cross.predict(pairs)
    with pytest.raises(InputError, match=problem):
        check_pairs(pairs)


def test_an_unknown_activation_or_precision_is_refused(cross: CrossEncoder):
    with pytest.raises(InputError, match='"sigmoyd"'):
        cross.predict(PAIRS, activation="sigmoyd")
    with pytest.raises(InputError, match="float8"):
        cross.predict(PAIRS, precision="float8")


def test_activations_follow_from_the_logits(cross: CrossEncoder, tmp_path: Path):
    logits = scores(cross, activation="identity")
    np.testing.assert_allclose(scores(cross), 1 / (1 + np.exp(-logits)), atol=1e-6, rtol=0)
    three = load_cross_encoder(write_classifier(tmp_path / "three", "bert", classes=3))
    several = scores(three)
    powers = np.exp(several)
    np.testing.assert_allclose(
        scores(three, activation="softmax"),
        powers / powers.sum(axis=1, keepdims=True),
        atol=1e-6,
        rtol=0,
    )


def test_bfloat16_stays_near_float32(cross: CrossEncoder):
    narrow = cross.predict(PAIRS, precision="bfloat16")
    assert narrow.dtype == np.float32
    assert np.abs(narrow - scores(cross)).max() < 0.05


def test_cut_pairs_are_counted(cross: CrossEncoder):
    assert cross.max_tokens == 48
    assert cross.count_cut(PAIRS) == 3


def test_logits_have_gradients_where_they_are_enabled(cross: CrossEncoder):
    tokenized = cross.pairs.tokenize_pairs(PAIRS)
    logits = cross.embed(cross.pack(tokenized, range(len(PAIRS))))
    assert logits.shape == (len(PAIRS), 1)
    logits.sum().backward()
    without = [name for name, p in cross.module.named_parameters() if p.grad is None]
    cross.module.zero_grad(set_to_none=True)
    assert without == []
    np.testing.assert_allclose(
        logits.detach().numpy()[:, 0], scores(cross, activation="identity"), atol=1e-5, rtol=0
    )


def test_progress_is_shown_when_asked(
    cross: CrossEncoder, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    scores(cross)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    scores(cross, progress=True)
    assert "scoring" in capfd.readouterr().err


def test_a_default_prompt_stands_before_the_first_text_as_in_the_peer(tmp_path: Path):
    folder = write_classifier(tmp_path / "bert", "bert")
    PeerCrossEncoder(
        str(folder), device="cpu", prompts={"query": "how do "}, default_prompt_name="query"
    ).save_pretrained(str(tmp_path / "prompted"))
    ours = load_cross_encoder(tmp_path / "prompted")
    assert ours.prompt == "how do "
    plain = scores(load_cross_encoder(folder))
    expected = PeerCrossEncoder(str(tmp_path / "prompted"), device="cpu").predict(PAIRS)
    np.testing.assert_allclose(scores(ours), expected, atol=1e-5, rtol=0)
    assert np.abs(expected - plain).max() > 1e-4
    ours.save(tmp_path / "again")
    again = scores(load_cross_encoder(tmp_path / "again"))
    np.testing.assert_allclose(again, expected, atol=1e-5, rtol=0)
    peer = PeerCrossEncoder(str(tmp_path / "again"), device="cpu")
    np.testing.assert_allclose(peer.predict(PAIRS), expected, atol=1e-5, rtol=0)


def test_a_new_head_follows_its_seed_and_leaves_the_encoder_alone(tiny_encoder: Encoder):
    before = tiny_encoder.encode(["a river"], precision="float32")
    one, same, other = (from_encoder(tiny_encoder, classes=1, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(scores(one), scores(same))
    assert np.abs(scores(one) - scores(other)).max() > 1e-6
    with torch.no_grad():
        for parameter in one.module.parameters():
            parameter += 1
    np.testing.assert_array_equal(tiny_encoder.encode(["a river"], precision="float32"), before)


def test_a_new_cross_encoder_knows_its_labels_and_gives_logits(
    tiny_encoder: Encoder, tmp_path: Path
):
    labels = ("entailment", "neutral", "contradiction")
    new = from_encoder(tiny_encoder, classes=3, labels=labels)
    assert (new.classes, new.labels, new.activation) == (3, labels, "identity")
    new.save(tmp_path / "nli")
    config = json.loads((tmp_path / "nli" / "config.json").read_text())
    assert config["id2label"] == dict(zip("012", labels, strict=True))
    assert config["label2id"] == {label: i for i, label in enumerate(labels)}
    assert load_cross_encoder(tmp_path / "nli").labels == labels
    assert from_encoder(tiny_encoder, classes=1).labels == ()


def test_a_cross_encoder_can_be_made_from_a_name(tiny_folder: Path):
    new = from_encoder(tiny_folder, classes=1, seed=5)
    expected = from_encoder(load(tiny_folder, device="cpu"), classes=1, seed=5)
    np.testing.assert_array_equal(scores(new), scores(expected))
    assert new.max_tokens == 64  # of the tokenizer: an embedding model's 32 are for one text


@pytest.mark.parametrize(("classes", "labels"), [(0, ()), (2, ("one",)), (1, ("a", "b"))])
def test_classes_that_do_not_fit_their_names_are_a_programmer_s_mistake(
    classes: int, labels: tuple[str, ...], tiny_encoder: Encoder
):
    with pytest.raises(ValueError, match="classes"):
        from_encoder(tiny_encoder, classes=classes, labels=labels)


def test_an_embedding_model_is_no_cross_encoder_and_says_how_to_make_one(tiny_folder: Path):
    with pytest.raises(InputError, match="an embedding model") as caught:
        load_cross_encoder(tiny_folder)
    assert f"--base {tiny_folder} --method cross-encoder" in caught.value.mend


def test_a_model_s_name_tells_what_it_is(tiny_folder: Path, tmp_path: Path):
    folder = write_classifier(tmp_path / "bert", "bert")
    assert is_cross_encoder(folder)
    assert is_cross_encoder(str(folder))
    assert not is_cross_encoder(tiny_folder)
    assert not is_cross_encoder("minilm")
    assert not is_cross_encoder("scratch:small")
    assert not is_cross_encoder(tmp_path / "absent")


def test_weights_of_a_saved_model_are_put_into_another(cross: CrossEncoder, tmp_path: Path):
    folder = cross.save(tmp_path / "kept")
    other = load_cross_encoder(folder)
    with torch.no_grad():
        for parameter in other.module.parameters():
            parameter.zero_()
    kept = next(iter(other.module.parameters()))
    load_cross_weights(other, folder)
    assert next(iter(other.module.parameters())) is kept
    np.testing.assert_array_equal(scores(other), scores(cross))


def test_a_model_is_replaced_only_when_asked(cross: CrossEncoder, tmp_path: Path):
    cross.save(tmp_path / "model")
    with pytest.raises(InputError, match="a model is here already"):
        cross.save(tmp_path / "model")
    assert cross.save(str(tmp_path / "model"), overwrite=True) == tmp_path / "model"
    shutil.rmtree(tmp_path / "model")
