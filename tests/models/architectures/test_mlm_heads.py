"""The heads beside those of transformers: logits and gradients on the same weights."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

from likewise.models.architectures import ARCHITECTURES
from likewise.models.architectures.mlm_heads import MLM_FAMILIES, MlmHead
from likewise.models.architectures.names import from_checkpoint, to_checkpoint
from models.architectures.families import CONFIGS

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: CONFIGS[name] for name in MLM_FAMILIES},
    "bert untied": ("bert", {**CONFIGS["bert"][1], "tie_word_embeddings": False}),
    "bert with relu": ("bert", {**CONFIGS["bert"][1], "hidden_act": "relu"}),
    "modernbert with biases": (
        "modernbert",
        {**CONFIGS["modernbert"][1], "classifier_bias": True, "norm_bias": True},
    ),
    "modernbert without any": ("modernbert", {**CONFIGS["modernbert"][1], "decoder_bias": False}),
}
each_case = pytest.mark.parametrize("name", CASES)


@dataclass(frozen=True)
class Twins:
    """The head of transformers on its table of tokens, and ours with the same weights."""

    model_type: str
    theirs: nn.Module
    ours: MlmHead

    @property
    def tokens(self) -> Tensor:
        return self.theirs.get_input_embeddings().weight


def make_twins(name: str) -> Twins:
    model_type, sizes = CASES[name]
    config = transformers.AutoConfig.for_model(model_type, **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(4)
        theirs = transformers.AutoModelForMaskedLM.from_config(config).eval()
        for key, parameter in theirs.named_parameters():
            drawn = 0.3 * torch.randn(parameter.shape)
            is_scale = parameter.dim() == 1 and key.endswith("weight")
            parameter.data = drawn + 1 if is_scale else drawn
    family, known = MLM_FAMILIES[model_type], config.to_dict()
    ours = MlmHead(family, known)
    weights = {key: tensor.clone() for key, tensor in theirs.state_dict().items()}
    found, _, missing = from_checkpoint(weights, family.names(ours))
    assert missing == []
    ours.load_state_dict(found)
    return Twins(model_type, theirs, ours.eval())


def their_logits(twins: Twins, states: Tensor) -> Tensor:
    """What theirs makes of hidden states that are handed to it."""
    base = getattr(twins.theirs, twins.theirs.base_model_prefix)
    hook = base.register_forward_hook(
        lambda _module, _given, out: type(out)(last_hidden_state=states[None])
    )
    try:
        return twins.theirs(input_ids=torch.zeros(1, len(states), dtype=torch.long)).logits[0]
    finally:
        hook.remove()


@each_case
def test_logits_and_gradients_equal_those_of_transformers(name: str):
    twins = make_twins(name)
    states = torch.randn(7, 24, generator=torch.Generator().manual_seed(1)).requires_grad_()
    expected = their_logits(twins, states)
    tokens = twins.tokens.detach().clone().requires_grad_()
    found = twins.ours.logits(states, tokens)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(2)) / len(states)
    theirs = torch.autograd.grad((expected * weights).sum(), states, retain_graph=True)[0]
    (expected * weights).sum().backward()
    mine = torch.autograd.grad((found * weights).sum(), states, retain_graph=True)[0]
    torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-5)
    (found * weights).sum().backward()
    given = {n: p.grad for n, p in twins.theirs.named_parameters() if p.grad is not None}
    names = MLM_FAMILIES[twins.model_type].names(twins.ours)
    parameters = dict(twins.ours.named_parameters())
    for ours, (other,) in names.items():
        torch.testing.assert_close(parameters[ours].grad, given[other], atol=1e-5, rtol=1e-5)
    if twins.ours.table is None:
        table = twins.theirs.get_input_embeddings().weight.grad
        torch.testing.assert_close(tokens.grad, table, atol=1e-5, rtol=1e-5)
    else:
        assert tokens.grad is None


@each_case
def test_every_weight_has_a_name_there_and_back(name: str):
    twins = make_twins(name)
    family = MLM_FAMILIES[twins.model_type]
    back = to_checkpoint(twins.ours.state_dict(), family.names(twins.ours))
    original = twins.theirs.state_dict()
    for key, tensor in back.items():
        torch.testing.assert_close(tensor, original[key], atol=0, rtol=0)
    own = {key for key in original if not key.startswith(family.prefix)}
    twice = {f"{family.decoder}.weight", f"{family.decoder}.bias", family.bias}
    assert own - twice <= set(back) <= own  # of what stands there twice, one is ours


@pytest.mark.parametrize("family", MLM_FAMILIES)
def test_a_family_names_the_class_that_reads_it_and_its_prefix(family: str):
    twins = make_twins(family)
    named = MLM_FAMILIES[family]
    assert type(twins.theirs).__name__ == named.architecture
    assert twins.theirs.base_model_prefix + "." == named.prefix


def test_every_native_family_that_reads_texts_has_a_head():
    assert set(MLM_FAMILIES) == set(ARCHITECTURES) - {"static", "padded"}


def test_bfloat16_stays_near_float32():
    twins = make_twins("bert")
    states = torch.randn(9, 24, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        wide = twins.ours.logits(states, twins.tokens)
        narrow = twins.ours.logits(states.bfloat16(), twins.tokens)
    assert twins.ours(states.bfloat16()).dtype == torch.bfloat16
    assert narrow.dtype == torch.float32
    assert float((narrow - wide).abs().max()) < 0.05 * float(wide.abs().max())
