import pytest
import torch

from likewise.errors import InputError
from likewise.models.determinism import FIXED, WORKSPACE, repeatable

CPU, GPU = torch.device("cpu"), torch.device("cuda")  # the second need not be there


@pytest.mark.parametrize("value", FIXED)
def test_on_a_gpu_torch_keeps_to_deterministic_kernels_and_then_no_more(
    value: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(WORKSPACE, value)
    with repeatable(GPU, asked=True):
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


def test_what_was_before_comes_back_after_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(WORKSPACE, FIXED[0])
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with pytest.raises(KeyError), repeatable(GPU, asked=True):
            raise KeyError
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("value", [None, ":0:0"])
def test_a_gpu_whose_matmuls_keep_no_order_is_refused(
    value: str | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(WORKSPACE, raising=False)
    if value is not None:
        monkeypatch.setenv(WORKSPACE, value)
    with pytest.raises(InputError) as caught, repeatable(GPU, asked=True):
        pass
    assert f"{WORKSPACE}={FIXED[0]}" in caught.value.mend


@pytest.mark.parametrize(("device", "asked"), [(CPU, True), (CPU, False), (GPU, False)])
def test_nothing_changes_on_a_cpu_or_unasked(device: torch.device, asked: bool):
    with repeatable(device, asked=asked):
        assert not torch.are_deterministic_algorithms_enabled()
