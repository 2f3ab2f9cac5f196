import torch

from likewise.text.transfer import send


def test_what_is_there_already_is_not_copied():
    values = torch.arange(3)
    assert send(values, torch.device("cpu")) is values


def test_a_device_may_be_named_by_a_string():
    assert send(torch.arange(3), "meta").device.type == "meta"
