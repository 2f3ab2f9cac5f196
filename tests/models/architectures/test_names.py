import torch
from hypothesis import given
from hypothesis import strategies as st

from likewise.models.architectures.names import from_checkpoint, to_checkpoint

NAMES = {"qkv": ("q", "k", "v"), "norm": ("layer_norm",)}


@given(rows=st.integers(1, 4), width=st.integers(1, 3))
def test_fusing_and_splitting_are_inverse(rows: int, width: int):
    parts = {name: torch.randn(rows, width) for name in ("q", "k", "v", "layer_norm")}
    ours, unused, missing = from_checkpoint(parts, NAMES)
    assert (unused, missing) == ({}, [])
    assert ours["qkv"].shape == (3 * rows, width)
    back = to_checkpoint(ours, NAMES)
    assert back.keys() == parts.keys()
    assert all(torch.equal(back[name], parts[name]) for name in parts)


def test_what_is_missing_and_what_is_left_over_are_named():
    given_weights = {"q": torch.ones(1), "k": torch.ones(1), "pooler": torch.ones(1)}
    ours, unused, missing = from_checkpoint(given_weights, NAMES)
    assert ours == {}
    assert list(unused) == ["pooler"]
    assert missing == ["layer_norm", "v"]


def test_narrow_weights_become_float32():
    ours, _, _ = from_checkpoint({"layer_norm": torch.ones(2).half()}, {"norm": ("layer_norm",)})
    assert ours["norm"].dtype == torch.float32


def test_what_is_written_shares_no_memory_with_the_model():
    ours = {"norm": torch.ones(2), "qkv": torch.ones(3, 2)}
    back = to_checkpoint(ours, NAMES)
    back["layer_norm"].zero_()
    back["k"].zero_()
    assert ours["norm"].tolist() == [1, 1]
    assert ours["qkv"].sum() == 6
