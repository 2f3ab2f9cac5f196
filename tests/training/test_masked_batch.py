import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from conftest import TOPICS, answer, question
from likewise.data.dataset import Dataset
from likewise.models.encoder import Encoder
from likewise.models.folder.tokenizer_files import parse_tokenizer, unknown_id
from likewise.models.mlm_head import find_head
from likewise.text.masking import read_vocabulary
from likewise.text.packed import pack
from likewise.training.batch import Batch
from likewise.training.feed import Feed
from likewise.training.grad_cache import backward
from likewise.training.masked_batch import (
    Guesses,
    Masking,
    count_rows,
    embed_marked,
    masked_feed,
    masked_loss,
    measure_guesses,
)
from likewise.training.options import TrainingOptions
from likewise.training.text_rows import CHUNK, TextRows, tokenise_texts
from training.small_runs import make_data

TEXTS = [form(*topic) for topic in TOPICS[:20] for form in (question, answer)]


def masking_of(encoder: Encoder, **options: Any) -> Masking:
    files = encoder.contents.files
    vocabulary = read_vocabulary(
        parse_tokenizer(files, where="here"), unknown_id(files, where="here")
    )
    assert vocabulary is not None
    return Masking(
        **({"vocabulary": vocabulary, "probability": 0.3, "whole_words": True} | options)
    )


def texts(*given: str) -> Dataset:
    return make_data("texts", text=list(given or TEXTS))


@pytest.fixture
def rows(tiny_encoder: Encoder) -> TextRows:
    return tokenise_texts(tiny_encoder, texts())


@pytest.fixture
def feed(tiny_encoder: Encoder, rows: TextRows) -> Feed:
    used = np.arange(len(rows))[::2]
    options = TrainingOptions(seed=4)
    return masked_feed(rows, used, masking_of(tiny_encoder))(tiny_encoder, rows.data, options)


@pytest.fixture
def batch(feed: Feed) -> Batch:
    return feed.collate(np.array([3, 0, 7, 11, 2, 9]), 5)


def test_a_feed_gives_the_texts_that_are_used(feed: Feed, rows: TextRows, batch: Batch):
    assert (feed.rows, feed.texts) == (20, 20)
    assert feed.row_tokens == pytest.approx(rows.lengths(np.arange(0, 40, 2)).mean())
    assert feed.where(3) == rows.data.where(6)
    assert batch.rows.tolist() == [3, 0, 7, 11, 2, 9]
    assert sorted(batch.texts.tolist()) == [0, 4, 6, 14, 18, 22]
    assert batch.step == 5


def test_a_stream_is_sorted_and_can_be_restored(rows: TextRows, batch: Batch):
    assert batch.packed.lengths.tolist() == sorted(batch.packed.lengths.tolist())
    assert batch.packed.pooled is not None
    ids = batch.packed.ids.clone()
    ids[batch.packed.pooled] = batch.values["tokens"]
    whole = pack([rows.ids(int(row)) for row in batch.texts])
    assert torch.equal(ids, whole.ids)


def test_a_step_hides_the_same_every_time_and_another_step_does_not(feed: Feed):
    chosen = np.arange(12)
    first, again, other = (feed.collate(chosen, step).packed.ids for step in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 20])
def test_the_states_are_those_of_the_marked_tokens(count: int, feed: Feed, tiny_encoder: Encoder):
    packed = feed.collate(np.arange(count), 0).packed
    with torch.no_grad():
        found = embed_marked(tiny_encoder)(packed, dtype=torch.float32)
        expected = tiny_encoder.backbone(packed)[packed.pooled]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_a_stream_without_marks_is_a_mistake(tiny_encoder: Encoder):
    with pytest.raises(ValueError, match="marks no tokens"):
        embed_marked(tiny_encoder)(pack([[2, 3]]), dtype=torch.float32)


def plain_loss(encoder: Encoder, head: Any, batch: Batch) -> torch.Tensor:
    states = encoder.backbone(batch.packed)[batch.packed.pooled]
    return F.cross_entropy(head.logits(states, encoder.backbone.tokens), batch.values["tokens"])


