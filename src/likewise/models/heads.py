"""What follows the pooling: dense layers, norms, normalisation; and the weights of losses."""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from likewise.errors import InputError
from likewise.models.folder.contents import TailModule

ACTIVATION_PATHS = ("torch.nn.modules.activation.", "torch.nn.modules.linear.", "torch.nn.")
ACTIVATIONS: tuple[type[nn.Module], ...] = (
    nn.Identity,
    nn.Tanh,
    nn.ReLU,
    nn.ReLU6,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Sigmoid,
    nn.ELU,
    nn.SELU,
    nn.LeakyReLU,
    nn.Softplus,
    nn.Softsign,
    nn.Hardtanh,
    nn.Hardswish,
)


class Dense(nn.Module):
    """Activation(x W^T + b), with the input added where the folder asks for it."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        bias: bool = True,
        activation: str = "torch.nn.modules.activation.Tanh",
        is_residual: bool = False,
    ) -> None:
        """Draw the weights as torch does; a folder's replace them.

        Raises:
            InputError: an activation that is not one of torch's own.
        """
        super().__init__()
        self.linear = nn.Linear(n_in, n_out, bias=bias)
        self.activation = find_activation(activation)
        self.is_residual = is_residual
        if is_residual and n_in != n_out:
            self.residual = nn.Linear(n_in, n_out, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[S, n_in] to [S, n_out]."""
        out: Tensor = self.activation(self.linear(x))
        if not self.is_residual:
            return out
        return out + (self.residual(x) if hasattr(self, "residual") else x)


class Normalize(nn.Module):
    """Every vector to length 1."""

    def forward(self, x: Tensor) -> Tensor:
        """[S, D] to [S, D]."""
        return F.normalize(x, dim=-1)


class Norm(nn.Module):
    """Layer normalisation with its scale and shift."""

    def __init__(self, width: int) -> None:
        """Start as the identity scale."""
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """[S, D] to [S, D]."""
        out: Tensor = self.norm(x)
        return out


class PairClassifier(nn.Module):
    """The softmax head of SBERT's NLI training (Reimers & Gurevych 2019, section 3)."""

    def __init__(self, width: int, classes: int, *, product: bool = False) -> None:
        """Draw the weights as the peer does: torch's default for a linear layer.

        Args:
            width: D of an embedding.
            classes: K, 3 for NLI.
            product: also take u * v among the features (their table 6).
        """
        super().__init__()
        self.product = product
        self.linear = nn.Linear((3 + product) * width, classes)

    def forward(self, features: Tensor) -> Tensor:
        """[B, 3 D], the features (u, v, |u - v|), to logits [B, K]; [B, 4 D] with the product."""
        logits: Tensor = self.linear(features)
        return logits


class PairScale(nn.Module):
    """The learned scale and bias of the sigmoid loss (Zhai et al. 2023, algorithm 1)."""

    def __init__(self) -> None:
        """Start as the paper does: a scale of 10, and a bias with which no pair matches."""
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.bias = nn.Parameter(torch.tensor(-10.0))

    def forward(
        self, cosines: Tensor, *, scale: float | None = None, bias: float | None = None
    ) -> Tensor:
        """Cosines of any shape to logits; a scale or a bias given here is fixed."""
        scaled = cosines * (self.log_scale.exp() if scale is None else scale)
        return scaled + (self.bias if bias is None else bias)


def find_activation(path: str) -> nn.Module:
    """The activation of torch that a folder names, such as "torch.nn.modules.activation.Tanh".

    Raises:
        InputError: it is not in the list of those allowed: nothing else is imported by name.
    """
    name = path.rsplit(".", 1)[-1]
    known = {kind.__name__: kind for kind in ACTIVATIONS}
    if name not in known or path.removesuffix(name) not in ACTIVATION_PATHS:
        problem = f'the activation "{path}" of a Dense module is not supported'
        raise InputError(problem, mend=f"one of torch.nn's: {', '.join(known)}")
    return known[name]()


def build_tail(tail: Sequence[TailModule]) -> nn.Sequential:
    """The modules behind the pooling, with the weights of the folder; of none, the identity.

    Args:
        tail: as the folder gives it.

    Raises:
        InputError: sizes and weights do not fit one another; names the module.
    """
    return nn.Sequential(*(_build(module, i) for i, module in enumerate(tail, start=2)))


def tail_weights(tail: nn.Module) -> list[dict[str, Tensor]]:
    """The weights of each module as they are now, under the names of the folder."""
    return [
        {name: tensor.detach().cpu().clone() for name, tensor in module.state_dict().items()}
        for module in tail.children()
    ]


def _build(module: TailModule, i: int) -> nn.Module:
    built = _BUILDERS[module.kind](module)
    place = f"{i}_{module.kind}"
    mend = "copy the folder again: the module's weights do not belong to its config.json"
    expected = built.state_dict()
    if expected.keys() != module.weights.keys():
        problem = f"{place}: expected weights {sorted(expected)}, found {sorted(module.weights)}"
        raise InputError(problem, mend=mend)
    for name, tensor in module.weights.items():
        if tensor.shape != expected[name].shape:
            shapes = f"expected {list(expected[name].shape)}, found {list(tensor.shape)}"
            raise InputError(f"{place}: shape of {name}: {shapes}", mend=mend)
    built.load_state_dict({name: tensor.float() for name, tensor in module.weights.items()})
    return built


def _dense(module: TailModule) -> nn.Module:
    config = module.config
    try:
        sizes = int(config["in_features"]), int(config["out_features"])
    except (KeyError, TypeError, ValueError) as error:
        problem = f"a Dense module needs in_features and out_features, found {config}"
        raise InputError(problem, mend="complete its config.json") from error
    return Dense(
        *sizes,
        bias=bool(config.get("bias", True)),
        activation=str(config.get("activation_function", "torch.nn.modules.activation.Tanh")),
        is_residual=bool(config.get("use_residual", False)),
    )


def _norm(module: TailModule) -> nn.Module:
    return Norm(int(module.config.get("dimension", len(module.weights.get("norm.weight", ())))))


_BUILDERS: dict[str, Callable[[TailModule], nn.Module]] = {
    "Dense": _dense,
    "Normalize": lambda module: Normalize(),
    "LayerNorm": _norm,
}
