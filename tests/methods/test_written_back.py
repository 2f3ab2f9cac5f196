import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from likewise.data.dataset import Dataset
from likewise.methods.written_back import EXAMPLES, SHOWN, note_damaged, note_rebuilt
from likewise.models.denoising_decoder import build_decoder
from likewise.models.encoder import Encoder
from likewise.text.noise import NOISES
from likewise.training.checkpoint import Progress
from likewise.training.denoising import Damaging, make_damaging
from training.small_runs import make_data, make_fit

WORDS = ["apple", "river", "engine", "letter", "planet", "garden", "violin", "bridge"]
QUOTED = re.compile(r'"([^"]*)"')


@pytest.fixture
def texts() -> Dataset:
    return make_data("texts", text=[" ".join(WORDS[i:] + WORDS[:i]) for i in range(8)])


def damage_of(encoder: Encoder, texts: Dataset, noise: str = "delete") -> Damaging:
    return make_damaging(encoder, texts, NOISES[noise], 0.6)


def quoted(notes: list[str]) -> list[list[str]]:
    return [QUOTED.findall(note) for note in notes]


def test_a_few_texts_are_shown_with_what_is_left_of_them(
    tiny_encoder: Encoder, texts: Dataset, tmp_path: Path
):
    fit = make_fit(tiny_encoder, tmp_path)
    note_damaged(fit, texts, damage_of(tiny_encoder, texts))
    assert len(fit.notes) == EXAMPLES
    for whole, left in quoted(fit.notes):
        assert whole in texts.texts("text")
        assert 0 < len(left.split()) < len(whole.split())
        assert set(left.split()) <= set(whole.split())


def test_a_mask_is_shown(tiny_encoder: Encoder, texts: Dataset, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path)
    note_damaged(fit, texts, damage_of(tiny_encoder, texts, "mask"))
    assert all("[MASK]" in left and "[CLS]" not in left for _, left in quoted(fit.notes))


def test_texts_are_shown_without_their_prompt(
    tiny_encoder: Encoder, texts: Dataset, tmp_path: Path
):
    tiny_encoder.contents = replace(
        tiny_encoder.contents, prompts={"query": "people do "}, default_prompt="query"
    )
    fit, damage = make_fit(tiny_encoder, tmp_path), damage_of(tiny_encoder, texts)
    note_damaged(fit, texts, damage)
    note_rebuilt(fit, texts, damage, build_decoder(tiny_encoder, seed=1))
    assert all(whole in texts.texts("text") for whole, _ in quoted(fit.notes))


def test_the_same_texts_are_shown_again_as_the_decoder_writes_them(
    tiny_encoder: Encoder, tiny_tokenizer: Tokenizer, texts: Dataset, tmp_path: Path
):
    fit, damage = make_fit(tiny_encoder, tmp_path), damage_of(tiny_encoder, texts)
    decoder = build_decoder(tiny_encoder, seed=1)
    note_damaged(fit, texts, damage)
    note_rebuilt(fit, texts, damage, decoder)
    before, after = quoted(fit.notes[:EXAMPLES]), quoted(fit.notes[EXAMPLES:])
    assert [whole for whole, _ in before] == [whole for whole, _ in after]
    for whole, written in after:
        vector = torch.from_numpy(tiny_encoder.encode([whole]))
        (expected,) = decoder.rebuild(vector, begin=[2], end=3, most=tiny_encoder.max_tokens)
        shown = tiny_tokenizer.decode(expected)[:SHOWN]
        assert written.removesuffix("…") == shown


@pytest.mark.parametrize(("best", "keep", "said"), [(2, "best", 1), (5, "best", 0), (2, "last", 0)])
def test_weights_of_another_step_than_the_decoders_are_spoken_of(
    best: int, keep: str, said: int, tiny_encoder: Encoder, texts: Dataset, tmp_path: Path
):
    fit = make_fit(tiny_encoder, tmp_path, keep=keep)
    fit.progress = Progress(step=5, best_step=best, best_value=0.5)
    damage = damage_of(tiny_encoder, texts)
    note_rebuilt(fit, texts, damage, build_decoder(tiny_encoder, seed=1))
    assert sum("step 2, with a decoder of step 5" in note for note in fit.notes) == said


def test_long_texts_are_cut_and_few_texts_are_all_shown(tiny_encoder: Encoder, tmp_path: Path):
    texts = make_data("texts", text=["apple river " * 14, "the engine"])
    fit = make_fit(tiny_encoder, tmp_path)
    note_damaged(fit, texts, damage_of(tiny_encoder, texts))
    (long, _), (short, _) = quoted(fit.notes)
    assert (len(long), long[-1]) == (SHOWN + 1, "…")
    assert short == "the engine"