@pytest.mark.parametrize("budget", [10_000, 64, 24])
def test_loss_and_gradients_are_the_plain_ones_in_any_number_of_parts(
    budget: int, batch: Batch, tiny_encoder: Encoder
):
    head = find_head(tiny_encoder.contents, seed=1).head
    named = {
        **dict(tiny_encoder.backbone.named_parameters()),
        **{f"head.{n}": p for n, p in head.named_parameters()},
    }
    expected = plain_loss(tiny_encoder, head, batch)
    expected.backward()
    theirs = {n: p.grad for n, p in named.items()}
    for parameter in named.values():
        parameter.grad = None
    loss = masked_loss(tiny_encoder, head, torch.float32)
    embed = embed_marked(tiny_encoder)
    found = backward(
        lambda packed: embed(packed, dtype=torch.float32),
        batch.packed,
        lambda states: loss(states, batch),
        budget,
    )
    torch.testing.assert_close(found, expected.detach(), atol=1e-6, rtol=0)
    for name, parameter in named.items():
        torch.testing.assert_close(parameter.grad, theirs[name], atol=1e-6, rtol=1e-4, msg=name)


def test_a_batch_with_nothing_to_guess_has_no_loss(tiny_encoder: Encoder):
    rows = tokenise_texts(tiny_encoder, texts("", " "))
    feed = masked_feed(rows, np.arange(2), masking_of(tiny_encoder))
    batch = feed(tiny_encoder, rows.data, TrainingOptions()).collate(np.arange(2), 0)
    head = find_head(tiny_encoder.contents, seed=1).head
    states = embed_marked(tiny_encoder)(batch.packed, dtype=torch.float32)
    loss = masked_loss(tiny_encoder, head, torch.float32)(states, batch)
    loss.backward()
    assert states.shape == (0, 32)
    assert loss.item() == 0.0


def test_texts_are_counted_part_by_part(tiny_encoder: Encoder):
    some = ["river", "a guide", "", "the 中 river"]
    rows = tokenise_texts(tiny_encoder, texts(*(some * (CHUNK // 4 + 2))))
    counts = count_rows(rows, masking_of(tiny_encoder))
    assert len(rows) > CHUNK
    assert counts.pieces.reshape(-1, 4).tolist() == [[1, 2, 0, 2]] * (CHUNK // 4 + 2)
    assert counts.unknown == len(rows) // 4


def test_guesses_are_counted_as_in_the_formula(tiny_encoder: Encoder, rows: TextRows):
    head, masking = find_head(tiny_encoder.contents, seed=1).head, masking_of(tiny_encoder)
    found = measure_guesses(tiny_encoder, head, rows, masking, seed=3, dtype=torch.float32)
    vocabulary = len(tiny_encoder.backbone.tokens)
    assert found.tokens > 0.25 * sum(count_rows(rows, masking).pieces)
    assert found.loss == pytest.approx(math.log(vocabulary), rel=0.1)  # nothing is learnt yet
    assert found.right < found.tokens / 4
    again = measure_guesses(tiny_encoder, head, rows, masking, seed=3, dtype=torch.float32)
    assert found == again
    with torch.no_grad():
        head.bias[int(rows.ids(0)[1])] = 50.0  # sure of one token, and so right where it stood
    sure = measure_guesses(tiny_encoder, head, rows, masking, seed=3, dtype=torch.float32)
    assert 0 < sure.right < sure.tokens
    assert sure.loss == pytest.approx(50 * (1 - sure.right / sure.tokens), abs=2.0)


def test_of_no_tokens_nothing_is_guessed(tiny_encoder: Encoder):
    rows = tokenise_texts(tiny_encoder, texts(""))
    head, masking = find_head(tiny_encoder.contents, seed=1).head, masking_of(tiny_encoder)
    found = measure_guesses(tiny_encoder, head, rows, masking, seed=3, dtype=torch.float32)
    assert (found.tokens, found.right) == (0, 0)
    assert math.isnan(found.loss)
    assert str(Guesses(tokens=4, right=1, loss=2.5)) == "25.0% guessed, loss 2.500"
