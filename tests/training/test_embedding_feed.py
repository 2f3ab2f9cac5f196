import numpy as np
import pytest

from likewise.errors import InputError
from likewise.models.encoder import Encoder
from likewise.training.embedding_feed import embedding_feed
from likewise.training.options import TrainingOptions
from training.small_runs import labelled, make_data, pairs, scored

OPTIONS = TrainingOptions(batch_size=4)


def test_a_feed_counts_rows_and_distinct_texts(tiny_encoder: Encoder):
    data = make_data("pairs", anchor=["apple", "river"], positive=["engine", "engine"])
    feed = embedding_feed("rows")(tiny_encoder, data, OPTIONS)
    assert (feed.rows, feed.texts) == (2, 3)
    assert feed.cut == {"anchor": 0, "positive": 0}
    assert feed.groups is None


def test_the_same_rows_make_the_same_batch(tiny_encoder: Encoder):
    feed = embedding_feed("contrast")(tiny_encoder, pairs(24), OPTIONS)
    one, two = (feed.collate(np.array([3, 1, 2]), 7) for _ in range(2))
    assert one.packed.ids.tolist() == two.packed.ids.tolist()
    assert one.step == two.step == 7
    assert one.collides is not None


def test_a_row_is_told_where_it_stands(tiny_encoder: Encoder):
    feed = embedding_feed()(tiny_encoder, scored(24), OPTIONS)
    assert str(feed.where(3)) == "memory.jsonl, row 4"


def test_grouped_rows_come_a_few_of_a_label_together(tiny_encoder: Encoder):
    feed = embedding_feed(grouped=True)(tiny_encoder, labelled(24), OPTIONS)
    assert feed.groups is not None
    assert feed.groups.together == 2  # of a batch of four
    assert len(feed.groups.labels) == 24


def test_labels_that_all_differ_cannot_be_grouped(tiny_encoder: Encoder):
    data = labelled(4, names=("a", "b", "c", "d"))
    with pytest.raises(InputError, match="a label of its own"):
        embedding_feed(grouped=True)(tiny_encoder, data, OPTIONS)


def test_pairs_of_one_answer_have_no_negatives(tiny_encoder: Encoder):
    data = make_data("pairs", anchor=["apple", "river"], positive=["engine", "Engine!"])
    with pytest.raises(InputError, match="no row has a negative"):
        embedding_feed("contrast")(tiny_encoder, data, OPTIONS)
    assert embedding_feed("rows")(tiny_encoder, data, OPTIONS).rows == 2


def test_a_guide_embeds_the_same_texts(tiny_encoder: Encoder, new_encoder):
    feed = embedding_feed("rows", guide=new_encoder())(tiny_encoder, pairs(24), OPTIONS)
    batch = feed.collate(np.arange(4), 0)
    shapes = {role: tuple(vectors.shape) for role, vectors in batch.guides.items()}
    assert shapes == dict.fromkeys(("anchor", "positive"), (4, tiny_encoder.dimensions))
