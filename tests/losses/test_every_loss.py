"""What every loss owes, our own and those of other packages: the battery of `LOSSES`."""

import inspect
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from likewise.data.kinds import KINDS
from likewise.losses import LOSSES, adaptive_layers, matryoshka
from likewise.registry import options

every_loss = pytest.mark.parametrize("name", LOSSES)
CONTRASTS = [name for name in LOSSES if LOSSES[name].layout == "contrast"]
every_contrast = pytest.mark.parametrize("name", CONTRASTS)


def double(call):
    """The call in float64, its head too."""
    if call.head is not None:
        call.head.double()
    return call.map(Tensor.double)


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
    assert double(draw_call(LOSSES[name])).loss().dtype == torch.float64


@every_loss
def test_autocast_changes_nothing(name, draw_call):
    call = draw_call(LOSSES[name])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = call.loss()
    assert torch.equal(inside, call.loss())


@every_loss
@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_the_rows_changes_nothing(name, seed, draw_call):
    call = draw_call(LOSSES[name], 7)
    torch.testing.assert_close(call.shuffled(seed).loss(), call.loss())


@every_loss
def test_gradients_are_those_of_finite_differences(name, draw_call):
    call = double(draw_call(LOSSES[name])).map(Tensor.requires_grad_)

    def loss(*embeddings):
        return call.with_embeddings(embeddings).loss()

    assert torch.autograd.gradcheck(loss, call.embeddings())


@every_loss
def test_large_and_equal_embeddings_stay_finite(name, draw_call):
    for change in (lambda rows: 1e4 * rows, torch.ones_like, torch.zeros_like):
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
    before = [tensor.clone() for tensor in call.tensors()]
    call.loss()
    assert all(torch.equal(a, b) for a, b in zip(call.tensors(), before, strict=True))


@every_loss
def test_every_embedding_gets_a_gradient(name, draw_call):
    found = []
    for seed in range(5):  # a margin may leave out any one text, but no role
        call = draw_call(LOSSES[name], 8, seed=seed).map(Tensor.requires_grad_)
        call.loss().backward()
        found.append([float(rows.grad.abs().sum()) for rows in call.embeddings()])
    assert torch.tensor(found).sum(dim=0).all()


@every_loss
def test_no_gradient_goes_to_targets_and_guides(name, draw_call):
    call = draw_call(LOSSES[name]).map(Tensor.requires_grad_)
    fixed = [call.columns[role] for role in call.spec.roles if role not in call.spec.text_roles]
    fixed = [t for t in (*fixed, *call.guides.values()) if t is not None and t.is_floating_point()]
    for tensor in call.guides.values():
        tensor.requires_grad_()
    call.loss().backward()
    assert all(tensor.grad is None for tensor in fixed)


@every_loss
def test_the_weights_of_a_head_get_gradients(name, draw_call):
    call = draw_call(LOSSES[name])
    call.loss()  # no gradient is asked of the embeddings: the head's do not depend on it
    weights = [] if call.head is None else list(call.head.parameters())
    if weights:
        call.loss().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights)


@every_loss
def test_a_constant_loss_is_refused(name, draw_call):
    spec = LOSSES[name]
    constants = [draw_call(spec, 0)]
    if spec.layout == "contrast":  # a pair alone; and candidates of which none is a negative
        alone = draw_call(spec, 1).with_columns(negative=None)
        guides = alone.guides | ({"negative": None} if spec.guided else {})
        constants.append(replace(alone, collides=torch.zeros(1, 1).bool(), guides=guides))
        constants.append(replace(alone, collides=None, guides=guides))
        call = draw_call(spec)
        constants.append(replace(call, collides=torch.ones_like(call.collides)))
    if spec.layout == "candidates":  # the positive alone
        call = draw_call(spec)
        kept = {role: call.columns[role][:, :1] for role in ("candidates", "scores")}
        constants.append(call.with_columns(**kept))
    if spec.grouped:
        constants.append(draw_call(spec, 1))
        constants.append(draw_call(spec).with_columns(label=torch.zeros(5).long()))
        constants.append(draw_call(spec).with_columns(label=torch.arange(5)))
    if spec.head is not None and "label" in spec.roles:
        one = draw_call(spec, classes=1)
        constants.append(one.with_columns(label=torch.zeros_like(one.columns["label"])))
    for call in constants:
        with pytest.raises(ValueError, match=rf"^{spec.function.__name__} needs"):
            call.loss()


@every_contrast
def test_a_masked_candidate_counts_as_if_it_were_absent(name, draw_call):
    call = draw_call(LOSSES[name])
    count, out = len(call.columns["anchor"]), 2
    masked = call.collides.clone()
    masked[:, count + out] = True
    kept = [i for i in range(masked.shape[1]) if i != count + out]

    def without(rows):
        return torch.cat([rows[:out], rows[out + 1 :]])

    less = call.with_columns(negative=without(call.columns["negative"]))
    guides = call.guides | {r: without(g) for r, g in call.guides.items() if r == "negative"}
    less = replace(less, collides=masked[:, kept], guides=guides)
    call = replace(call, collides=masked).map(Tensor.requires_grad_)
    torch.testing.assert_close(call.loss(), less.loss())
    call.loss().backward()
    assert not call.columns["negative"].grad[out].any()


