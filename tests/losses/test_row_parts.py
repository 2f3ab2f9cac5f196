"""Losses whose scores are computed some rows at a time."""

import pytest
import torch
from torch import Tensor

from likewise.losses import LOSSES, row_parts
from likewise.losses.row_parts import mean_over_rows

CONTRASTS = [name for name, spec in LOSSES.items() if spec.layout == "contrast"]


@pytest.mark.parametrize("name", CONTRASTS)
@pytest.mark.parametrize("scores", [1, 40])
def test_parts_give_the_value_and_the_gradients_of_the_whole(
    name: str, scores: int, draw_call, monkeypatch: pytest.MonkeyPatch
):
    found = []
    for limit in (row_parts.SCORES, scores):
        monkeypatch.setattr(row_parts, "SCORES", limit)
        table, loss = draw_call(LOSSES[name]).flat()
        table = table.detach().requires_grad_()
        value = loss(table)
        gradients = torch.autograd.grad(value, table)
        found.append((value.detach(), *gradients))
    for whole, parts in zip(*found, strict=True):
        torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-7)


def test_what_is_kept_for_the_way_back_is_the_rows_and_not_their_scores(
    monkeypatch: pytest.MonkeyPatch,
):
    def kept() -> int:
        anchors, positives = (torch.randn(256, 8, requires_grad=True) for _ in range(2))
        seen: dict[int, int] = {}

        def note(tensor: Tensor) -> Tensor:
            seen[tensor.data_ptr()] = tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            LOSSES["mnr"].function(anchors, positives)
        return max(seen.values())

    assert kept() >= 256 * 256
    monkeypatch.setattr(row_parts, "SCORES", 256 * 16)
    assert kept() <= 256 * 256 // 16


def test_few_rows_are_one_part():
    seen: list[slice] = []

    def term(part: slice) -> Tensor:
        seen.append(part)
        return torch.ones(())

    assert mean_over_rows(term, rows=4, scores=10) == 0.25
    assert seen == [slice(0, 4)]
