import pytest
import torch
from sentence_transformers.base.modules import Dense as PeerDense
from torch import nn

from likewise.errors import InputError
from likewise.models.folder.contents import TailModule
from likewise.models.heads import (
    ACTIVATIONS,
    Dense,
    Norm,
    Normalize,
    PairClassifier,
    PairScale,
    build_tail,
    find_activation,
    tail_weights,
)

DRAW = torch.Generator().manual_seed(0)
TANH = "torch.nn.modules.activation.Tanh"


def dense_module(n_in: int, n_out: int, **config: object) -> TailModule:
    weights = {"linear.weight": torch.randn(n_out, n_in, generator=DRAW)}
    if config.get("bias", True):
        weights["linear.bias"] = torch.randn(n_out, generator=DRAW)
    if config.get("use_residual") and n_in != n_out:
        weights["residual.weight"] = torch.randn(n_out, n_in, generator=DRAW)
    sizes = {"in_features": n_in, "out_features": n_out}
    return TailModule(kind="Dense", config={**sizes, **config}, weights=weights)


@pytest.mark.parametrize(
    ("n_out", "options"),
    [
        (3, {"activation_function": TANH}),
        (3, {"activation_function": "torch.nn.modules.linear.Identity", "bias": False}),
        (3, {"activation_function": "torch.nn.modules.activation.GELU", "use_residual": True}),
        (4, {"activation_function": "torch.nn.ReLU", "use_residual": True}),
    ],
    ids=["tanh", "no bias", "residual of another width", "residual"],
)
def test_dense_equals_the_peer_s(n_out: int, options: dict[str, object]):
    module = dense_module(4, n_out, **options)
    peer = PeerDense(
        4,
        n_out,
        bias=bool(options.get("bias", True)),
        activation_function=find_activation(str(options["activation_function"])),
        use_residual=bool(options.get("use_residual", False)),
    )
    peer.load_state_dict(module.weights)
    x = torch.randn(6, 4, generator=DRAW)
    found = build_tail([module])(x)
    torch.testing.assert_close(found, peer({"sentence_embedding": x})["sentence_embedding"])


@pytest.mark.parametrize("kind", ACTIVATIONS, ids=lambda kind: kind.__name__)
def test_an_activation_is_found_by_the_path_that_the_peer_writes(kind: type[nn.Module]):
    assert type(find_activation(f"{kind.__module__}.{kind.__qualname__}")) is kind


@pytest.mark.parametrize(
    "path", ["os.system", "torch.nn.modules.activation.Evil", "mine.Tanh", "torch.load", "Tanh"]
)
def test_any_other_activation_is_refused(path: str):
    with pytest.raises(InputError, match="is not supported"):
        find_activation(path)


def test_normalize_gives_length_1_and_keeps_zero():
    out = Normalize()(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    torch.testing.assert_close(out, torch.tensor([[0.6, 0.8], [0.0, 0.0]]))


def test_norm_equals_that_of_torch():
    x = torch.randn(3, 4, generator=DRAW)
    torch.testing.assert_close(Norm(4)(x), nn.LayerNorm(4)(x))


def test_an_empty_tail_is_the_identity():
    x = torch.randn(2, 3, generator=DRAW)
    assert build_tail([])(x) is x
    assert tail_weights(build_tail([])) == []


def test_modules_follow_one_another_and_give_their_weights_back():
    norm = {"norm.weight": torch.rand(3), "norm.bias": torch.rand(3)}
    modules = [
        dense_module(4, 3, activation_function=TANH),
        TailModule(kind="LayerNorm", config={"dimension": 3}, weights=norm),
        TailModule(kind="Normalize"),
    ]
    tail = build_tail(modules)
    out = tail(torch.randn(5, 4, generator=DRAW))
    torch.testing.assert_close(out.norm(dim=1), torch.ones(5))
    for module, weights in zip(modules, tail_weights(tail), strict=True):
        assert weights.keys() == module.weights.keys()
        assert all(torch.equal(weights[name], module.weights[name]) for name in weights)


def test_weights_given_back_share_no_memory_with_the_model():
    tail = build_tail([dense_module(2, 2)])
    tail_weights(tail)[0]["linear.weight"].zero_()
    assert tail[0].linear.weight.any()


def test_the_activation_is_tanh_where_none_is_stated():
    (module,) = build_tail([dense_module(2, 2)])
    assert isinstance(module, Dense)
    assert isinstance(module.activation, nn.Tanh)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"in_features": 9}, r"2_Dense: shape of linear.weight: expected \[3, 9\], found \[3, 4\]"),
        ({"bias": False}, "2_Dense: expected weights"),
        ({"out_features": None}, "needs in_features and out_features"),
    ],
    ids=["shape", "names", "no size"],
)
def test_weights_that_do_not_fit_are_named(change: dict[str, object], message: str):
    module = dense_module(4, 3)
    wrong = TailModule(kind="Dense", config={**module.config, **change}, weights=module.weights)
    with pytest.raises(InputError, match=message):
        build_tail([wrong])


def test_the_classifier_is_the_peer_s_linear_layer():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        ours = PairClassifier(4, 3)
        torch.manual_seed(5)
        theirs = nn.Linear(3 * 4, 3)
    features = torch.randn(2, 12, generator=DRAW)
    assert torch.equal(ours(features), theirs(features))


def test_with_the_product_the_classifier_takes_a_fourth_feature():
    assert PairClassifier(4, 3).linear.in_features == 3 * 4
    ours = PairClassifier(4, 3, product=True)
    assert (ours.linear.in_features, ours.product) == (4 * 4, True)
    assert ours(torch.randn(2, 16, generator=DRAW)).shape == (2, 3)


def test_the_sigmoid_s_scale_and_bias_start_as_the_paper_s():
    head = PairScale()
    cosines = torch.tensor([[1.0, -0.5]])
    torch.testing.assert_close(head(cosines), torch.tensor([[10.0 - 10, -5.0 - 10]]))
    assert {name for name, _ in head.named_parameters()} == {"log_scale", "bias"}


def test_a_scale_or_a_bias_that_is_given_is_fixed():
    head = PairScale()
    assert head(torch.tensor(0.5), scale=4.0, bias=1.0).item() == 3.0
    assert not head(torch.tensor(0.5), scale=4.0, bias=1.0).requires_grad
    head(torch.tensor(0.5), scale=4.0).backward()
    assert (head.log_scale.grad, head.bias.grad) == (None, torch.tensor(1.0))
