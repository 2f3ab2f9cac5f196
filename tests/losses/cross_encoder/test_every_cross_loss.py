"""What every loss of a cross-encoder owes: the battery of `CROSS_LOSSES`."""

import inspect

import pytest
import torch
from torch import Tensor

from likewise.data.kinds import KINDS
from likewise.losses.cross_encoder import CROSS_LOSSES
from likewise.registry import options

every_loss = pytest.mark.parametrize("name", CROSS_LOSSES)
every_list = pytest.mark.parametrize(
    "name", [name for name, spec in CROSS_LOSSES.items() if spec.form == "lists"]
)


def gradient(call):
    call = call.map(lambda logits: logits.detach().clone().requires_grad_())
    return torch.autograd.grad(call.loss(), call.logits)[0]


@every_loss
@pytest.mark.parametrize("narrow", [torch.bfloat16, torch.float16])
def test_narrow_logits_give_a_finite_float32_scalar(name, narrow, draw_call):
    call = draw_call(CROSS_LOSSES[name]).map(lambda logits: logits.to(narrow))
    loss = call.loss()
    assert (loss.shape, loss.dtype) == (torch.Size([]), torch.float32)
    assert torch.isfinite(loss)
    assert torch.equal(loss, call.map(Tensor.float).loss())


@every_loss
def test_float64_stays(name, draw_call):
    assert draw_call(CROSS_LOSSES[name]).map(Tensor.double).loss().dtype == torch.float64


@every_loss
def test_autocast_changes_nothing(name, draw_call):
    call = draw_call(CROSS_LOSSES[name])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = call.loss()
    assert torch.equal(inside, call.loss())


@every_loss
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_rows_changes_nothing(name, seed, draw_call):
    call = draw_call(CROSS_LOSSES[name], 7, seed=seed)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(call.map(lambda t: t[order], all_of_it=True).loss(), call.loss())


@every_list
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_negatives_changes_nothing(name, seed, draw_call):
    call = draw_call(CROSS_LOSSES[name], seed=seed)
    others = torch.randperm(call.logits.shape[1] - 1, generator=torch.Generator().manual_seed(seed))
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + others])
    torch.testing.assert_close(call.map(lambda t: t[:, order], all_of_it=True).loss(), call.loss())


@every_list
@pytest.mark.parametrize("filler", [0.0, 1e4, -1e4])
def test_what_is_masked_changes_nothing_and_gets_no_gradient(name, filler, draw_call):
    call = draw_call(CROSS_LOSSES[name])
    mask = call.rest[-1]
    assert not mask.all()
    filled = call.map(lambda logits: logits.masked_fill(~mask, filler))
    assert torch.equal(filled.loss(), call.loss())
    assert torch.equal(gradient(filled), gradient(call))
    assert not gradient(filled)[~mask].any()


@every_list
def test_more_padding_changes_nothing(name, draw_call):
    call = draw_call(CROSS_LOSSES[name])
    wider = call.map(lambda t: torch.cat([t, torch.zeros_like(t[:, :3])], dim=1), all_of_it=True)
    torch.testing.assert_close(wider.loss(), call.loss())


@every_list
def test_no_mask_is_a_mask_of_all(name, draw_call):
    call = draw_call(CROSS_LOSSES[name])
    *grades, mask = call.rest
    whole = call.spec.function(call.logits, *grades, torch.ones_like(mask))
    assert torch.equal(call.spec.function(call.logits, *grades), whole)


@every_loss
@pytest.mark.parametrize("seed", range(3))
def test_gradients_are_those_of_finite_differences(name, seed, draw_call):
    call = draw_call(CROSS_LOSSES[name], seed=seed)
    logits = call.logits.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda rows: call.spec.function(rows, *call.rest), logits)


@every_loss
def test_a_step_against_the_gradient_lowers_the_loss(name, draw_call):
    call = draw_call(CROSS_LOSSES[name])
    slope = gradient(call)
    assert slope.abs().sum() > 0
    assert call.map(lambda logits: logits - 1e-2 * slope).loss() < call.loss()


@every_loss
def test_large_and_equal_logits_stay_finite(name, draw_call):
    for change in (lambda logits: 1e4 * logits, torch.zeros_like, torch.ones_like):
        call = draw_call(CROSS_LOSSES[name]).map(change)
        assert torch.isfinite(call.loss())
        assert torch.isfinite(gradient(call)).all()


@every_loss
def test_no_argument_is_changed(name, draw_call):
    call = draw_call(CROSS_LOSSES[name])
    before = call.map(Tensor.clone, all_of_it=True)
    call.loss()
    assert torch.equal(call.logits, before.logits)
    assert all(torch.equal(*both) for both in zip(call.rest, before.rest, strict=True))


@every_loss
def test_a_constant_loss_is_refused(name, draw_call):
    spec = CROSS_LOSSES[name]
    constants = [draw_call(spec, 0)]
    if spec.classes == "labels":
        constants.append(draw_call(spec, width=1))
    if spec.form == "lists":  # the positive alone, by its width and by its mask
        constants.append(draw_call(spec).map(lambda t: t[:, :1], all_of_it=True))
        *grades, mask = draw_call(spec).rest
        alone = torch.zeros_like(mask)
        alone[:, 0] = True
        constants.append(type(constants[0])(spec, draw_call(spec).logits, (*grades, alone)))
    for call in constants:
        with pytest.raises(ValueError, match=rf"^{spec.function.__name__} needs"):
            call.loss()


@every_loss
def test_the_signature_agrees_with_the_spec(name):
    spec = CROSS_LOSSES[name]
    parameters = inspect.signature(spec.function).parameters.values()
    data = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    if spec.form == "lists":
        assert data == ["logits", *["grades"] * spec.graded, "mask"]
    else:
        assert data == ["logits", "labels" if spec.classes == "labels" else "targets"]
    options(spec.function)()  # every option has a default


@every_loss
def test_a_loss_takes_data_that_can_be_read(name):
    spec = CROSS_LOSSES[name]
    assert spec.kinds
    assert set(spec.kinds) <= set(KINDS)
    assert spec.paper
    assert spec.use


@every_loss
def test_a_loss_is_documented_with_shapes_and_what_it_returns(name):
    text = inspect.getdoc(CROSS_LOSSES[name].function) or ""
    shape = "[Q, C]" if CROSS_LOSSES[name].form == "lists" else "[B"
    assert all(part in text for part in ("Args:", shape, "Returns:", "Raises:", ">>> "))
