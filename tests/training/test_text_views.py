from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from conftest import TOPICS, answer
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch
from likewise.training.crops import Shares
from likewise.training.options import TrainingOptions
from likewise.training.seeding import torch_seed
from likewise.training.text_views import (
    Column,
    crop_feed,
    near_duplicates,
    pack_texts,
    twice_feed,
)
from training.small_runs import make_data

TEXTS = [
    "apple river",
    "engine",
    "people carry the letter here",
    "Engine!",
    "a guide to any garden",
]
ROWS = np.array([2, 1, 4, 3])


def texts_of(encoder: Encoder, batch: Batch, role: str) -> list[list[int]]:
    """The token ids that each row has in a role."""
    packed = batch.packed
    texts = [
        packed.ids[a:b].tolist() for a, b in zip(packed.starts, packed.starts[1:], strict=False)
    ]
    return [texts[place] for place in batch.picks[role].tolist()]


def ids_of(encoder: Encoder, texts: list[str]) -> list[list[int]]:
    return [ids.tolist() for ids in encoder.tokenizer.tokenize(texts).ids]


@pytest.mark.parametrize("feed", [twice_feed(), crop_feed(Shares())])
def test_a_row_has_two_views_in_one_stream_shortest_first(feed, tiny_encoder: Encoder):
    data = make_data("texts", text=TEXTS)
    batch = feed(tiny_encoder, data, TrainingOptions()).collate(ROWS, 3)
    assert len(batch.packed) == 2 * len(ROWS)
    assert batch.packed.lengths.tolist() == sorted(batch.packed.lengths.tolist())
    both = torch.cat([batch.picks["anchor"], batch.picks["positive"]]).tolist()
    assert sorted(both) == list(range(8))
    assert batch.texts[both].tolist() == [*ROWS, *ROWS]
    assert batch.rows.tolist() == ROWS.tolist()
    assert batch.step == 3


def test_twice_is_the_whole_text_twice(tiny_encoder: Encoder):
    data = make_data("texts", text=TEXTS)
    batch = twice_feed()(tiny_encoder, data, TrainingOptions()).collate(ROWS, 0)
    expected = ids_of(tiny_encoder, [TEXTS[i] for i in ROWS])
    assert texts_of(tiny_encoder, batch, "anchor") == expected
    assert texts_of(tiny_encoder, batch, "positive") == expected


def test_two_views_of_a_text_draw_masks_of_their_own(new_encoder):
    """And so does each text, wherever in the stream it stands."""
    encoder = new_encoder()
    data = make_data("texts", text=["apple river", "apple  river", "apple   river"])
    feed = twice_feed()(encoder, data, TrainingOptions())
    batch = feed.collate(np.arange(3), 0)
    with torch.no_grad(), torch_seed(0):
        still = encoder.embed(batch.packed)
        encoder.module.train()
        moved = encoder.embed(batch.packed)
    torch.testing.assert_close(still, still[:1].expand_as(still))  # all six are the same text
    assert len(torch.unique((moved * 1e4).round(), dim=0)) == 6


def test_crops_are_stretches_of_the_text_and_others_at_each_step(tiny_encoder: Encoder):
    whole = [answer(*topic) for topic in TOPICS[:6]]
    data = make_data("texts", text=whole)
    feed = crop_feed(Shares(least=0.5, most=0.8))(tiny_encoder, data, TrainingOptions(seed=3))
    first, again, later = (feed.collate(np.arange(6), step) for step in (0, 0, 1))
    assert torch.equal(first.packed.ids, again.packed.ids)
    assert not torch.equal(first.packed.ids, later.packed.ids)
    for role in ("anchor", "positive"):
        for own, full in zip(
            texts_of(tiny_encoder, first, role), ids_of(tiny_encoder, whole), strict=True
        ):
            inner = own[1:-1]  # between [CLS] and [SEP]
            assert any(full[i : i + len(inner)] == inner for i in range(len(full)))
            assert len(inner) < len(full) - 2
    assert texts_of(tiny_encoder, first, "anchor") != texts_of(tiny_encoder, first, "positive")


