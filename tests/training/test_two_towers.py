from collections import Counter

import numpy as np
import pytest
import torch

from conftest import TOPICS, answer
from likewise.models.encoder import Encoder
from likewise.text.packed import Packed
from likewise.training.batch import Batch
from likewise.training.grad_cache import split_packed
from likewise.training.options import TrainingOptions
from likewise.training.two_towers import (
    Others,
    SecondEncoder,
    both_feed,
    embed_towers,
    tension_feed,
)
from training.small_runs import make_data

TEXTS = [answer(*topic) for topic in TOPICS[:20]] + ["apple", "Apple!", "river", "engine"]


def texts() -> object:
    return make_data("texts", text=TEXTS)


def moved(second: SecondEncoder) -> SecondEncoder:
    """With other weights than the first."""
    with torch.no_grad():
        for parameter in second.module.parameters():
            parameter.add_(0.1 * torch.sin(torch.arange(parameter.numel()).view_as(parameter)))
    return second


def in_tower(packed: Packed, tower: int) -> list[int]:
    assert packed.towers is not None
    return np.flatnonzero(packed.towers.numpy() == tower).tolist()


def test_the_second_encoder_begins_with_equal_weights_of_its_own(tiny_encoder: Encoder):
    second = SecondEncoder(tiny_encoder)
    own, first = second.module.state_dict(), tiny_encoder.module.state_dict()
    assert own.keys() == first.keys()
    assert all(torch.equal(own[name], first[name]) for name in own)
    assert not {t.data_ptr() for t in own.values()} & {t.data_ptr() for t in first.values()}


def test_the_second_encoder_is_the_only_copy(tiny_encoder: Encoder):
    """Whatever embeds with it uses the weights that the loop trains."""
    second = SecondEncoder(tiny_encoder, log_scale=1.0)
    encoder = second.as_encoder(tiny_encoder)
    own = {id(parameter) for parameter in second.parameters()}
    assert {id(parameter) for parameter in encoder.module.parameters()} < own
    count = sum(parameter.numel() for parameter in tiny_encoder.module.parameters())
    assert sum(parameter.numel() for parameter in second.parameters()) == count + 1


def test_each_text_is_embedded_by_the_encoder_of_its_tower(tiny_encoder: Encoder):
    second = moved(SecondEncoder(tiny_encoder))
    batch = both_feed()(tiny_encoder, texts(), TrainingOptions()).collate(np.array([3, 20, 7]), 0)
    embed = embed_towers(second)(tiny_encoder)
    with torch.no_grad():
        found = embed(batch.packed, dtype=torch.float32)
        one = tiny_encoder.embed(batch.packed.slice(0, 3))
        other = second.as_encoder(tiny_encoder).embed(batch.packed.slice(3, 6))
    torch.testing.assert_close(found, torch.cat([one, other]))
    assert not torch.allclose(found[batch.picks["first"]], found[batch.picks["second"]], atol=1e-3)


def test_parts_of_a_stream_are_embedded_as_the_whole(tiny_encoder: Encoder):
    """Also a part that both encoders share, and one of the second alone."""
    second = moved(SecondEncoder(tiny_encoder))
    batch = both_feed()(tiny_encoder, texts(), TrainingOptions()).collate(np.arange(8), 0)
    embed = embed_towers(second)(tiny_encoder)
    with torch.no_grad():
        whole = embed(batch.packed, dtype=torch.float32)
        parts = [embed(p, dtype=torch.float32) for p in split_packed(batch.packed, 64)]
    assert len(parts) > 2
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=1e-4)


def test_a_stream_out_of_order_is_refused(tiny_encoder: Encoder):
    embed = embed_towers(SecondEncoder(tiny_encoder))(tiny_encoder)
    packed = both_feed()(tiny_encoder, texts(), TrainingOptions()).collate(np.arange(2), 0).packed
    swapped = Packed(ids=packed.ids, starts=packed.starts, towers=torch.tensor([1, 1, 0, 0]))
    for stream in (swapped, Packed(ids=packed.ids, starts=packed.starts)):
        with pytest.raises(ValueError, match="in front"):
            embed(stream, dtype=torch.float32)


