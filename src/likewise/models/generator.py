"""A model that writes queries for passages, as docT5query does (Nogueira and Lin 2019)."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from likewise.models.device import choose_device
from likewise.models.draft_file import beside, fingerprint
from likewise.models.source import resolve_model
from likewise.models.transformers_adapter import (
    TextSampling,
    count_tokens,
    load_seq2seq,
    sample_texts,
)
from likewise.progress import progress as show_progress
from likewise.text.batches import batches_by_tokens

# As Wang et al. 2022 sample (section 4.3 and their code)
TOP_K = 25
TOP_P = 0.95
LONGEST_PASSAGE = 350  # tokens
LONGEST_QUERY = 64  # tokens
BLOCK = 256  # passages between two marks of how far it has come
BATCH_TOKENS = 16_384  # of all copies of a batch's passages: memory follows it


class QueryGenerator:
    """Samples queries for passages.

    Attributes:
        name: as the user gave it.
        module: the sequence-to-sequence model.
    """

    def __init__(self, *, name: str, module: nn.Module, tokenizer: Any) -> None:
        """Compose the parts; `load_generator` reads them from a folder."""
        self.name = name
        self.module = module
        self._tokenizer = tokenizer

    def sample(
        self, passages: Sequence[str], *, count: int, seed: int, batch_tokens: int = BATCH_TOKENS
    ) -> list[list[str]]:
        """Sample queries for each passage; what is empty or repeated is left out.

        Args:
            passages: n texts; what is over 350 tokens is cut.
            count: queries of a passage, drawn from the 25 likeliest tokens at each place, or the
                fewer that have a probability of 0.95 together.
            seed: of the draw.
            batch_tokens: a batch holds so many, each passage counted `count` times.

        Returns:
            For each passage at most `count` distinct queries.
        """
        sampling = TextSampling(
            count=count,
            top_k=TOP_K,
            top_p=TOP_P,
            longest_input=LONGEST_PASSAGE,
            longest_output=LONGEST_QUERY,
        )
        if not passages:
            return []
        lengths = np.array(count_tokens(self._tokenizer, passages, most=LONGEST_PASSAGE))
        found: list[list[str]] = [[] for _ in passages]
        for i, batch in enumerate(batches_by_tokens(lengths, max(batch_tokens // count, 1))):
            texts = [passages[place] for place in batch]
            drawn = sample_texts(
                self.module, self._tokenizer, texts, sampling, seed=_seed_of(seed, i)
            )
            for place, queries in zip(batch, drawn, strict=True):
                found[place] = list(dict.fromkeys(query for query in queries if query))
        return found

    def sample_to_file(
        self,
        passages: Sequence[str],
        path: Path,
        *,
        count: int,
        seed: int,
        progress: bool = False,
    ) -> list[list[str]]:
        """Sample queries, block by block into a file, and go on there after an interruption.

        Args:
            passages: n texts.
            path: of a JSONL; the caller takes it away when the queries are safe elsewhere. With
                another generator, other passages, another count or seed it is begun anew.
            count: as in `sample`.
            seed: as in `sample`; each block has one of its own, so that an interrupted run draws
                what an uninterrupted one does.
            progress: show a bar.

        Returns:
            As `sample`.
        """
        prints = fingerprint(self.module, passages, {"count": count, "seed": seed})
        starts = range(0, len(passages), BLOCK)
        done = _read_blocks(path, prints)
        with (
            path.open("a", encoding="utf-8") as file,
            show_progress("writing queries", len(passages), shown=progress) as advance,
        ):
            if file.tell() == 0:
                file.write(json.dumps({"fingerprint": prints}) + "\n")
            advance(sum(map(len, done)))
            for i in range(len(done), len(starts)):
                some = passages[starts[i] : starts[i] + BLOCK]
                done.append(self.sample(some, count=count, seed=_seed_of(seed, i)))
                file.write(json.dumps(done[-1], ensure_ascii=False) + "\n")
                file.flush()
                advance(len(some))
        return [queries for block in done for queries in block]


def load_generator(name: str | Path, *, device: str = "auto") -> QueryGenerator:
    """Load a sequence-to-sequence model that writes queries.

    Args:
        name: a folder, "hub:ORG/NAME", or a bare "ORG/NAME".
        device: "auto" (CUDA, then MPS, then CPU) or a device's name.

    Raises:
        InputError: there is no such model, or it is no sequence-to-sequence model.
    """
    module, tokenizer = load_seq2seq(resolve_model(str(name)))
    module.to(choose_device(device))
    return QueryGenerator(name=str(name), module=module, tokenizer=tokenizer)


def _seed_of(seed: int, i: int) -> int:
    """A seed of its own for each part, 63 bits."""
    return int(np.random.SeedSequence([seed, i]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _read_blocks(path: Path, prints: str) -> list[list[list[str]]]:
    """The whole blocks of an interrupted run; the file is cut to them, or emptied."""
    lines = list(_whole_lines(path))
    blocks: list[list[list[str]]] = []
    if not lines or lines[0] != {"fingerprint": prints}:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
        return blocks
    blocks = lines[1:]
    fresh = beside(path, ".new")
    written = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    fresh.write_text(written, encoding="utf-8")
    fresh.replace(path)
    return blocks


def _whole_lines(path: Path) -> Iterator[Any]:
    """What each line holds, up to one that was cut off."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                return
