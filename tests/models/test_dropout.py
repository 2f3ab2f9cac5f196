import pytest
import torch
import torch.nn.functional as F

from likewise.models.dropout import drop


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("probability", [0.1, 0.5, 0.003])
def test_the_share_dropped_and_the_scale_are_those_of_torch(dtype, probability):
    torch.manual_seed(0)
    x = torch.ones(1001, 997, dtype=dtype)
    own, torchs = drop(x, probability), F.dropout(x, probability)
    share = float((own == 0).double().mean())
    spread = (probability * (1 - probability) / x.numel()) ** 0.5
    assert share == pytest.approx(probability, abs=5 * spread + 2**-17)
    assert own.dtype == dtype
    kept = own[own != 0].unique()
    assert len(kept) == 1
    assert float(kept) == pytest.approx(
        float(torchs.max()), rel=1e-4 if dtype == x.float().dtype else 1e-2
    )


def test_elements_are_dropped_independently_of_their_neighbours():
    torch.manual_seed(0)
    gone = (drop(torch.ones(1_000_003), 0.3) == 0).double()
    for apart in (1, 2, 3, 4, 5, 8, 64):
        both = (gone[apart:] * gone[:-apart]).mean()
        assert float(both) == pytest.approx(0.09, abs=0.002)


def test_the_gradient_passes_where_the_element_did():
    torch.manual_seed(0)
    x = torch.randn(7, 5, 3, requires_grad=True)
    y = drop(x, 0.4)
    weights = torch.randn_like(y)
    (y * weights).sum().backward()
    scale = 1 / (1 - round(0.4 * 65536) / 65536)
    assert torch.allclose(x.grad, weights * scale * (y != 0))


def test_a_restored_state_draws_the_same_mask_and_another_seed_does_not():
    x = torch.ones(64, 33)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    first, second = drop(x, 0.2), drop(x, 0.2)
    torch.set_rng_state(state)
    assert torch.equal(drop(x, 0.2), first)
    assert not torch.equal(first, second)


def test_views_and_empty_tensors_are_taken():
    x = torch.ones(6, 4, 2).transpose(0, 2)[:, 1:]
    assert drop(x, 0.5).shape == x.shape
    assert drop(torch.ones(0, 4), 0.5).shape == (0, 4)


def test_nothing_and_everything():
    x = torch.randn(5, 5)
    assert torch.equal(drop(x, 0.0), x)
    assert torch.equal(drop(x, 1.0), torch.zeros_like(x))