@every_contrast
def test_rows_that_collide_do_not_meet(name, draw_call):
    """Two pairs that are positives of each other cost what they cost one by one."""
    call = draw_call(LOSSES[name], 2)
    both = torch.zeros_like(call.collides)
    both[0, 1] = both[1, 0] = True

    def only(i):
        def pick(given):
            return {r: t if r == "negative" else t[i : i + 1] for r, t in given.items()}

        free = torch.zeros(1, 1 + len(call.columns["negative"]), dtype=torch.bool)
        columns, guides = pick(call.columns), pick(call.guides)
        return replace(call, columns=columns, guides=guides, collides=free).loss()

    together = replace(call, collides=both).loss()
    torch.testing.assert_close(together, (only(0) + only(1)) / 2)


@every_contrast
def test_an_anchor_never_loses_its_own_positive(name, draw_call):
    call = draw_call(LOSSES[name])
    marked = call.collides.clone().fill_diagonal_(True)
    assert torch.equal(replace(call, collides=marked).loss(), call.loss())
    assert marked.diagonal().all()  # and the mask is left as it was


@every_contrast
def test_without_a_mask_nothing_collides(name, draw_call):
    call = draw_call(LOSSES[name])
    free = replace(call, collides=torch.zeros_like(call.collides))
    assert torch.equal(replace(call, collides=None).loss(), free.loss())


@every_contrast
def test_negatives_may_be_absent(name, draw_call):
    call = draw_call(LOSSES[name]).with_columns(negative=None)
    count = len(call.columns["anchor"])
    guides = call.guides | ({"negative": None} if call.spec.guided else {})
    call = replace(call, collides=call.collides[:, :count], guides=guides)
    assert call.loss().isfinite()


@every_loss
def test_it_can_be_nested_in_dimensions(name, draw_call):
    table, loss = draw_call(LOSSES[name]).flat()
    table.requires_grad_()
    nested = matryoshka(loss, table, dimensions=[6, 3], weights=[1.0, 0.5])
    unit = torch.nn.functional.normalize
    first = torch.cat([table[:, :3], torch.zeros(len(table), 3)], dim=1)
    torch.testing.assert_close(nested, loss(unit(table)) + 0.5 * loss(unit(first)))
    nested.backward()
    assert table.grad.isfinite().all()


@every_loss
def test_it_can_be_taken_at_several_layers(name, draw_call):
    table, loss = draw_call(LOSSES[name]).flat()
    layers = torch.stack([table.flip(0), table]).requires_grad_()
    adapted = adaptive_layers(loss, layers, layers=[0], prior_weight=0.5, kl_weight=0.0)
    torch.testing.assert_close(adapted, loss(layers[1]) + 0.5 * loss(layers[0]))
    adapted.backward()
    assert layers.grad.isfinite().all()


@every_loss
def test_the_signature_agrees_with_the_spec(name):
    spec = LOSSES[name]
    parameters = inspect.signature(spec.function).parameters.values()
    data = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    rest = data[len(spec.roles) :]
    many = [p.name for p in rest if p.kind is p.VAR_POSITIONAL]  # all guides in one
    named = [p.name for p in rest if p.name not in {"collides", "head", *many}]
    guides = len(spec.text_roles) * spec.guided
    assert len(many) <= 1
    assert len(named) == (0 if many else guides)
    middle = (many or named) if spec.guided else []
    assert [p.name for p in rest] == (
        ["collides"] * (spec.layout == "contrast") + middle + ["head"] * (spec.head is not None)
    )
    options(spec.function)()  # every option has a default
    assert spec.head is None or options(spec.head)() is not None  # a head's options too


@every_loss
def test_its_data_exists_and_it_says_when_to_use_it(name):
    spec = LOSSES[name]
    assert spec.kinds
    assert set(spec.kinds) <= set(KINDS)
    assert spec.paper
    assert spec.use
    assert not spec.use.endswith(".")


@every_loss
def test_a_loss_is_documented_with_shapes_and_what_it_returns(name):
    text = inspect.getdoc(LOSSES[name].function) or ""
    parts = ("Args:", "[B, D]", "Returns:", "float32 or wider", "Raises:", ">>> ")
    assert [part for part in parts if part not in text] == []
    undocumented = [o for o in options(LOSSES[name].function).model_fields if f"{o}: " not in text]
    assert undocumented == []


@pytest.mark.parametrize(
    ("name", "option"),
    [(name, option) for name in LOSSES for option in options(LOSSES[name].function).model_fields],
)
def test_every_option_matters(name, option, draw_call):
    """No option is read and then forgotten: another value gives another loss."""
    field = options(LOSSES[name].function).model_fields[option]
    values = getattr(field.annotation, "__args__", ())
    others = {
        bool: [not field.default],
        float: [0.7, 1.7],
    }.get(field.annotation, [0.7] if float in values else [v for v in values if v != field.default])
    needed = {"margin_strategy": {"margin": 0.5}}.get(option, {})
    found = {
        (seed, str(value)): draw_call(LOSSES[name], seed=seed).loss(**needed, **{option: value})
        for seed in range(3)
        for value in others
    }
    before = {seed: draw_call(LOSSES[name], seed=seed).loss(**needed) for seed in range(3)}
    assert others
    assert any(not torch.equal(loss, before[seed]) for (seed, _), loss in found.items())
