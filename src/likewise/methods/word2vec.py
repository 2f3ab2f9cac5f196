"""Word vectors by skip-gram with negative sampling: contrastive learning at its origin."""

from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.extras import require
from likewise.methods.plain_texts import distinct_texts
from likewise.models.build import from_contents
from likewise.models.encoder import Encoder
from likewise.models.static import find_words, static_contents
from likewise.models.word_vectors import WordVectors
from likewise.registry import NotNegative
from likewise.text.packed import pack
from likewise.training.batch import Batch
from likewise.training.feed import Feed
from likewise.training.fit import Fit
from likewise.training.objective import Objective
from likewise.training.seeding import child_seed
from likewise.training.text_rows import ROLE, TextRows, text_chunks, tokenise_texts

FEWEST = 5  # words; among fewer there is nothing to tell apart
MOST = 1_000_000  # words; the rarer ones would have hardly learnt anything
TABLE = "backbone.table"
LONGEST = 10_000  # words that gensim takes as one text
# What suits word vectors: fast steps, each of many texts, at a rate that falls from the start
USUAL: Final = MappingProxyType(
    {"epochs": 5.0, "batch_size": 1024, "learning_rate": 0.025, "warmup": 0.0}
)


def train_word2vec(
    fit: Fit[Any],
    data: Dataset,
    *,
    vector_size: Annotated[int, Field(ge=1, le=10_000)] = 100,
    window: Annotated[int, Field(ge=1, le=LONGEST)] = 5,
    negative: Annotated[int, Field(ge=1, le=1_000)] = 5,
    min_count: Annotated[int, Field(ge=1, le=2**31 - 1)] = 5,
    subsample: NotNegative = 1e-3,
    sif: NotNegative = 0.0,
) -> None:
    """Learn a vector for each word from the words around it (Mikolov et al. 2013, b).

    A word's vector is drawn towards those of its neighbours in the texts (anchor and positive),
    and away from those of words drawn at random (negatives). A text is then the mean of its
    words: a static encoder, cut into words as the texts were that its vectors are from, which is
    at every sign that is no letter or digit, and in lower case.

    Args:
        fit: how to train; its encoder is replaced by the new one.
        data: texts of any kind of data.
        vector_size: numbers a word.
        window: words to either side that count as neighbours, at the most; for each word fewer
            are drawn.
        negative: words drawn against each neighbour, by their count to the power of 3/4.
        min_count: words that stand less often have no vector, and count as unknown.
        subsample: words of a larger share than this are passed over now and then; 0 for never.
        sif: a of the weights a / (a + p) that words have in a text, after which what all words
            have in common is taken out (Arora et al. 2017); 1e-3 is usual, 0 for a plain mean.

    Raises:
        InputError: hardly a word stands as often as `min_count`.
        MissingExtra: gensim is not installed.
    """
    require("gensim", extra="word2vec")
    rows = distinct_texts(fit, data)
    words = find_words(text_chunks(rows), min_count=min_count, most=MOST)
    _refuse_few(words, rows, min_count)
    encoder = _encoder(words, np.zeros((len(words), vector_size), np.float32))
    texts = tokenise_texts(encoder, rows, max_tokens=fit.options.max_tokens)
    counts = _count(texts, len(words))
    fit.note(f"{len(words):,} words, {counts.sum():,} times in {len(rows):,} texts")
    given = {"vector_size": vector_size, "window": window, "negative": negative}
    learner = _SkipGram(words, counts, encoder, seed=fit.options.seed, sample=subsample, **given)
    fit.encoder = encoder
    fit(rows, Objective(
        loss=_no_gradients,
        feed=lambda *_: _feed(texts),
        head=learner.state,
        nests=False,
        update=learner.learn,
    ))  # fmt: skip
    if sif:
        vectors = encoder.module.state_dict()[TABLE][:-1].numpy()
        fit.encoder = _encoder(words, vectors, counts=counts, sif=sif)


def _refuse_few(words: list[str], rows: Dataset, min_count: int) -> None:
    if len(words) >= FEWEST:
        return
    found = f"{len(words)} words stand" if len(words) != 1 else "1 word stands"
    often = "" if min_count == 1 else f" {min_count} times or more"
    problem = f"{found} in {len(rows):,} texts{often}: too few to tell apart"
    fewer = "" if min_count == 1 else ", or lower --set min_count=1"
    raise InputError(problem, mend=f"give more texts{fewer}", where=rows.file)


