from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE, Model, Unigram, WordLevel

from likewise.errors import InputError
from likewise.models.folder.tokenizer_files import parse_tokenizer, read_tokenizer_files, unknown_id


def test_files_are_taken_verbatim(tiny_folder: Path):
    files = read_tokenizer_files(tiny_folder)
    assert files.keys() == {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}
    assert files["tokenizer.json"] == (tiny_folder / "tokenizer.json").read_bytes()


def test_tokenizer_json_is_made_from_older_files(tiny_folder: Path, tiny_tokenizer: Tokenizer):
    (tiny_folder / "tokenizer.json").unlink()
    vocabulary = tiny_tokenizer.get_vocab()
    words = sorted(vocabulary, key=vocabulary.__getitem__)
    (tiny_folder / "vocab.txt").write_text("\n".join(words) + "\n")
    files = read_tokenizer_files(tiny_folder)
    assert "vocab.txt" in files
    made = parse_tokenizer(files, where="here")
    assert made.encode("paint the river").ids == tiny_tokenizer.encode("paint the river").ids


def test_a_folder_without_a_tokenizer_is_named(tiny_folder: Path):
    (tiny_folder / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"no tokenizer here: expected tokenizer\.json"):
        read_tokenizer_files(tiny_folder)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version": "1.0", "model": null}', b"\xff"])
def test_a_damaged_tokenizer_is_named(content: bytes):
    with pytest.raises(InputError, match=r"here/tokenizer\.json: not a tokenizer"):
        parse_tokenizer({"tokenizer.json": content}, where="here")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (WordLevel({"a": 0, "?": 1}, unk_token="?"), 1),
        (BPE({"a": 0, "?": 1}, [], unk_token="?"), 1),
        (BPE({"a": 0}, []), None),
        (Unigram([("a", -1.0), ("?", 0.0)], unk_id=1), 1),
    ],
    ids=["WordLevel", "BPE", "BPE of bytes", "Unigram"],
)
def test_the_unknown_token_of_every_kind_is_found(model: Model, expected: int | None):
    files = {"tokenizer.json": Tokenizer(model).to_str().encode()}
    assert unknown_id(files, where="here") == expected
