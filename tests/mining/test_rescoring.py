"""Candidates read by a cross-encoder."""

from pathlib import Path

import numpy as np
import pytest

from conftest import TOPICS
from data.derive.conftest import dataset
from likewise import mine
from likewise.errors import InputError
from likewise.mining.draws import candidates_at
from likewise.mining.filters import Verdict
from likewise.mining.options import MiningOptions
from likewise.mining.pool import pool_of
from likewise.mining.rescoring import refuse_classes, rescore
from likewise.models.cross_encoder import CrossEncoder, from_encoder

ANCHORS = ["How do people paint", "the river"]
PAIRS = dataset("pairs", anchor=ANCHORS, positive=[["a guide", "b"], ["c"]])
FURTHER = ["any river", "people", "someone does", "here"]


@pytest.fixture
def cross(tiny_folder: Path) -> CrossEncoder:
    made = from_encoder(str(tiny_folder), classes=1, seed=3)
    list(made.module.parameters())[-2].data.mul_(100)  # else all pairs score nearly alike
    return made


def expected(cross: CrossEncoder, pairs) -> np.ndarray:
    return cross.predict(pairs, precision="float32", activation="sigmoid")


def test_the_most_relevant_come_first_and_the_relevant_are_told(cross, tmp_path: Path):
    pool = pool_of(PAIRS, FURTHER)
    places = np.array([[3, 4, 5, 6], [6, 5, -1, -1]])
    found = candidates_at(places, ranks=np.tile(np.arange(1, 5), (2, 1)), sources=places)
    found = found.judged(places < 0, Verdict.NOTHING)
    options = MiningOptions(precision="float32", relevant=1.0)
    rescored, lowest = rescore(found, pool, cross, tmp_path / "scores", options)
    right = [
        [(anchor, text) for text in texts]
        for anchor, texts in zip(pool.anchors, PAIRS.text_lists("positive"), strict=True)
    ]
    np.testing.assert_allclose(lowest, [expected(cross, one).min() for one in right], atol=1e-6)
    for row, anchor in enumerate(pool.anchors):
        there = [place for place in places[row].tolist() if place >= 0]
        scores = expected(cross, [(anchor, pool.documents[place]) for place in there])
        order = np.argsort(-scores, kind="stable")
        n = len(there)
        np.testing.assert_array_equal(rescored.places[row, :n], np.array(there)[order])
        np.testing.assert_allclose(rescored.relevance[row, :n], scores[order], atol=1e-6)
        relevant = rescored.verdicts[row, :n] == Verdict.RELEVANT
        np.testing.assert_array_equal(relevant, scores[order] >= lowest[row])
    half = MiningOptions(precision="float32", relevant=float(np.nanmedian(rescored.relevance)))
    stricter, _ = rescore(found, pool, cross, tmp_path / "scores", half)
    told = stricter.verdicts == Verdict.RELEVANT
    over = (stricter.relevance >= half.relevant) | (stricter.relevance >= lowest[:, None])
    np.testing.assert_array_equal(told, over)


def test_every_pair_is_scored_once(cross, tmp_path: Path, monkeypatch):
    seen: list[tuple[str, str]] = []
    predict = cross.predict
    monkeypatch.setattr(
        cross, "predict", lambda pairs, **o: seen.extend(pairs) or predict(pairs, **o)
    )
    pairs = dataset("pairs", anchor=["q", "Q!", "r"], positive=["a", "a", "b"])
    pool = pool_of(pairs, ["c"])
    places = np.full((3, 1), 2)
    found = candidates_at(places, ranks=places, sources=places)
    for _ in range(2):  # the second time they are read back
        rescore(found, pool, cross, tmp_path / "scores", MiningOptions())
    assert sorted(seen) == [("q", "a"), ("q", "c"), ("r", "b"), ("r", "c")]


def test_classes_are_refused(tiny_folder: Path):
    with pytest.raises(InputError, match="nli answers 3 labels"):
        refuse_classes(from_encoder(str(tiny_folder), classes=3), "nli")


@pytest.mark.parametrize("suspicious", ["drop", "list", "keep"])
def test_mined_negatives_carry_the_scores_and_none_is_relevant(
    suspicious: str, cross: CrossEncoder, tmp_path: Path, pairs
):
    folder = tmp_path / "cross"
    cross.save(folder)

    topics = [" ".join(topic) for topic in TOPICS]

    def by_topic(texts, *, role=None):
        """The answer is nearest to its question; the others lie around both alike."""
        own = [[all(word in text for word in topic.split()) for topic in topics] for text in texts]
        return np.array(own, np.float32) + np.arange(64, dtype=np.float32) / 300

    options = {"rescored": 9, "relevant": 1.0, "precision": "float32", "negatives": 2}
    if suspicious == "keep":
        options["relative_margin"] = 0.0
    found = mine(by_topic, pairs, cross_encoder=str(folder), suspicious=suspicious, **options)
    lines = found.provenance.to_pylist()
    assert lines
    asked = pairs.texts("anchor")
    for line in lines:
        score = float(expected(cross, [(asked[line["row"]], line["negative"])])[0])
        assert line["cross_score"] == pytest.approx(score, abs=1e-5)
        bound = line["positive_cross_score"]
        if line.get("suspicious") == "relevant to the cross-encoder":
            assert score >= bound - 1e-5
        else:
            assert score < bound + 1e-5
    assert found.counts["relevant"] > 0
    if suspicious == "list":
        why = found.suspicious.column("why").to_pylist()
        assert "relevant to the cross-encoder" in why
        scored = [line for line in found.suspicious.to_pylist() if line["why"].startswith("rel")]
        assert all(line["cross_score"] is not None for line in scored)
