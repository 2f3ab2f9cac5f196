"""What every loss owes, our own and those of other packages: the battery of `LOSSES`."""

import inspect

import pytest
import torch
from torch import Tensor

from likewise.losses import LOSSES
from likewise.registry import options

every_loss = pytest.mark.parametrize("name", LOSSES)


@every_loss
@pytest.mark.parametrize("narrow", [torch.bfloat16, torch.float16])
def test_narrow_embeddings_give_a_finite_float32_scalar(name, narrow, draw_call):
    call = draw_call(LOSSES[name]).map(lambda rows: rows.to(narrow))
    exact = call.map(Tensor.float).loss()
    loss = call.loss()
    assert (loss.shape, loss.dtype) == (torch.Size([]), torch.float32)
    assert torch.isfinite(loss)
    torch.testing.assert_close(loss, exact)


@every_loss
def test_float64_stays(name, draw_call):
    call = draw_call(LOSSES[name]).map(Tensor.double)
    for head in call.extra.values():
        head.double()
    assert call.loss().dtype == torch.float64


@every_loss
def test_autocast_changes_nothing(name, draw_call):
    call = draw_call(LOSSES[name])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = call.loss()
    assert torch.equal(inside, call.loss())


@every_loss
def test_the_order_of_the_rows_changes_nothing(name, draw_call):
    call = draw_call(LOSSES[name], 7)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(call.map(lambda t: t[order], targets=True).loss(), call.loss())


@every_loss
def test_gradients_are_those_of_finite_differences(name, draw_call):
    call = draw_call(LOSSES[name]).map(lambda rows: rows.double().requires_grad_())
    for head in call.extra.values():
        head.double()

    def loss(*embeddings):
        given = dict(zip(call.spec.text_roles, embeddings, strict=True))
        return call.spec.function(*(call.columns | given).values(), **call.extra)

    assert torch.autograd.gradcheck(loss, call.embeddings())


@every_loss
def test_large_and_equal_embeddings_stay_finite(name, draw_call):
    for change in (lambda rows: 1e4 * rows, torch.ones_like):
        call = draw_call(LOSSES[name]).map(
            lambda rows, change=change: change(rows).requires_grad_()
        )
        loss = call.loss()
        loss.backward()
        assert torch.isfinite(loss)
        assert all(torch.isfinite(rows.grad).all() for rows in call.embeddings())


@every_loss
def test_no_argument_is_changed(name, draw_call):
    call = draw_call(LOSSES[name])
    before = {role: tensor.clone() for role, tensor in call.columns.items()}
    call.loss()
    assert all(torch.equal(call.columns[role], tensor) for role, tensor in before.items())


@every_loss
def test_the_weights_of_a_head_get_gradients(name, draw_call):
    call = draw_call(LOSSES[name])
    call.loss()  # no gradient is asked of the embeddings: the head's do not depend on it
    weights = [weight for head in call.extra.values() for weight in head.parameters()]
    if weights:
        call.loss().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights)


@every_loss
def test_a_constant_loss_is_refused(name, draw_call):
    spec = LOSSES[name]
    constants = [draw_call(spec, 0)]
    if spec.contrastive:  # the anchor and its positive, without a negative
        alone = draw_call(spec, 1)
        columns = dict(list(alone.columns.items())[:2])
        constants.append(type(alone)(spec, columns))
    if spec.head is not None:
        one = draw_call(spec, classes=1)
        one.columns["label"] = torch.zeros_like(one.columns["label"])
        constants.append(one)
    for call in constants:
        with pytest.raises(ValueError, match=rf"^{spec.function.__name__} needs"):
            call.loss()


@every_loss
def test_the_signature_agrees_with_the_spec(name):
    spec = LOSSES[name]
    parameters = inspect.signature(spec.function).parameters.values()
    data = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    rest = data[len(spec.roles) :]
    assert rest == ["collides"] * spec.contrastive + ["head"] * (spec.head is not None)
    options(spec.function)()  # every option has a default


@every_loss
def test_a_loss_is_documented_with_shapes_and_what_it_returns(name):
    text = inspect.getdoc(LOSSES[name].function) or ""
    assert all(part in text for part in ("Args:", "[B, D]", "Returns:", "Raises:", ">>> "))
