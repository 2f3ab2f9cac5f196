import inspect
from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.losses import LOSSES
from likewise.losses.listing import LossFacts, describe_loss, list_losses

PAGE = Path(__file__).parents[2] / "docs" / "losses.md"


def as_markdown(losses: list[LossFacts]) -> str:
    """The table of the page, one line a loss."""
    lines = [
        "| loss | data | when to use it | options | paper |",
        "| --- | --- | --- | --- | --- |",
    ]
    for facts in losses:
        options = ", ".join(
            f"`{option.name}={option.written_default}`".replace("=`", "`")
            for option in facts.options
        )
        lines.append(
            f"| `{facts.name}` | {facts.data} | {facts.use} | {options or 'none'} | {facts.paper} |"
        )
    return "\n".join(lines)


def test_the_page_says_what_the_table_says():
    now = as_markdown(list_losses())
    assert now in PAGE.read_text(encoding="utf-8"), f"the table of {PAGE.name} becomes:\n{now}"


@pytest.mark.parametrize("name", LOSSES)
def test_every_option_is_told_with_its_default_and_its_meaning(name):
    facts = describe_loss(name)
    spec = LOSSES[name]
    functions = [spec.function] if spec.head is None else [spec.function, spec.head]
    parameters = [
        parameter
        for function in functions
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    told = [(option.name, option.default) for option in facts.options]
    assert told == [(parameter.name, parameter.default) for parameter in parameters]
    assert all(option.meaning and option.values for option in facts.options)
    assert (facts.use, facts.paper) == (spec.use, spec.paper)
    assert "\n" not in facts.formula


def test_what_an_option_may_be_stands_in_words():
    values = {option.name: option.values for option in describe_loss("gist").options}
    assert values == {
        "scale": "a number",
        "margin": "a number",
        "margin_strategy": "absolute, relative",
        "same_side": "true, false",
    }
    (scale, bias) = describe_loss("sigmoid").options
    assert (scale.values, scale.written_default) == ("a number", "")
    assert bias.meaning == "a fixed bias instead of the head's."


def test_a_head_s_options_are_told_too():
    (product,) = describe_loss("softmax").options
    assert (product.name, product.written_default) == ("product", "false")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("mnr", "pairs"),
        ("triplet", "pairs with negatives"),
        ("gist", "pairs with a guide model"),
        ("mse", "texts with a guide model"),
        ("kl", "distilled"),
    ],
)
def test_the_data_is_named_with_all_that_it_needs(name, data):
    assert describe_loss(name).data == data


def test_an_unknown_loss_is_answered_with_the_nearest():
    with pytest.raises(InputError, match='there is no loss "cosnet"') as caught:
        describe_loss("cosnet")
    assert "cosent" in caught.value.mend
