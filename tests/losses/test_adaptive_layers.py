import math

import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    AdaptiveLayerLoss,
    Matryoshka2dLoss,
    MultipleNegativesRankingLoss,
)

from likewise.losses import adaptive_layers, matryoshka, mnr

TEXTS = (["how do people paint", "an apple", "the river"], ["a guide", "any garden", "to measure"])


@pytest.fixture
def peer_model(tiny_folder):
    """Two layers, and so three embeddings of a text: the peer counts the input as layer 0."""
    return SentenceTransformer(str(tiny_folder), device="cpu", local_files_only=True).eval()


def features(model):
    return [model.preprocess(list(column)) for column in TEXTS]


def layers_of(model):
    """[L, S, D], with gradients to the weights: the peer's own, pooled layer by layer."""
    transformer, pooling = model[0], model[1]
    columns = []
    for column in features(model):
        states = transformer.auto_model(**column, output_hidden_states=True).hidden_states
        pooled = [pooling({**column, "token_embeddings": state}) for state in states]
        columns.append(torch.stack([out["sentence_embedding"] for out in pooled]))
    return torch.cat(columns, dim=1)


def pairwise(table):
    return mnr(*table.split(3))


@pytest.mark.parametrize(
    ("given", "theirs"),
    [
        ({}, {}),
        ({"weighting": "linear"}, {"layer_weighting": "linear"}),
        ({"weighting": "log"}, {"layer_weighting": "log"}),
        (
            {"last_weight": 0.7, "prior_weight": 2.0, "kl_weight": 0.3, "kl_temperature": 0.9},
            {"last_layer_weight": 0.7, "prior_layers_weight": 2.0, "kl_div_weight": 0.3,
             "kl_temperature": 0.9},
        ),
        ({"kl_temperature": 0.0}, {"kl_temperature": 0.0}),
    ],
    ids=["plain", "linear", "log", "weights", "no divergence"],
)  # fmt: skip
def test_value_and_gradients_are_the_peers(given, theirs, peer_model, assert_same):
    inner = MultipleNegativesRankingLoss(peer_model)
    peer = AdaptiveLayerLoss(peer_model, inner, n_layers_per_step=-1, **theirs)
    ours = adaptive_layers(pairwise, layers_of(peer_model), layers=[0, 1], **given)
    weights = list(peer_model.parameters())
    assert_same(ours, peer(features(peer_model), None), weights)


def test_with_matryoshka_inside_it_is_the_peers_loss_in_two_dimensions(peer_model, assert_same):
    inner = MultipleNegativesRankingLoss(peer_model)
    dimensions = [32, 8]
    peer = Matryoshka2dLoss(peer_model, inner, dimensions, n_layers_per_step=-1, n_dims_per_step=-1)

    def nested(table):
        return matryoshka(pairwise, table, dimensions=dimensions)

    ours = adaptive_layers(nested, layers_of(peer_model), layers=[0, 1])
    assert_same(ours, peer(features(peer_model), None), list(peer_model.parameters()))


def test_the_divergence_draws_earlier_layers_and_never_the_last():
    layers = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = adaptive_layers(
        lambda rows: 0 * rows.sum(), layers, layers=[0], kl_weight=2.0, kl_temperature=0.5
    )
    p, q = (layers[i].detach().div(0.5).softmax(dim=-1) for i in (1, 0))
    expected = 2.0 * 0.5 * (p * (p / q).log()).sum() / 3
    torch.testing.assert_close(loss.detach(), expected)
    loss.backward()
    assert layers.grad[0].any()
    assert not layers.grad[1].any()


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [("uniform", 1 + 1), ("linear", 1 + 1 / 2), ("log", 1 + 1 / (1 + math.log(2)))],
)
def test_earlier_layers_weigh_less_and_are_averaged(weighting, expected):
    layers = torch.ones(3, 2, 2)
    loss = adaptive_layers(
        torch.mean, layers, layers=[0, 1], last_weight=0.0, kl_weight=0.0, weighting=weighting
    )
    assert loss.item() == pytest.approx(expected / 2)


def test_without_earlier_layers_it_is_the_loss():
    layers = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(adaptive_layers(pairwise, layers, layers=[]), pairwise(layers[0]))


@pytest.mark.parametrize("layers", [[2], [-1], [0, 3]])
def test_layers_that_are_not_before_the_last_are_refused(layers):
    with pytest.raises(ValueError, match="adaptive_layers needs layers from 0 to 1, found"):
        adaptive_layers(torch.mean, torch.ones(3, 2, 2), layers=layers)