def test_both_encoders_take_every_text_of_a_batch_once_shortest_first(tiny_encoder: Encoder):
    rows = np.array([20, 4, 21, 9])
    batch = both_feed()(tiny_encoder, texts(), TrainingOptions()).collate(rows, 5)
    assert sorted(batch.texts[in_tower(batch.packed, 0)]) == sorted(rows)
    assert sorted(batch.texts[in_tower(batch.packed, 1)]) == sorted(rows)
    for tower in (0, 1):
        lengths = batch.packed.lengths[in_tower(batch.packed, tower)].tolist()
        assert lengths == sorted(lengths)
    for tower, role in enumerate(("first", "second")):
        assert batch.texts[batch.picks[role]].tolist() == rows.tolist()
        assert set(batch.picks[role].tolist()) == set(in_tower(batch.packed, tower))
    assert batch.collides is not None
    assert batch.collides.nonzero().tolist() == [[0, 2], [2, 0]]  # "apple" and "Apple!"
    assert batch.masked == 2


def tension(encoder: Encoder, rows: np.ndarray, step: int = 0, **options: int) -> Batch:
    feed = tension_feed(options.get("negatives", 3))
    return feed(encoder, texts(), TrainingOptions(seed=options.get("seed", 1))).collate(rows, step)


def pairs_of(batch: Batch) -> list[tuple[int, int]]:
    sides = (batch.texts[batch.picks[role]].tolist() for role in ("first", "second"))
    return list(zip(*sides, strict=True))


@pytest.mark.parametrize("negatives", [1, 3, 7])
def test_of_k_plus_one_pairs_one_is_a_text_with_itself(negatives: int, tiny_encoder: Encoder):
    rows = np.random.default_rng(2).permutation(24)[:16]
    batch = tension(tiny_encoder, rows, negatives=negatives)
    labels = batch.values["label"].tolist()
    assert labels == [int(i % (negatives + 1) == 0) for i in range(16)]
    assert sum(labels) == 16 // (negatives + 1)
    for (first, second), row, label in zip(pairs_of(batch), rows, labels, strict=True):
        assert second == row
        assert (first == second) == bool(label)


def test_a_text_is_never_told_apart_from_its_near_duplicate(tiny_encoder: Encoder):
    """Rows 20 and 21 are "apple" and "Apple!"."""
    drawn = [
        pairs_of(tension(tiny_encoder, np.array([0, 20, 21, 20, 1, 21, 20, 21]), step))
        for step in range(60)
    ]
    assert {(20, 21), (21, 20)}.isdisjoint(pair for pairs in drawn for pair in pairs)


def test_a_text_stands_once_in_each_tower_however_often_it_is_drawn(tiny_encoder: Encoder):
    feed = tension_feed(3)(
        tiny_encoder,
        make_data("texts", text=["apple", "river", "engine", "a b"]),
        TrainingOptions(),
    )
    batch = feed.collate(np.arange(4), 0)
    for tower in (0, 1):
        counts = Counter(batch.texts[in_tower(batch.packed, tower)].tolist())
        assert set(counts.values()) == {1}


def test_other_texts_are_the_same_for_a_step_and_differ_between_steps(tiny_encoder: Encoder):
    first, again, later, seeded = (
        pairs_of(tension(tiny_encoder, np.arange(16), step, seed=seed))
        for step, seed in ((0, 1), (0, 1), (1, 1), (0, 2))
    )
    assert first == again
    assert first != later
    assert first != seeded


def test_rows_come_in_whole_groups_and_the_rest_is_still_drawn(tiny_encoder: Encoder):
    data = make_data("texts", text=TEXTS[:11])
    feed = tension_feed(3)(tiny_encoder, data, TrainingOptions())
    assert (feed.rows, feed.texts) == (8, 11)
    drawn = {first for step in range(50) for first, _ in pairs_of(feed.collate(np.arange(8), step))}
    assert {8, 9, 10} <= drawn


def test_every_other_text_has_the_same_chance():
    """9,000 draws of 9 others; the chi-squared of 8 degrees stays below 26.1 (p = 0.001)."""
    data = make_data("texts", text=[f"text {i}" for i in range(10)])
    drawn = Others(data).draw(np.zeros(9000, np.int64), np.random.default_rng(0))
    counts = np.bincount(drawn, minlength=10)
    assert counts[0] == 0
    assert ((counts[1:] - 1000) ** 2 / 1000).sum() < 26.1


def test_one_text_among_very_many_repeats_is_found():
    data = make_data("texts", text=["same"] * 5000 + ["other"])
    drawn = Others(data).draw(np.zeros(100, np.int64), np.random.default_rng(0))
    assert set(drawn.tolist()) == {5000}


def test_a_corpus_of_near_duplicates_has_no_others():
    with pytest.raises(ValueError, match="near-duplicates"):
        Others(make_data("texts", text=["same", "Same.", "same!"]))
