"""The tokenizer's files, verbatim; tokenizer.json is made where only older files are there."""

import json
from pathlib import Path

from tokenizers import Tokenizer

from likewise.errors import InputError, Where
from likewise.models.folder.jsons import COPY_AGAIN

FAST = "tokenizer.json"
TOKENIZER_FILES = (
    FAST,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "bpe.codes",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
    "chat_template.jinja",
)
OLDER = ("vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model")


def read_tokenizer_files(folder: Path) -> dict[str, bytes]:
    """The bytes of each tokenizer file in the folder, tokenizer.json among them.

    Raises:
        InputError: there is no tokenizer, or it cannot be made from the older files.
    """
    files = {n: (folder / n).read_bytes() for n in TOKENIZER_FILES if (folder / n).is_file()}
    if FAST in files:
        return files
    where = Where(path=str(folder))
    if not any(name in files for name in OLDER):
        problem = f"no tokenizer here: expected {FAST}"
        raise InputError(problem, mend=f"copy {FAST} of the same model into it", where=where)
    from likewise.models.transformers_adapter import make_fast_tokenizer

    return {FAST: make_fast_tokenizer(folder), **files}


def parse_tokenizer(files: dict[str, bytes], *, where: str) -> Tokenizer:
    """The tokenizer in tokenizer.json.

    Args:
        files: as `read_tokenizer_files` gave them.
        where: the folder, for errors.

    Raises:
        InputError: the file is damaged.
    """
    try:
        return Tokenizer.from_buffer(files[FAST])
    except Exception as error:  # the binding raises bare exceptions
        problem = f"not a tokenizer: {error}"
        raise InputError(problem, mend=COPY_AGAIN, where=Where(path=f"{where}/{FAST}")) from error


def unknown_id(files: dict[str, bytes], *, where: str) -> int | None:
    """The id of the token that stands for what the vocabulary lacks; None where nothing can.

    Args:
        files: as `read_tokenizer_files` gave them.
        where: the folder, for errors.
    """
    tokenizer = parse_tokenizer(files, where=where)
    name = getattr(tokenizer.model, "unk_token", None)
    if name is not None:
        found: int | None = tokenizer.token_to_id(name)
        return found
    stated: int | None = json.loads(files[FAST])["model"].get("unk_id")  # a Unigram has a number
    return stated