def test_another_seed_gives_other_crops(tiny_encoder: Encoder):
    data = make_data("texts", text=[answer(*topic) for topic in TOPICS[:6]])
    first, second = (
        crop_feed(Shares())(tiny_encoder, data, TrainingOptions(seed=seed)).collate(np.arange(6), 0)
        for seed in (1, 2)
    )
    assert not torch.equal(first.packed.ids, second.packed.ids)


def test_crops_reach_the_end_of_a_text_that_is_longer_than_the_limit(tiny_encoder: Encoder):
    long = " ".join(["apple"] * 200 + ["river"] * 200)
    data = make_data("texts", text=[long, "engine letter"])
    feed = crop_feed(Shares())(tiny_encoder, data, TrainingOptions(max_tokens=8))
    river = ids_of(tiny_encoder, ["river"])[0][1]
    found = [feed.collate(np.arange(2), step).packed for step in range(20)]
    assert all(int(packed.lengths.max()) <= 8 for packed in found)
    assert any(river in packed.ids.tolist() for packed in found)


@pytest.mark.parametrize("feed", [twice_feed(), crop_feed(Shares())])
def test_near_duplicates_are_masked_and_counted(feed, tiny_encoder: Encoder):
    """ "engine" and "Engine!" are rows 1 and 3."""
    data = make_data("texts", text=TEXTS)
    batch = feed(tiny_encoder, data, TrainingOptions()).collate(ROWS, 0)
    places = {(1, 3), (3, 1)}
    expected = [[(i, j) in places for j in range(4)] for i in range(4)]
    assert batch.collides is not None
    assert batch.collides.tolist() == expected
    assert batch.masked == 2


def test_near_duplicates_are_found_once_for_all_steps():
    data = make_data("texts", text=TEXTS)
    before = data.keys
    near_duplicates(data, ROWS)
    assert data.keys is before


def test_a_prompt_stands_before_both_views_and_may_stay_out_of_the_pooling(new_encoder):
    encoder = new_encoder()
    pooling = replace(encoder.contents.pooling, include_prompt=False)
    encoder.contents = replace(
        encoder.contents, prompts={"query": "people "}, default_prompt="query", pooling=pooling
    )
    data = make_data("texts", text=["apple river", "engine letter"])
    full = Shares(least=1, most=1)
    for feed in (twice_feed(), crop_feed(full)):
        batch = feed(encoder, data, TrainingOptions()).collate(np.array([0, 1]), 0)
        expected = ids_of(encoder, ["people apple river", "people engine letter"])
        assert texts_of(encoder, batch, "positive") == expected
        assert batch.packed.pooled is not None
        assert batch.packed.pooled.tolist() == 4 * [False, False, True, True, True]


def test_a_step_is_foretold_by_its_tokens(tiny_encoder: Encoder):
    data = make_data("texts", text=TEXTS)
    tokens = sum(map(len, ids_of(tiny_encoder, TEXTS))) / len(TEXTS)
    options = TrainingOptions()
    assert twice_feed()(tiny_encoder, data, options).row_tokens == pytest.approx(2 * tokens)
    shares = Shares(least=0.2, most=0.6)
    foretold = crop_feed(shares)(tiny_encoder, data, options).row_tokens
    assert foretold == pytest.approx(2 * 0.4 * tokens)


def test_a_text_is_found_in_whatever_piece_it_lies():
    pieces = [["a", "b"], [], ["c"], ["d", "e", "f"]]
    column = pa.chunked_array([pa.array(piece, pa.large_string()) for piece in pieces])
    data = replace(make_data("texts", text=list("abcdef")), table=pa.table({"text": column}))
    found = Column(data)
    assert [found[row] for row in range(6)] == list("abcdef")


def test_texts_are_packed_in_the_order_given():
    ids = [np.array([1, 2, 3], np.int32), np.array([4], np.int32)]
    packed = pack_texts(ids, prompt_tokens=1, towers=torch.tensor([0, 1]))
    assert packed.ids.tolist() == [1, 2, 3, 4]
    assert packed.pooled is not None
    assert packed.pooled.tolist() == [False, True, True, False]
    assert packed.towers is not None
    assert packed.towers.tolist() == [0, 1]
    assert pack_texts(ids, prompt_tokens=0).pooled is None
