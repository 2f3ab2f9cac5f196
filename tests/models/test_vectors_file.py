import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from likewise.errors import InputError
from likewise.models import draft_file
from likewise.models.encoder import Encoder
from likewise.models.vectors_file import encode_to_file

TEXTS = ["How do people paint the river", "b", "a guide to repair any violin", "b", "paint " * 90]


class Stop(Exception):
    """Stands for the user's Ctrl-C."""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def interrupt_after(chunks: int, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the encoder work for the probe and so many chunks, then stop."""
    calls = iter(range(chunks + 1))
    work = encoder.encode

    def encode(*args, **options):
        if next(calls, None) is None:
            raise Stop
        return work(*args, **options)

    monkeypatch.setattr(encoder, "encode", encode)


def test_npy_holds_the_vectors_in_the_order_given(tiny_encoder: Encoder, tmp_path: Path):
    out = tmp_path / "vectors.npy"
    found = encode_to_file(tiny_encoder, TEXTS, out, precision="float32")
    vectors = np.load(out)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, tiny_encoder.encode(TEXTS, precision="float32"))
    assert (found.rows, found.dimensions, found.cut, found.resumed) == (5, 32, 1, 0)
    assert names(tmp_path) == {"vectors.npy"}


def test_parquet_holds_texts_beside_vectors(tiny_encoder: Encoder, tmp_path: Path):
    out = tmp_path / "vectors.parquet"
    encode_to_file(tiny_encoder, TEXTS, out, precision="float32")
    table = pq.read_table(out)
    assert table.column("text").to_pylist() == TEXTS
    vectors = np.array(table.column("vector").to_pylist(), dtype=np.float32)
    np.testing.assert_array_equal(vectors, tiny_encoder.encode(TEXTS, precision="float32"))
    assert names(tmp_path) == {"vectors.parquet"}


def test_options_reach_the_encoder(tiny_encoder: Encoder, tmp_path: Path):
    out = tmp_path / "vectors.npy"
    options = {"normalize": True, "dimensions": 8, "prompt": "people "}
    assert encode_to_file(tiny_encoder, TEXTS, out, **options).dimensions == 8
    np.testing.assert_array_equal(np.load(out), tiny_encoder.encode(TEXTS, **options))


@pytest.mark.parametrize("name", ["vectors.npy", "vectors.parquet"])
def test_an_interrupted_file_goes_on_where_it_stopped(
    name: str, tiny_encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(draft_file, "CHUNK", 2)
    whole, out = tmp_path / f"whole-{name}", tmp_path / name
    encode_to_file(tiny_encoder, TEXTS, whole, precision="float32")
    with monkeypatch.context() as patch:
        interrupt_after(1, tiny_encoder, patch)
        with pytest.raises(Stop):
            encode_to_file(tiny_encoder, TEXTS, out, precision="float32")
    assert not out.exists()
    found = encode_to_file(tiny_encoder, TEXTS, out, precision="float32")
    assert (found.resumed, found.cut) == (2, 1)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("change", ["texts", "options", "weights"])
def test_a_draft_of_something_else_is_not_gone_on_with(
    change: str, tiny_encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(draft_file, "CHUNK", 2)
    out = tmp_path / "vectors.npy"
    with monkeypatch.context() as patch:
        interrupt_after(1, tiny_encoder, patch)
        with pytest.raises(Stop):
            encode_to_file(tiny_encoder, TEXTS, out, precision="float32")
    texts = ["another", *TEXTS[1:]] if change == "texts" else TEXTS
    options = {"normalize": change == "options"}
    if change == "weights":
        tiny_encoder.backbone.norm.bias.data += 1
    found = encode_to_file(tiny_encoder, texts, out, precision="float32", **options)
    assert found.resumed == 0
    expected = tiny_encoder.encode(texts, precision="float32", **options)
    np.testing.assert_allclose(np.load(out), expected, atol=1e-6)


def test_a_file_is_not_overwritten_unasked(tiny_encoder: Encoder, tmp_path: Path):
    out = tmp_path / "vectors.npy"
    out.write_bytes(b"mine")
    with pytest.raises(InputError, match="exists already"):
        encode_to_file(tiny_encoder, TEXTS, out)
    assert out.read_bytes() == b"mine"
    encode_to_file(tiny_encoder, TEXTS, out, overwrite=True)
    assert np.load(out).shape == (5, 32)


@pytest.mark.parametrize(
    ("name", "texts", "problem"),
    [
        ("vectors.csv", TEXTS, 'cannot write vectors to "\\.csv"'),
        ("absent/vectors.npy", TEXTS, "its folder does not exist"),
        ("vectors.npy", [], "no texts to encode"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(
    name: str, texts: list[str], problem: str, tiny_encoder: Encoder, tmp_path: Path
):
    with pytest.raises(InputError, match=problem):
        encode_to_file(tiny_encoder, texts, tmp_path / name)
    assert names(tmp_path) == set()


def test_the_answer_is_one_flat_object(tiny_encoder: Encoder, tmp_path: Path):
    found = encode_to_file(tiny_encoder, TEXTS, tmp_path / "vectors.npy")
    answer = json.loads(json.dumps(replace(found, seconds=1.5).to_json()))
    assert answer == {
        "schema": "likewise.encoded/1",
        "path": str(tmp_path / "vectors.npy"),
        "rows": 5,
        "dimensions": 32,
        "cut": 1,
        "resumed": 0,
        "seconds": 1.5,
    }