def _encoder(
    words: list[str],
    vectors: NDArray[np.float32],
    *,
    counts: NDArray[np.int64] | None = None,
    sif: float = 0.0,
) -> Encoder:
    ranks = np.arange(1, len(words) + 1)
    found = WordVectors(words=words, vectors=vectors, ranks=ranks, counts=counts)
    contents = static_contents(
        found,
        sif=sif or None,
        remove_component_of="words" if sif else None,
        lower_case=True,
    )
    return from_contents(contents)


def _count(texts: TextRows, n_words: int) -> NDArray[np.int64]:
    """[n_words] how often each stands; unknown words, and texts of none, do not count."""
    counts = np.zeros(n_words + 2, dtype=np.int64)
    for first in range(0, len(texts.tokens), 2**22):
        counts += np.bincount(texts.tokens[first : first + 2**22], minlength=n_words + 2)
    return counts[:n_words]


def _feed(texts: TextRows) -> Feed:
    def collate(chosen: NDArray[np.int64], step: int) -> Batch:
        packed = pack([texts.ids(int(row)) for row in chosen])
        return Batch(packed=packed, rows=chosen, texts=chosen, picks={}, values={}, step=step)

    return Feed(
        rows=len(texts),
        texts=len(texts),
        row_tokens=len(texts.tokens) / len(texts),
        collate=collate,
        where=texts.data.where,
        cut={ROLE: texts.cut},
    )


def _no_gradients(embeddings: Tensor, batch: Batch) -> Tensor:
    raise TypeError("word vectors are not learnt by gradients of a loss of embeddings")


class _State(nn.Module):
    """What a checkpoint keeps besides the vectors: those of words as neighbours, and the draws."""

    def __init__(self, contexts: NDArray[np.float32]) -> None:
        super().__init__()
        self.contexts = nn.Parameter(torch.from_numpy(contexts), requires_grad=False)
        self.draws = nn.Buffer(torch.zeros(625, dtype=torch.int64))


class _SkipGram:
    """gensim's skip-gram, a batch at a time, on the memory of our own table."""

    def __init__(
        self,
        words: list[str],
        counts: NDArray[np.int64],
        encoder: Encoder,
        *,
        seed: int,
        **given: Any,
    ) -> None:
        from gensim.models import Word2Vec

        # one worker, and a seed of its own: the same texts give the same vectors bit for bit
        own = child_seed(seed, "word2vec") % 2**32
        model = Word2Vec(sg=1, hs=0, min_count=1, sorted_vocab=0, workers=1, seed=own, **given)
        model.lifecycle_events = None  # it would note every batch
        model.build_vocab_from_freq(dict(zip(words, counts.tolist(), strict=True)))
        table = encoder.module.state_dict()[TABLE][: len(words)]
        table.copy_(torch.from_numpy(model.wv.vectors))
        model.wv.vectors = table.numpy()
        self.model = model
        self.words = np.array([*words, "", ""], dtype=object)  # the unknown, and no word at all
        self.state = _State(model.syn1neg)
        self._keep_draws()

    def learn(self, batch: Batch, rate: float) -> float:
        """One pass over the texts of a batch; the mean loss of a word."""
        key = self.state.draws.numpy()
        self.model.random.set_state(("MT19937", key[:-1].astype(np.uint32), int(key[-1])))
        self.model.min_alpha_yet_reached = rate  # else a rate that rises is warned of
        texts = self._texts(batch)
        trained: int = self.model.train(
            texts,
            total_examples=len(texts),
            epochs=1,
            start_alpha=rate,
            end_alpha=rate,
            compute_loss=True,
        )[0]
        self._keep_draws()
        return float(self.model.get_latest_training_loss()) / max(trained, 1)

    def _texts(self, batch: Batch) -> list[list[str]]:
        """Texts as lists of known words, very long ones in parts."""
        words = self.words[batch.packed.ids.numpy()]
        starts = batch.packed.starts.tolist()
        return [
            [word for word in words[i : min(i + LONGEST, end)].tolist() if word]
            for first, end in pairwise(starts)
            for i in range(first, end, LONGEST)
        ]

    def _keep_draws(self) -> None:
        _, key, position, *_ = self.model.random.get_state()
        self.state.draws[:-1] = torch.from_numpy(key.astype(np.int64))
        self.state.draws[-1] = position
