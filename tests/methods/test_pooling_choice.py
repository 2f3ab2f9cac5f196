from dataclasses import replace
from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.methods.pooling_choice import choose_pooling
from likewise.models.build import load
from likewise.models.encoder import Encoder
from likewise.models.folder.contents import PoolingConfig
from training.small_runs import make_fit


def test_the_model_keeps_what_is_chosen_when_it_is_saved(tiny_encoder: Encoder, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path)
    choose_pooling(fit, "cls")
    assert fit.notes == ["pooling: cls from now on, also in the saved model; it was mean"]
    saved = load(tiny_encoder.save(tmp_path / "model"), device="cpu")
    assert saved.contents.pooling.modes == ("cls",)
    assert saved.encode(["apple river"]) == pytest.approx(tiny_encoder.encode(["apple river"]))


@pytest.mark.parametrize("choice", ["model", "mean"])
def test_what_is_there_already_is_not_spoken_of(choice: str, tiny_encoder: Encoder, tmp_path: Path):
    fit, before = make_fit(tiny_encoder, tmp_path), tiny_encoder.contents
    choose_pooling(fit, choice)
    assert fit.notes == []
    assert tiny_encoder.contents is before


def test_the_rest_of_the_pooling_stays(tiny_encoder: Encoder, tmp_path: Path):
    own = PoolingConfig(modes=("mean",), include_prompt=False)
    tiny_encoder.contents = replace(tiny_encoder.contents, pooling=own)
    choose_pooling(make_fit(tiny_encoder, tmp_path), "cls")
    assert tiny_encoder.contents.pooling == replace(own, modes=("cls",))


def test_a_model_that_joins_poolings_cannot_change_them(tiny_encoder: Encoder, tmp_path: Path):
    joined = PoolingConfig(modes=("cls", "mean"))
    tiny_encoder.contents = replace(tiny_encoder.contents, pooling=joined)
    with pytest.raises(InputError, match=r"cls \+ mean") as caught:
        choose_pooling(make_fit(tiny_encoder, tmp_path), "mean")
    assert "pooling=model" in caught.value.mend
    choose_pooling(make_fit(tiny_encoder, tmp_path), "model")


def test_a_static_model_cannot_change_its_pooling(word_vectors: str, tmp_path: Path):
    with pytest.raises(InputError, match="rests on that"):
        choose_pooling(make_fit(load(word_vectors, device="cpu"), tmp_path), "cls")
