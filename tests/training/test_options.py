import pytest
from pydantic import TypeAdapter, ValidationError

from likewise.errors import InputError
from likewise.training.options import TRANSFORMER_RATE, TrainingOptions, split_numbers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0.0),
        ("minutes", 0.0),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", 1.0),
        ("warmup", -0.1),
        ("warmup", 1.0),
        ("weight_decay", -1e-9),
        ("clip", -1.0),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("max_tokens", 3),
        ("micro_tokens", 63),
        ("evaluations", -1),
        ("checkpoint_every", -1),
        ("epochs", float("nan")),
        ("epochs", float("inf")),
        ("minutes", float("inf")),
        ("weight_decay", float("inf")),
        ("matryoshka", (0,)),
        ("matryoshka", (64, -1)),
        ("adaptive_layers", -1),
        ("orthogonality", -0.1),
        ("orthogonality", float("nan")),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: float):
    with pytest.raises(InputError) as caught:
        TrainingOptions(**{name: value})
    assert f"{name} must be" in caught.value.problem
    assert str(value) in caught.value.problem
    assert f"--{name.replace('_', '-')}" in caught.value.mend


def test_every_option_is_explained():
    fields = TrainingOptions.__dataclass_fields__
    lines = {line.strip().split(":")[0] for line in (TrainingOptions.__doc__ or "").splitlines()}
    assert fields.keys() <= lines


def validated(**given) -> TrainingOptions:
    """As a recipe and a command line are read."""
    return TypeAdapter(TrainingOptions).validate_python(given)


@pytest.mark.parametrize(
    "given", ["256,128", " 256 , 128,", ["256", "128"], [256, 128], (256, 128), ("256", 128)]
)
def test_dimensions_are_a_list_however_they_are_written(given):
    assert validated(matryoshka=given).matryoshka == (256, 128)


@pytest.mark.parametrize("given", ["64", [64], (64,), 64])
def test_one_dimension_is_a_list_of_one(given):
    assert validated(matryoshka=given).matryoshka == (64,)


@pytest.mark.parametrize("given", ["", [], ()])
def test_no_dimension_is_none(given):
    assert validated(matryoshka=given).matryoshka == ()


@pytest.mark.parametrize("given", ["256,x", "256;128", ["a"], "1.5", [None], {"a": 1}])
def test_dimensions_that_are_no_numbers_are_refused_by_name(given):
    with pytest.raises(ValidationError) as caught:
        validated(matryoshka=given)
    assert {error["loc"][0] for error in caught.value.errors()} == {"matryoshka"}


@pytest.mark.parametrize("given", ["256,0", [-1], (16, 8, 0)])
def test_dimensions_below_one_are_refused(given):
    with pytest.raises(InputError, match="matryoshka must be 1 or more, each, found"):
        validated(matryoshka=given)


def test_anything_but_text_and_a_number_is_left_as_it_is():
    assert split_numbers("256,128") == ("256", "128")
    assert split_numbers([256]) == [256]
    assert split_numbers(None) is None


def test_a_misspelt_option_is_refused():
    with pytest.raises(ValidationError, match="matrioshka"):
        validated(matrioshka="64")


def test_the_peak_is_the_rate_given_or_that_of_transformers():
    assert TrainingOptions().peak == TRANSFORMER_RATE
    assert TrainingOptions(learning_rate=3e-3).peak == 3e-3
