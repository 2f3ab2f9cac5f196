"""Every family with a classification head, held to transformers' `…ForSequenceClassification`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import Tensor, nn

from likewise.models.architectures.classified import (
    build_classified,
    classes_of,
    classified_names,
)
from likewise.models.architectures.classifiers import CLASSIFIERS
from likewise.models.architectures.names import from_checkpoint, to_checkpoint
from likewise.text.packed import Packed, filled, pack
from models.architectures.families import CONFIGS, SIZES, SPECIAL, draw_texts

LENGTHS = (17, 1, 64, 2, 65, 3, 300, 33)
# name: model_type of transformers and its options
HEADS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: CONFIGS[name] for name in CLASSIFIERS},
    "modernbert mean": ("modernbert", {**CONFIGS["modernbert"][1], "classifier_pooling": "mean"}),
    "modernbert biases": (
        "modernbert",
        {**CONFIGS["modernbert"][1], "classifier_bias": True, "norm_bias": True},
    ),
    "electra": ("electra", {**SIZES, "embedding_size": 16, "pad_token_id": 0}),
    "deberta-v2": (
        "deberta-v2",
        {**SIZES, "pad_token_id": 0, "type_vocab_size": 0, "relative_attention": True},
    ),
    "qwen3": (
        "qwen3",
        {**SIZES, **SPECIAL, "num_key_value_heads": 3, "head_dim": 8, "pad_token_id": 0},
    ),
    "qwen3 without padding": (
        "qwen3",
        {**SIZES, **SPECIAL, "num_key_value_heads": 3, "head_dim": 8, "pad_token_id": None},
    ),
}
each_head = pytest.mark.parametrize("name", HEADS)
each_family = pytest.mark.parametrize("name", CLASSIFIERS)


@dataclass(frozen=True)
class Twins:
    """The same weights twice."""

    config: dict[str, Any]
    theirs: nn.Module
    ours: nn.Module

    def logits(self, packed: Packed) -> tuple[Tensor, Tensor]:
        """[S, K] of theirs, each text alone and without padding, and of ours."""
        takes_types = int(self.config.get("type_vocab_size") or 0) > 1
        rows = []
        for i in range(len(packed)):
            text = packed.slice(i, i + 1)
            types = {"token_type_ids": text.segments[None]} if takes_types else {}
            rows.append(self.theirs(input_ids=text.ids[None], **types).logits)
        return torch.cat(rows), self.ours(packed)


def make_pair_twins(name: str, *, classes: int = 3, seed: int = 0, **options: Any) -> Twins:
    model_type, sizes = HEADS[name]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = transformers.AutoConfig.for_model(
            model_type, **{**sizes, "num_labels": classes, **options}
        )
        theirs = transformers.AutoModelForSequenceClassification.from_config(config).eval()
        for key, parameter in theirs.named_parameters():
            drawn = 0.15 * torch.randn(parameter.shape)
            is_scale = parameter.dim() == 1 and key.endswith("weight")
            parameter.data = drawn + 1 if is_scale else drawn
    known = config.to_dict()
    ours = build_classified(known)
    weights = {key: tensor.clone() for key, tensor in theirs.state_dict().items()}
    found, _, missing = from_checkpoint(weights, classified_names(known))
    assert missing == []
    ours.load_state_dict(found, assign=True)
    return Twins(known, theirs, ours.eval())


def draw_pairs(name: str, lengths: Sequence[int] = LENGTHS) -> Packed:
    """Texts whose second half is of the second type, where the family has types."""
    config = transformers.AutoConfig.for_model(HEADS[name][0], **HEADS[name][1]).to_dict()
    packed = pack(draw_texts(lengths))
    if int(config.get("type_vocab_size") or 0) < 2:
        return Packed(ids=packed.ids, starts=packed.starts, segments=None)
    types = [np.arange(length) >= length // 2 for length in lengths]
    segments = torch.from_numpy(np.concatenate(types)).long()
    return Packed(ids=packed.ids, starts=packed.starts, segments=segments)


@each_head
def test_logits_and_gradients_equal_those_of_transformers(name: str):
    twins = make_pair_twins(name)
    theirs, ours = twins.logits(draw_pairs(name))
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    weights = torch.randn(theirs.shape, generator=torch.Generator().manual_seed(3)) / len(theirs)
    (theirs * weights).sum().backward()
    (ours * weights).sum().backward()
    given = {n: p.grad for n, p in twins.theirs.named_parameters() if p.grad is not None}
    expected, _, _ = from_checkpoint(given, classified_names(twins.config))
    found = dict(twins.ours.named_parameters())
    assert len(expected) > 10
    for key, gradient in expected.items():
        torch.testing.assert_close(
            found[key].grad, gradient, atol=1e-5, rtol=1e-5, msg=f"gradient of {key}"
        )


@each_head
def test_a_pair_has_the_same_logits_alone_and_in_any_batch(name: str):
    twins = make_pair_twins(name, classes=1)
    packed = draw_pairs(name)
    with torch.no_grad():
        together = twins.ours(packed)
        alone = torch.cat([twins.ours(packed.slice(i, i + 1)) for i in range(len(packed))])
    assert together.shape == (len(LENGTHS), 1)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["bert", "roberta", "electra"])
def test_the_second_type_changes_the_logits(name: str):
    twins = make_pair_twins(name)
    packed = draw_pairs(name)
    plain = Packed(ids=packed.ids, starts=packed.starts)
    zeros = Packed(ids=packed.ids, starts=packed.starts, segments=torch.zeros_like(packed.ids))
    with torch.no_grad():
        typed, untyped, first = (twins.ours(one) for one in (packed, plain, zeros))
    torch.testing.assert_close(first, untyped, atol=1e-6, rtol=0)
    assert not torch.allclose(typed, untyped, atol=1e-3)


@each_family
def test_the_first_token_s_states_are_those_of_the_whole_pass(name: str):
    backbone = make_pair_twins(name).ours.backbone
    packed = draw_pairs(name)
    stream, filler = filled(packed, 3, longest=400)
    with torch.no_grad():
        whole, first = backbone(stream), backbone(stream, first_only=True)
    assert filler is not None
    torch.testing.assert_close(first, whole[stream.starts[:-1]], atol=1e-6, rtol=0)


@each_head
def test_every_weight_has_a_name_there_and_back(name: str):
    twins = make_pair_twins(name)
    names = classified_names(twins.config)
    assert names.keys() == {
        key for key, t in twins.ours.state_dict().items() if t.is_floating_point()
    }
    back = to_checkpoint(twins.ours.state_dict(), names)
    original = twins.theirs.state_dict()
    for key, tensor in back.items():
        torch.testing.assert_close(tensor, original[key], atol=0, rtol=0)


@each_head
def test_bfloat16_stays_near_float32(name: str):
    twins = make_pair_twins(name)
    with torch.no_grad():
        wide = twins.ours(draw_pairs(name))
        narrow = twins.ours(draw_pairs(name), dtype=torch.bfloat16)
    assert narrow.dtype == torch.float32
    assert (narrow - wide).abs().max() < 0.1 * wide.abs().max()


DROPOUTS = {
    "bert": "classifier_dropout",
    "roberta": "classifier_dropout",
    "xlm-roberta": "classifier_dropout",
    "camembert": "classifier_dropout",
    "mpnet": "hidden_dropout_prob",
    "distilbert": "seq_classif_dropout",
    "modernbert": "classifier_dropout",
}


@each_family
def test_the_head_drops_with_its_own_probability_in_training_alone(name: str):
    twins = make_pair_twins(name, **{DROPOUTS[name]: 0.25})
    dropouts = [m for m in twins.ours.head.modules() if isinstance(m, nn.Dropout)]
    assert [module.p for module in dropouts] == [0.25]
    states = torch.randn(6, twins.ours.backbone.width, generator=torch.Generator().manual_seed(1))
    assert torch.equal(twins.ours.head(states), twins.ours.head(states))
    with torch.random.fork_rng():
        assert not torch.equal(twins.ours.train().head(states), twins.ours.head(states))


def test_a_head_takes_the_encoder_s_dropout_where_it_has_none_of_its_own():
    twins = make_pair_twins("bert", hidden_dropout_prob=0.35)
    assert twins.ours.head.dropout.p == 0.35


@pytest.mark.parametrize(
    ("config", "classes"),
    [
        ({"id2label": {"0": "LABEL_0"}}, 1),
        ({"id2label": {"0": "a", "1": "b", "2": "c"}, "num_labels": 7}, 3),
        ({"num_labels": 5}, 5),
        ({}, 2),
    ],
)
def test_the_classes_are_counted_as_transformers_does(config: dict[str, Any], classes: int):
    assert classes_of(config) == classes
    if "num_labels" not in config or "id2label" not in config:
        assert transformers.BertConfig(**config).num_labels == classes
