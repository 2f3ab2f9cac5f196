from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import TOPICS, answer, question
from likewise.data.dataset import Dataset
from likewise.models.encoder import Encoder
from likewise.text.noise import NOISES, word_chances
from likewise.text.packed import Packed
from likewise.training.batch import Batch
from likewise.training.denoising import Damaging, denoising_feed, make_damaging
from likewise.training.feed import Feed
from likewise.training.options import TrainingOptions
from training.small_runs import make_data

ROWS = np.array([3, 0, 17, 40, 41, 9])


@pytest.fixture
def texts() -> Dataset:
    return make_data("texts", text=[(question, answer)[i % 2](*t) for i, t in enumerate(TOPICS)])


@pytest.fixture
def damage(tiny_encoder: Encoder, texts: Dataset) -> Damaging:
    return make_damaging(tiny_encoder, texts, NOISES["delete"], 0.6)


def feed_of(encoder: Encoder, texts: Dataset, damage: Damaging, seed: int = 7) -> Feed:
    return denoising_feed(damage)(encoder, texts, TrainingOptions(seed=seed))


def cut(packed: Packed | None) -> list[list[int]]:
    assert packed is not None
    return [ids.tolist() for ids in packed.ids.split(packed.lengths.tolist())]


def is_part_of(part: list[int], whole: list[int]) -> bool:
    """Whether the part is the whole with something left out."""
    rest = iter(whole)
    return all(token in rest for token in part)


def test_each_target_finds_the_text_that_was_damaged(
    tiny_encoder: Encoder, texts: Dataset, damage: Damaging
):
    batch = feed_of(tiny_encoder, texts, damage).collate(ROWS, 0)
    whole = {row: tiny_encoder.tokenize([texts.texts("text")[row]]).ids[0].tolist() for row in ROWS}
    damaged, targets, picks = cut(batch.packed), cut(batch.targets), batch.picks["text"].tolist()
    assert sorted(picks) == list(range(len(ROWS)))
    for target, pick in zip(targets, picks, strict=True):
        assert target == whole[batch.texts[pick]]
        assert len(damaged[pick]) < len(target)
        assert is_part_of(damaged[pick], target)
    assert batch.rows.tolist() == ROWS.tolist()


def test_both_streams_are_sorted_by_length(tiny_encoder: Encoder, texts: Dataset, damage: Damaging):
    batch = feed_of(tiny_encoder, texts, damage).collate(ROWS, 0)
    assert batch.targets is not None
    for packed in (batch.packed, batch.targets):
        assert packed.lengths.tolist() == sorted(packed.lengths.tolist())


def same(a: Batch, b: Batch) -> bool:
    return cut(a.packed) == cut(b.packed)


def test_a_step_is_damaged_alike_each_time_and_another_step_in_another_way(
    tiny_encoder: Encoder, texts: Dataset, damage: Damaging
):
    feed = feed_of(tiny_encoder, texts, damage)
    assert same(feed.collate(ROWS, 4), feed.collate(ROWS, 4))
    assert same(feed.collate(ROWS, 4), feed_of(tiny_encoder, texts, damage).collate(ROWS, 4))
    assert not same(feed.collate(ROWS, 4), feed.collate(ROWS, 5))
    other = feed_of(tiny_encoder, texts, damage, seed=8)
    assert not same(feed.collate(ROWS, 4), other.collate(ROWS, 4))


@pytest.mark.parametrize("name", NOISES)
def test_the_tokens_of_a_step_are_foretold(name: str, tiny_encoder: Encoder, texts: Dataset):
    """What the encoder reads of 64 texts, and what the decoder writes, to within a tenth."""
    damage = make_damaging(tiny_encoder, texts, NOISES[name], 0.4)
    feed, rows = feed_of(tiny_encoder, texts, damage), np.arange(len(texts))
    counts = [
        len(batch.packed.ids) + len(batch.targets.ids)
        for batch in (feed.collate(rows, step) for step in range(5))
        if batch.targets is not None
    ]
    assert feed.row_tokens * len(rows) == pytest.approx(np.mean(counts), rel=0.1)


def test_a_prompt_is_neither_damaged_nor_asked_for(tiny_encoder: Encoder, texts: Dataset):
    tiny_encoder.contents = replace(
        tiny_encoder.contents, prompts={"query": "people do "}, default_prompt="query"
    )
    damage = make_damaging(tiny_encoder, texts, NOISES["delete"], 0.9)
    front = tiny_encoder.tokenizer.tokenize([""], prompt="people do ").ids[0][:3].tolist()
    batch = feed_of(tiny_encoder, texts, damage).collate(ROWS, 0)
    assert damage.front == 3
    assert all(text[:3] == front for text in [*cut(batch.packed), *cut(batch.targets)])
    assert batch.packed.pooled is None  # this model's pooling sees its prompt
    assert batch.targets is not None
    assert batch.targets.pooled is not None
    asked = batch.targets.pooled.split(batch.targets.lengths.tolist())
    assert all(part.tolist() == [False] * 3 + [True] * (len(part) - 3) for part in asked)


def test_a_prompt_that_pooling_leaves_out_is_hidden_from_it(tiny_encoder: Encoder, texts: Dataset):
    contents = tiny_encoder.contents
    pooling = replace(contents.pooling, include_prompt=False)
    prompts = {"query": "people do "}
    tiny_encoder.contents = replace(
        contents, pooling=pooling, prompts=prompts, default_prompt="query"
    )
    damage = make_damaging(tiny_encoder, texts, NOISES["delete"], 0.6)
    packed = feed_of(tiny_encoder, texts, damage).collate(ROWS, 0).packed
    assert packed.pooled is not None
    assert packed.pooled.tolist() == (packed.positions() >= 3).tolist()


def mean_chance(damage: Damaging, ids: list[NDArray[np.int32]]) -> float:
    return float(word_chances(damage.words(ids), damage.chances).mean())


def test_frequent_words_go_more_often_where_the_noise_asks_for_it(
    tiny_encoder: Encoder, texts: Dataset
):
    damage = make_damaging(tiny_encoder, texts, NOISES["delete-frequent"], 0.5)
    ids = tiny_encoder.tokenize(texts.texts("text")).ids
    assert mean_chance(damage, ids) == pytest.approx(0.5, abs=1e-6)
    vocabulary = tiny_encoder.tokenizer
    the, apple = (int(vocabulary.tokenize([word]).ids[0][1]) for word in ("the", "apple"))
    assert damage.chances[the] > damage.chances[apple] + 0.2
    equal = make_damaging(tiny_encoder, texts, NOISES["delete"], 0.5)
    assert mean_chance(equal, ids) == 0.5


def test_words_are_counted_and_not_pieces(tiny_encoder: Encoder, damage: Damaging):
    found = tiny_encoder.tokenize(["apple", "xyz", "apple, river", ""]).ids
    assert damage.count_words(found).tolist() == [1, 1, 3, 0]
