import pytest
import torch

from likewise.errors import InputError
from likewise.models.device import choose_device, choose_hardware, has_bfloat16

CPU = torch.device("cpu")


def test_auto_is_a_device_that_works_here():
    assert torch.ones(1, device=choose_device("auto")).item() == 1


def test_the_one_named_is_taken():
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize("name", ["gpu", "", "cuda:99", "cpu:x"])
def test_a_device_that_is_not_here_is_refused_with_its_name(name: str):
    with pytest.raises(InputError, match=f'device "{name}" cannot be used'):
        choose_device(name)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_precision_named_is_taken(precision: str):
    hardware = choose_hardware(CPU, precision)
    assert hardware.dtype == getattr(torch, precision)
    assert hardware.why == "as asked"


def test_auto_says_why():
    hardware = choose_hardware(CPU)
    expected = torch.bfloat16 if has_bfloat16(CPU) else torch.float32
    assert hardware.dtype == expected
    assert "bfloat16" in hardware.why


def test_a_device_without_native_bfloat16_gets_float32():
    assert choose_hardware(torch.device("mps")).dtype == torch.float32


def test_half_precision_without_loss_scaling_is_refused():
    with pytest.raises(InputError, match='no precision "float16"'):
        choose_hardware(CPU, "float16")
