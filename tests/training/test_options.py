import pytest

from likewise.errors import InputError
from likewise.training.options import TrainingOptions


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
