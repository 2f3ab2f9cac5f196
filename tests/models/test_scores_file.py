import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from likewise.data.reading import read
from likewise.errors import InputError
from likewise.models import draft_file
from likewise.models.cross_encoder import CrossEncoder, from_encoder
from likewise.models.encoder import Encoder
from likewise.models.scores_file import score_pairs, score_to_file

PAIRS = [
    ("How do people paint the river", "a guide"),
    ("b", "the"),
    ("the", "b"),
    ("b", "the"),
    ("paint " * 90, "a"),
]


class Stop(Exception):
    """Stands for the user's Ctrl-C."""


def sharpen(model: CrossEncoder) -> CrossEncoder:
    """Larger weights, so that pairs differ by more than any tolerance here."""
    with torch.no_grad():
        for parameter in model.module.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8)
    return model


@pytest.fixture
def cross(tiny_encoder: Encoder) -> CrossEncoder:
    return sharpen(from_encoder(tiny_encoder, classes=1, seed=1))


@pytest.fixture
def three(tiny_encoder: Encoder) -> CrossEncoder:
    return sharpen(from_encoder(tiny_encoder, classes=3, seed=1))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_file, "CHUNK", 2)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def expected(cross: CrossEncoder, pairs=PAIRS, **options) -> np.ndarray:
    return cross.predict(pairs, precision="float32", **options)


def count_predicted(cross: CrossEncoder, monkeypatch: pytest.MonkeyPatch, stop_after: int = 10**9):
    """How many pairs are predicted from now on; stop before a call when so many were."""
    seen: list[int] = []
    work = cross.predict

    def predict(pairs, **options):
        if sum(seen) >= stop_after:
            raise Stop
        seen.append(len(pairs))
        return work(pairs, **options)

    monkeypatch.setattr(cross, "predict", predict)
    return seen


def test_npy_holds_the_scores_in_the_order_given(cross: CrossEncoder, tmp_path: Path):
    out = tmp_path / "scores.npy"
    found = score_to_file(cross, PAIRS, out, precision="float32")
    scores = np.load(out)
    assert (scores.dtype, scores.shape) == (np.float32, (5,))
    np.testing.assert_allclose(scores, expected(cross), atol=1e-6, rtol=0)
    assert (found.rows, found.classes, found.cut, found.resumed) == (5, 1, 1, 0)
    assert names(tmp_path) == {"scores.npy"}


def test_parquet_holds_both_texts_beside_the_score_and_is_data_again(
    cross: CrossEncoder, tmp_path: Path
):
    out = tmp_path / "scores.parquet"
    score_to_file(cross, PAIRS, out, precision="float32")
    table = pq.read_table(out)
    texts = [table.column(name).to_pylist() for name in ("sentence1", "sentence2")]
    assert list(zip(*texts, strict=True)) == PAIRS
    data = read(out)
    assert data.kind == "scored"
    np.testing.assert_allclose(data.numbers("score"), expected(cross), atol=1e-6, rtol=0)
    assert names(tmp_path) == {"scores.parquet"}


@pytest.mark.parametrize("ending", [".npy", ".parquet"])
def test_several_classes_are_a_row_of_numbers(ending: str, three: CrossEncoder, tmp_path: Path):
    out = tmp_path / f"scores{ending}"
    found = score_to_file(three, PAIRS, out, precision="float32", activation="softmax")
    assert found.classes == 3
    if ending == ".npy":
        scores = np.load(out)
    else:
        scores = np.array(pq.read_table(out).column("scores").to_pylist(), dtype=np.float32)
    np.testing.assert_allclose(scores, expected(three, activation="softmax"), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ["scores.npy", "scores.parquet"])
