from pathlib import Path

import pytest
from safetensors.torch import load_file
from torch import Tensor

from likewise.errors import InputError
from likewise.methods.softmax import as_premises, train_softmax
from likewise.training.checkpoint import newest_checkpoint
from methods.small_data import DATA
from training.small_runs import make_fit, nli, same_weights, weights


def head_of(checkpoint: Path) -> dict[str, Tensor]:
    tensors = load_file(checkpoint / "training.safetensors")
    return {name: tensor for name, tensor in tensors.items() if name.startswith("head.")}


def heads(
    encoder, folder: Path, *, kind: str = "nli", product: bool = False, **options
) -> list[dict[str, Tensor]]:
    """The head after one step and after two."""
    fit = make_fit(encoder, folder, checkpoint_every=1, batch_size=12, **options)
    train_softmax(fit, DATA[kind](24), product=product)
    return [head_of(folder / f"step-{step:08d}") for step in (1, 2)]


def test_every_weight_of_the_head_is_trained_and_saved(new_encoder, tmp_path: Path):
    first, second = heads(new_encoder(), tmp_path)
    assert sum(t.numel() for t in first.values()) == 3 * 3 * 32 + 3  # [K, 3 D] and [K]
    assert all(bool((first[name] != second[name]).all()) for name in first)


def test_the_head_follows_the_seed(new_encoder, tmp_path: Path):
    (one, _), (same, _), (other, _) = (
        heads(new_encoder(), tmp_path / name, seed=seed, learning_rate=1e-9)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert all(bool((one[name] == same[name]).all()) for name in one)
    # nearly as it was drawn: another order of the rows alone could not move it so far
    assert all(bool(((one[name] - other[name]).abs() > 1e-4).any()) for name in one)


def test_the_finished_model_has_no_head(new_encoder, tmp_path: Path):
    encoder = new_encoder()
    before = set(encoder.module.state_dict())
    heads(encoder, tmp_path / "run")
    assert set(encoder.module.state_dict()) == before
    assert newest_checkpoint(tmp_path / "run") is not None


def test_pairs_labelled_yes_or_no_have_two_classes(new_encoder, tmp_path: Path):
    encoder = new_encoder()
    before = weights(encoder)
    first, _ = heads(encoder, tmp_path, kind="pair-labels")
    assert sum(t.numel() for t in first.values()) == 2 * 3 * 32 + 2
    assert not same_weights(weights(encoder), before)


def test_the_head_sees_the_product_where_asked(new_encoder, tmp_path: Path):
    first, _ = heads(new_encoder(), tmp_path, product=True)
    assert sum(t.numel() for t in first.values()) == 3 * 4 * 32 + 3


@pytest.mark.parametrize("kind", ["nli", "pair-labels"])
def test_one_class_is_refused(kind: str, tiny_encoder, tmp_path: Path):
    data = DATA[kind](24)
    rows = [i for i, label in enumerate(data.labels()) if label == 0]
    with pytest.raises(InputError, match=r"rows have the label (entailment|0)"):
        train_softmax(make_fit(tiny_encoder, tmp_path / "run"), data.take(rows))
    assert not (tmp_path / "run").exists()


def test_pairs_keep_the_names_of_their_columns():
    data = DATA["pair-labels"](4)
    found = as_premises(data)
    assert found.roles == ("premise", "hypothesis", "label")
    assert found.texts("premise") == data.texts("sentence1")
    assert found.where(1, "hypothesis") == data.where(1, "sentence2")
    assert as_premises(nli(6)).roles == ("premise", "hypothesis", "label")
