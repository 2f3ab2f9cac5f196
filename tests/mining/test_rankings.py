"""What is ranked, how deep, and what is said of it."""

from pathlib import Path

import numpy as np

from conftest import TOPICS, answer, question
from data.derive.conftest import dataset
from likewise.mining.options import MiningOptions
from likewise.mining.pool import pool_of
from likewise.mining.rankings import rank_documents
from likewise.models.encoder import Encoder

PAIRS = dataset(
    "pairs",
    anchor=[question(*topic) for topic in TOPICS[:8]],
    positive=[answer(*topic) for topic in TOPICS[:8]],
)


def ranked(encoder: Encoder, folder: Path, *, index: str = "exact", **options):
    pool = pool_of(PAIRS, ["paint " * 90])
    asked = MiningOptions(precision="float32", **options)
    return pool, rank_documents({"tiny": encoder}, pool, folder, asked, index=index)


def test_every_anchor_has_the_others_nearest_first(tiny_encoder: Encoder, tmp_path: Path):
    pool, found = ranked(tiny_encoder, tmp_path, bm25=True, to_rank=4)
    assert found.names == ("tiny", "bm25")
    model, words = (ranking.part(slice(0, 8)) for ranking in found.rankings)
    assert model.positions.shape == words.positions.shape == (8, 4)
    sides = (
        tiny_encoder.encode(texts, normalize=True, precision="float32")
        for texts in (pool.anchors, pool.documents)
    )
    asked, documents = sides
    cosines = asked @ documents.T
    np.testing.assert_allclose(found.judges[0].lowest, np.diag(cosines), atol=1e-6)
    cosines[np.arange(8), np.arange(8)] = -2
    best = np.sort(cosines, axis=1)[:, ::-1][:, :4]
    np.testing.assert_allclose(model.scores, best, atol=1e-6)
    assert not (words.positions == np.arange(8)[:, None]).any()


def test_what_was_cut_is_said(tiny_encoder: Encoder, tmp_path: Path):
    _, found = ranked(tiny_encoder, tmp_path)
    assert [str(note) for note in found.notes] == [
        "texts over the length limit of tiny were cut: 1"
    ]


def test_a_ranking_is_no_deeper_than_there_are_documents(tiny_encoder: Encoder, tmp_path: Path):
    pool, found = ranked(tiny_encoder, tmp_path)
    assert found.rankings[0].part(slice(0, 8)).positions.shape == (8, len(pool.documents))


def test_nothing_is_ranked_where_negatives_are_drawn(tiny_encoder: Encoder, tmp_path: Path):
    _, found = ranked(tiny_encoder, tmp_path, hardness="easy")
    assert found.rankings == ()
    assert len(found.judges) == 1
