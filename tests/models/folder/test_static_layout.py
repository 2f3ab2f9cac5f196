import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, StaticEmbedding
from tokenizers import Tokenizer

from likewise.errors import InputError
from likewise.models.build import load
from likewise.models.folder.contents import TailModule
from likewise.models.folder.read import read_folder
from likewise.models.folder.static_layout import (
    bare_tail,
    is_bare_static,
    is_static,
    read_table,
    refuse_other_pooling,
    static_config,
)

TEXTS = ["How do people paint the river?", "a guide", "", "[CLS] a guide [SEP]", "zzz " * 50]
OLD_TYPE = "sentence_transformers.models.StaticEmbedding"


@pytest.fixture
def peer(tiny_tokenizer: Tokenizer) -> SentenceTransformer:
    """A static model of the peer: a table of 8 numbers a token, and what may follow it."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        table = torch.randn(tiny_tokenizer.get_vocab_size(), 8)
        modules = [StaticEmbedding(tiny_tokenizer, embedding_weights=table), Dense(8, 6)]
        return SentenceTransformer(modules=[*modules, Normalize()], device="cpu")


@pytest.fixture
def model2vec(tiny_tokenizer: Tokenizer, tmp_path: Path) -> Path:
    """A folder as model2vec writes it where its vocabulary is quantised: 5 rows for all tokens."""
    folder = tmp_path / "model2vec"
    folder.mkdir()
    tokenizer_size = tiny_tokenizer.get_vocab_size()
    draw = torch.Generator().manual_seed(0)
    tensors = {
        "embeddings": torch.randn(5, 8, generator=draw),
        "mapping": torch.arange(tokenizer_size) % 5,
        "weights": torch.rand(tokenizer_size, generator=draw, dtype=torch.float64),
    }
    save_file(tensors, folder / "model.safetensors")
    tiny_tokenizer.save(str(folder / "tokenizer.json"))
    config = {"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": True}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_a_folder_of_the_peer_gives_its_vectors(peer: SentenceTransformer, tmp_path: Path):
    peer.save(str(tmp_path / "model"))
    ours = load(tmp_path / "model", device="cpu")
    np.testing.assert_allclose(ours.encode(TEXTS), peer.encode(TEXTS), atol=1e-6)
    assert [module.kind for module in ours.contents.tail] == ["Dense", "Normalize"]


def test_what_is_saved_gives_the_same_vectors_in_the_peer(
    peer: SentenceTransformer, tmp_path: Path
):
    peer.save(str(tmp_path / "theirs"))
    ours = load(tmp_path / "theirs", device="cpu")
    ours.save(tmp_path / "ours")
    again = SentenceTransformer(str(tmp_path / "ours"), device="cpu")
    np.testing.assert_allclose(again.encode(TEXTS), peer.encode(TEXTS), atol=1e-6)
    assert [type(module).__name__ for module in again] == ["StaticEmbedding", "Dense", "Normalize"]


def test_a_table_in_a_folder_of_its_own_is_read(peer: SentenceTransformer, tmp_path: Path):
    folder = tmp_path / "older"
    peer.save(str(folder))
    (folder / "0_StaticEmbedding").mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        (folder / name).rename(folder / "0_StaticEmbedding" / name)
    modules = json.loads((folder / "modules.json").read_text())
    modules[0] |= {"path": "0_StaticEmbedding", "type": OLD_TYPE}
    (folder / "modules.json").write_text(json.dumps(modules))
    vectors = load(folder, device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors, peer.encode(TEXTS), atol=1e-6)


def test_the_files_written_are_those_of_the_older_layout(peer: SentenceTransformer, tmp_path: Path):
    peer.save(str(tmp_path / "theirs"))
    ours = load(tmp_path / "theirs", device="cpu").save(tmp_path / "ours")
    assert {str(path.relative_to(ours)) for path in ours.rglob("*") if path.is_file()} == {
        "0_StaticEmbedding/model.safetensors",
        "0_StaticEmbedding/tokenizer.json",
        "1_Dense/config.json",
        "1_Dense/model.safetensors",
        "README.md",
        "config_sentence_transformers.json",
        "modules.json",
    }
    lines = json.loads((ours / "modules.json").read_text())
    assert [(line["path"], line["type"].rsplit(".", 1)[-1]) for line in lines] == [
        ("0_StaticEmbedding", "StaticEmbedding"),
        ("1_Dense", "Dense"),
        ("2_Normalize", "Normalize"),
    ]
    original = tmp_path / "theirs" / "tokenizer.json"
    assert (ours / "0_StaticEmbedding" / "tokenizer.json").read_bytes() == original.read_bytes()


def test_prompts_and_settings_are_kept(peer: SentenceTransformer, tmp_path: Path):
    peer.prompts = {"query": "how ", "document": ""}
    peer.save(str(tmp_path / "theirs"))
    ours = load(tmp_path / "theirs", device="cpu")
    expected = peer.encode(["do people paint"], prompt_name="query")
    found = ours.encode(["do people paint"], prompt="query")
    np.testing.assert_allclose(found, expected, atol=1e-6)
    ours.save(tmp_path / "ours")
    assert read_folder(tmp_path / "ours").prompts == peer.prompts


def test_model2vec_s_rows_and_weights_are_folded_into_the_table(
    model2vec: Path, tiny_tokenizer: Tokenizer
):
    peer = StaticEmbedding.load(str(model2vec))
    table = read_table(model2vec)
    torch.testing.assert_close(table, peer.embedding.weight.detach().float())
    vectors = load(model2vec, device="cpu").encode(TEXTS)
    expected = SentenceTransformer(modules=[peer.float(), Normalize()], device="cpu").encode(TEXTS)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_a_table_and_its_tokenizer_alone_are_a_model(model2vec: Path):
    (model2vec / "config.json").unlink()
    assert is_bare_static(model2vec)
    assert bare_tail(model2vec) == ()
    assert load(model2vec, device="cpu").dimensions == 8


def test_a_transformers_folder_is_no_table(tiny_folder: Path):
    assert not is_bare_static(tiny_folder)
    assert not is_static(read_folder(tiny_folder))


@pytest.mark.parametrize(
    ("tensors", "problem"),
    [
        ({"other": torch.ones(3, 2)}, r"expected one table, .* found other \[3, 2\]"),
        ({"embedding.weight": torch.ones(3)}, r"found embedding\.weight \[3\]"),
        ({"embedding.weight": torch.ones(3, 2, dtype=torch.int8)}, r"expected one table"),
        ({"embeddings": torch.ones(3, 2), "mapping": torch.tensor([0, 3])}, "do not fit"),
        ({"embeddings": torch.ones(3, 2), "weights": torch.ones(4)}, "do not fit"),
    ],
)
def test_weights_that_make_no_table_are_named(
    tmp_path: Path, tensors: dict[str, torch.Tensor], problem: str
):
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=problem) as caught:
        read_table(tmp_path)
    assert "model.safetensors" in str(caught.value)


def test_a_token_without_a_row_is_refused(model2vec: Path):
    (model2vec / "config.json").unlink()
    save_file({"embedding.weight": torch.ones(9, 2)}, model2vec / "model.safetensors")
    with pytest.raises(InputError, match=r"tokenizer\.json: the tokenizer has the token .* 9 rows"):
        load(model2vec)


def test_a_folder_without_its_tokenizer_is_named(peer: SentenceTransformer, tmp_path: Path):
    peer.save(str(tmp_path / "model"))
    (tmp_path / "model" / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="no tokenizer here"):
        load(tmp_path / "model")


def test_a_pooling_that_the_folder_cannot_tell_is_refused(model2vec: Path):
    contents = read_folder(model2vec)
    refuse_other_pooling(contents)
    assert contents.tail == (TailModule(kind="Normalize"),)
    with pytest.raises(InputError, match='pools by "max"'):
        load(f"max:{model2vec}")


def test_the_padding_id_is_the_one_behind_the_last_row():
    config = static_config(7, 3)
    assert (config["pad_token_id"], config["vocab_size"], config["hidden_size"]) == (7, 7, 3)


def test_the_peer_s_python_tokenizers_are_refused_with_another_way(
    peer: SentenceTransformer, tmp_path: Path
):
    folder = tmp_path / "words"
    peer.save(str(folder))
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "sentence_transformers.models.WordEmbeddings"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(InputError, match="WordEmbeddings") as caught:
        load(folder)
    assert "static:FILE" in caught.value.mend
