from dataclasses import replace

import numpy as np

from likewise.models.encoder import Encoder
from likewise.text.packed import pack
from likewise.training import text_rows
from likewise.training.batch import Batch
from likewise.training.options import TrainingOptions
from likewise.training.text_rows import TextRows, text_feed, tokenise_texts
from training.small_runs import make_data

TEXTS = ["apple river", "engine", "people carry the letter here"] * 7


def test_texts_are_tokenised_as_the_encoder_does(tiny_encoder: Encoder, monkeypatch):
    """Also where they come in several chunks."""
    monkeypatch.setattr(text_rows, "CHUNK", 4)
    rows = tokenise_texts(tiny_encoder, make_data("texts", text=TEXTS))
    expected = tiny_encoder.tokenizer.tokenize(TEXTS).ids
    assert len(rows) == len(TEXTS)
    for row, ids in enumerate(expected):
        assert rows.ids(row).tolist() == ids.tolist()
    assert rows.lengths(np.array([2, 0])).tolist() == [len(expected[2]), len(expected[0])]


def test_tokens_lie_in_a_file(tiny_encoder: Encoder):
    assert isinstance(
        tokenise_texts(tiny_encoder, make_data("texts", text=TEXTS)).tokens, np.memmap
    )


def test_cut_texts_are_counted(tiny_encoder: Encoder):
    data = make_data("texts", text=["apple " * 50, "river"])
    assert tokenise_texts(tiny_encoder, data).cut == 1
    assert tokenise_texts(tiny_encoder, data, max_tokens=4).lengths(np.array([0])).tolist() == [4]


def test_a_prompt_stands_before_every_text(new_encoder):
    encoder = new_encoder()
    encoder.contents = replace(
        encoder.contents, prompts={"query": "people "}, default_prompt="query"
    )
    rows = tokenise_texts(encoder, make_data("texts", text=["apple", "river"]))
    expected = encoder.tokenizer.tokenize(["people apple", "people river"]).ids
    assert [rows.ids(i).tolist() for i in range(2)] == [ids.tolist() for ids in expected]


def test_a_feed_of_texts_asks_for_batches_by_row_and_step(tiny_encoder: Encoder):
    asked = []

    def collate(rows: TextRows, chosen: np.ndarray, step: int) -> Batch:
        asked.append((chosen.tolist(), step))
        packed = pack([rows.ids(i) for i in chosen])
        return Batch(packed=packed, rows=chosen, texts=chosen, picks={}, values={}, step=step)

    data = make_data("texts", text=TEXTS)
    feed = text_feed(collate, copies=2.0)(tiny_encoder, data, TrainingOptions())
    batch = feed.collate(np.array([4, 2]), 9)
    assert asked == [([4, 2], 9)]
    assert len(batch.packed) == 2
    assert feed.rows == feed.texts == len(TEXTS)
    tokens = sum(len(ids) for ids in tiny_encoder.tokenizer.tokenize(TEXTS).ids)
    assert feed.row_tokens == 2.0 * tokens / len(TEXTS)
    assert str(feed.where(1)) == "memory.jsonl, row 2"