def test_an_interrupted_file_goes_on_where_it_stopped(
    name: str, cross: CrossEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole, out = tmp_path / f"whole-{name}", tmp_path / name
    score_to_file(cross, PAIRS, whole, precision="float32")
    with monkeypatch.context() as patch:
        count_predicted(cross, patch, stop_after=2)
        with pytest.raises(Stop):
            score_to_file(cross, PAIRS, out, precision="float32")
    assert not out.exists()
    found = score_to_file(cross, PAIRS, out, precision="float32")
    assert (found.resumed, found.cut) == (2, 1)
    assert out.read_bytes() == whole.read_bytes()
    assert names(tmp_path) == {out.name, whole.name}


@pytest.mark.parametrize(
    ("name", "pairs", "problem"),
    [
        ("scores.csv", PAIRS, 'cannot write scores to "\\.csv"'),
        ("absent/scores.npy", PAIRS, "its folder does not exist"),
        ("scores.npy", [], "no pairs to score"),
        ("scores.npy", [("a", None)], "pair 1 of 1"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(
    name: str, pairs, problem: str, cross: CrossEncoder, tmp_path: Path
):
    with pytest.raises(InputError, match=problem):
        score_to_file(cross, pairs, tmp_path / name)
    assert names(tmp_path) == set()


def test_a_file_is_not_overwritten_unasked(cross: CrossEncoder, tmp_path: Path):
    out = tmp_path / "scores.npy"
    out.write_bytes(b"mine")
    with pytest.raises(InputError, match="exists already"):
        score_to_file(cross, PAIRS, out)
    assert out.read_bytes() == b"mine"
    score_to_file(cross, PAIRS, out, overwrite=True)
    assert np.load(out).shape == (5,)


def test_the_answer_is_one_flat_object(cross: CrossEncoder, tmp_path: Path):
    found = score_to_file(cross, PAIRS, tmp_path / "scores.npy")
    answer = json.loads(json.dumps(replace(found, seconds=1.5).to_json()))
    assert answer == {
        "schema": "likewise.scored/1", "path": str(tmp_path / "scores.npy"), "rows": 5,
        "classes": 1, "cut": 1, "resumed": 0, "seconds": 1.5,
    }  # fmt: skip


def test_scores_are_given_back_and_kept(cross: CrossEncoder, tmp_path: Path, monkeypatch):
    seen = count_predicted(cross, monkeypatch)
    path = tmp_path / "deep" / "silver"
    first = score_pairs(cross, PAIRS, path, precision="float32")
    np.testing.assert_array_equal(first, np.load(tmp_path / "deep/silver.npy")[:, 0])
    assert sum(seen) == 5
    again = score_pairs(cross, PAIRS, path, precision="float32")
    assert sum(seen) == 5
    np.testing.assert_array_equal(again, first)
    np.testing.assert_allclose(first, expected(cross), atol=1e-6, rtol=0)
    assert names(path.parent) == {"silver.npy", "silver.json"}


def test_kept_scores_of_several_classes_have_a_row_a_pair(three: CrossEncoder, tmp_path: Path):
    found = score_pairs(three, PAIRS, tmp_path / "silver.npy", precision="float32")
    assert found.shape == (5, 3)
    np.testing.assert_array_equal(
        score_pairs(three, PAIRS, tmp_path / "silver.npy", precision="float32"), found
    )


def test_interrupted_scoring_goes_on_where_it_stopped(
    cross: CrossEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = score_pairs(cross, PAIRS, tmp_path / "whole", precision="float32")
    with monkeypatch.context() as patch:
        count_predicted(cross, patch, stop_after=4)
        with pytest.raises(Stop):
            score_pairs(cross, PAIRS, tmp_path / "silver", precision="float32")
    seen = count_predicted(cross, monkeypatch)
    found = score_pairs(cross, PAIRS, tmp_path / "silver", precision="float32")
    assert seen == [1]
    np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("change", ["weights", "pairs", "order", "activation"])
def test_another_model_or_other_pairs_start_anew(
    change: str, finished: bool, cross: CrossEncoder, tmp_path: Path, monkeypatch
):
    path, options = tmp_path / "silver", {"precision": "float32"}
    with monkeypatch.context() as patch:
        count_predicted(cross, patch, stop_after=99 if finished else 2)
        if finished:
            score_pairs(cross, PAIRS, path, **options)
        else:
            with pytest.raises(Stop):
                score_pairs(cross, PAIRS, path, **options)
    pairs = PAIRS
    if change == "weights":
        with torch.no_grad():
            next(iter(cross.module.parameters())).add_(0.5)
    elif change == "pairs":
        pairs = [*PAIRS[:-1], ("another", "pair")]
    elif change == "order":
        pairs = PAIRS[::-1]
    else:
        options["activation"] = "identity"
    seen = count_predicted(cross, monkeypatch)
    found = score_pairs(cross, pairs, path, **options)
    assert sum(seen) == 5
    activation = options.get("activation")
    np.testing.assert_allclose(
        found, expected(cross, pairs, activation=activation), atol=1e-6, rtol=0
    )
    np.testing.assert_array_equal(score_pairs(cross, pairs, path, **options), found)
    assert sum(seen) == 10  # the five of `expected`, and none more


@pytest.mark.parametrize("damage", ["nonsense", "[]", None])
def test_scores_whose_origin_is_unknown_are_computed_anew(
    damage: str | None, cross: CrossEncoder, tmp_path: Path, monkeypatch
):
    first = score_pairs(cross, PAIRS, tmp_path / "silver")
    known = tmp_path / "silver.json"
    if damage is None:
        known.unlink()
    else:
        known.write_text(damage)
    seen = count_predicted(cross, monkeypatch)
    np.testing.assert_array_equal(score_pairs(cross, PAIRS, tmp_path / "silver"), first)
    assert sum(seen) == 5


def test_no_pairs_have_no_scores_and_leave_no_file(cross: CrossEncoder, tmp_path: Path):
    assert score_pairs(cross, [], tmp_path / "silver").shape == (0,)
    assert names(tmp_path) == set()
