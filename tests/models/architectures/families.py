"""Small random models of transformers, one a family, and ours with the same weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput

from likewise.models.architectures import ARCHITECTURES, Architecture
from likewise.models.architectures.names import from_checkpoint
from likewise.text.packed import Packed, pack

VOCABULARY = 120
MIXED = (17, 1, 64, 2, 512, 65, 3, 33, 128, 90, 257)
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 520,
}
SPECIAL = {"bos_token_id": 1, "cls_token_id": 1, "eos_token_id": 2, "sep_token_id": 2}

# transformers' name, and sizes where the family names them in its own way
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("bert", {**SIZES, "pad_token_id": 0}),
    "roberta": ("roberta", {**SIZES, "pad_token_id": 1}),
    "xlm-roberta": ("xlm-roberta", {**SIZES, "pad_token_id": 1, "type_vocab_size": 1}),
    "camembert": ("camembert", {**SIZES, "pad_token_id": 1}),
    "distilbert": (
        "distilbert",
        {
            "vocab_size": VOCABULARY,
            "dim": 24,
            "n_layers": 3,
            "n_heads": 3,
            "hidden_dim": 40,
            "max_position_embeddings": 520,
        },
    ),
    "mpnet": ("mpnet", {**SIZES, "pad_token_id": 1}),
    "modernbert": ("modernbert", {**SIZES, **SPECIAL, "pad_token_id": 0, "local_attention": 32}),
    "static": ("static", {"vocab_size": VOCABULARY, "hidden_size": 24}),
    "padded": ("electra", {**SIZES, "embedding_size": 16, "pad_token_id": 0}),
}
SMALLEST_ID = 3  # no special token of any family


class Table(nn.Module):
    """What transformers would call a static family, had it one: its embedding layer alone."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(options["vocab_size"], options["hidden_size"])

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> BaseModelOutput:
        return BaseModelOutput(last_hidden_state=self.embedding(input_ids))


@dataclass(frozen=True)
class Twins:
    """The same weights twice."""

    config: dict[str, Any]
    architecture: Architecture
    theirs: nn.Module
    ours: nn.Module
    left_over: dict[str, Tensor]

    def hidden(self, texts: Sequence[NDArray[np.int64]]) -> tuple[Tensor, Tensor]:
        """[T, H] of theirs, padded and with the padding taken out again, and of ours."""
        packed = pack(texts)
        longest = int(packed.lengths.max())
        is_token = torch.arange(longest)[None, :] < packed.lengths[:, None]
        ids = torch.full(is_token.shape, self.config.get("pad_token_id") or 0)
        ids[is_token] = packed.ids
        found = self.theirs(input_ids=ids, attention_mask=is_token.long()).last_hidden_state
        return found[is_token], self.ours(packed)


def make_theirs(
    model_type: str, options: dict[str, Any], *, seed: int = 0
) -> tuple[dict[str, Any], nn.Module]:
    """A model of transformers whose every weight, norms and biases too, is drawn from a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if model_type == "static":
            found, model = {"model_type": model_type, **options}, Table(options)
        else:
            config = transformers.AutoConfig.for_model(model_type, **options)
            model = transformers.AutoModel.from_config(config).eval()
            found = config.to_dict()
        for name, parameter in model.named_parameters():
            drawn = 0.15 * torch.randn(parameter.shape)
            is_scale = parameter.dim() == 1 and name.endswith("weight")
            parameter.data = drawn + 1 if is_scale else drawn
    return found, model


def make_twins(family: str, *, seed: int = 0, **options: Any) -> Twins:
    """Theirs and ours of one family in ARCHITECTURES; options change the configuration."""
    model_type, sizes = CONFIGS[family]
    config, theirs = make_theirs(model_type, {**sizes, **options}, seed=seed)
    architecture = ARCHITECTURES[family]
    ours = architecture.build(config)
    weights = {name: tensor.clone() for name, tensor in theirs.state_dict().items()}
    found, left_over, missing = from_checkpoint(weights, architecture.names(config))
    assert missing == []
    ours.load_state_dict(found, assign=True)
    return Twins(config, architecture, theirs, ours.eval(), left_over)


def draw_texts(lengths: Sequence[int], *, seed: int = 0) -> list[NDArray[np.int64]]:
    """Token ids of texts of these lengths, none of them special."""
    draw = np.random.default_rng(seed)
    return [draw.integers(SMALLEST_ID, VOCABULARY, length) for length in lengths]


def embed_alone(model: nn.Module, texts: Sequence[NDArray[np.int64]]) -> list[Tensor]:
    """The hidden states of each text when it is the only one of its batch."""
    return [model(pack([text])) for text in texts]


def split(hidden: Tensor, packed: Packed) -> list[Tensor]:
    """The hidden states of each text of a batch."""
    return list(hidden.split(packed.lengths.tolist()))


def assert_same_as_transformers(twins: Twins, lengths: Sequence[int] = MIXED) -> None:
    """Hidden states differ by 1e-5 at most, and so do the gradients of every parameter."""
    theirs, ours = twins.hidden(draw_texts(lengths))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    weights = torch.randn(theirs.shape, generator=torch.Generator().manual_seed(3)) / len(theirs)
    (theirs * weights).sum().backward()
    (ours * weights).sum().backward()
    for name, (mine, other) in gradients(twins).items():
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=0, msg=f"gradient of {name}")


def gradients(twins: Twins) -> dict[str, tuple[Tensor, Tensor]]:
    """Our gradients beside theirs, by our names."""
    theirs = {n: p.grad for n, p in twins.theirs.named_parameters() if p.grad is not None}
    found, _, _ = from_checkpoint(theirs, twins.architecture.names(twins.config))
    ours = dict(twins.ours.named_parameters())
    return {name: (ours[name].grad, found[name]) for name in found}
