from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from likewise.methods.softmax import train_softmax
from likewise.training.checkpoint import newest_checkpoint
from training.small_runs import make_fit, nli


def head_of(checkpoint: Path) -> dict[str, Tensor]:
    tensors = load_file(checkpoint / "training.safetensors")
    return {name: tensor for name, tensor in tensors.items() if name.startswith("head.")}


def heads(encoder, folder: Path, **options) -> list[dict[str, Tensor]]:
    """The head after one step and after two."""
    fit = make_fit(encoder, folder, checkpoint_every=1, batch_size=12, **options)
    train_softmax(fit, nli(24))
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
