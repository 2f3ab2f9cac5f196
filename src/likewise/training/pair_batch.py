"""Rows for a cross-encoder: each text tokenised once, joined to pairs when a batch needs them."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.losses.cross_encoder.spec import Form
from likewise.models.cross_encoder import CrossEncoder
from likewise.text.packed import shortest_first
from likewise.text.pairs import PairTokenizer
from likewise.text.transfer import send
from likewise.training.batch import Batch
from likewise.training.examples import Examples, bind_examples, index_texts
from likewise.training.feed import Feed, FeedOf
from likewise.training.options import TrainingOptions
from likewise.training.seeding import generator


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRows:
    """What a batch of pairs is made from.

    Attributes:
        examples: the texts, without special tokens, and the rows.
        tokenizer: joins two texts.
        form: one pair a row, or a list of them: an anchor with each of its candidates.
        negatives: candidates a list that are drawn from the other rows of a batch.
        seed: of those draws.
    """

    examples: Examples
    tokenizer: PairTokenizer
    form: Form = "pairs"
    negatives: int = 0
    seed: int = 0


def pair_feed(form: Form = "pairs", *, negatives: int = 0) -> FeedOf:
    """Feed a cross-encoder with the pairs of each row.

    Args:
        form: one pair a row, or a list of them.
        negatives: candidates that such a list draws from other rows.
    """

    def feed(cross: CrossEncoder, data: Dataset, options: TrainingOptions) -> Feed:
        drawn = min(negatives, options.batch_size - 1)
        limit = options.max_tokens
        examples = build_pair_examples(cross, data, max_tokens=limit, negatives=drawn)
        source = PairRows(
            examples=examples,
            tokenizer=limited(cross.pairs, limit),
            form=form,
            negatives=negatives,
            seed=options.seed,
        )
        return Feed(
            rows=len(data),
            texts=len(examples.ids),
            row_tokens=examples.row_tokens,
            collate=lambda rows, step: collate_pairs(source, rows, device=cross.device, step=step),
            where=data.where,
            cut=examples.cut,
        )

    return feed


def build_pair_examples(
    cross: CrossEncoder, data: Dataset, *, max_tokens: int | None = None, negatives: int = 0
) -> Examples:
    """Tokenise every distinct text once, without special tokens and without a limit.

    Args:
        cross: gives the tokenizer.
        data: of a kind with two texts a row, or pairs.
        max_tokens: a limit below the model's own, on a pair.
        negatives: candidates a row that will be drawn from others; they count as its tokens.
    """
    prompts = dict.fromkeys(data.text_roles(), "")
    prompts[next(iter(prompts))] = cross.prompt
    texts, columns = index_texts(data, prompts)
    ids = cross.pairs.tokenize([prompt + text for prompt, text in texts])
    lengths = np.fromiter((len(text) for text in ids), np.int64, count=len(ids))
    limit = min(max_tokens or cross.max_tokens, cross.max_tokens) - cross.pairs.template.added
    first, *others = columns
    anchors = lengths[columns[first][:, 0]]
    cut, row_tokens = {}, 0.0
    for role in others:
        rows, places = np.nonzero(columns[role] >= 0)
        own = anchors[rows] + lengths[columns[role][rows, places]]
        cut[f"{first} with {role}"] = int((own > limit).sum())
        joined = np.minimum(own, limit) + cross.pairs.template.added
        row_tokens += float(joined.sum()) / len(data)
        if role == "positive":
            row_tokens += negatives * float(joined.mean())
    return bind_examples(data, ids, texts, columns, prompts, cut=cut, row_tokens=row_tokens)


def limited(tokenizer: PairTokenizer, max_tokens: int | None) -> PairTokenizer:
    """The same tokenizer with a limit below its own, if one is given."""
    if max_tokens is None or max_tokens >= tokenizer.max_tokens:
        return tokenizer
    twin = copy.copy(tokenizer)
    twin.max_tokens = max_tokens
    return twin


def collate_pairs(
    source: PairRows, rows: NDArray[np.int64], *, device: torch.device, step: int = 0
) -> Batch:
    """Join the texts of some rows to pairs and gather them into a batch.

    Args:
        source: rows and tokenizer.
        rows: [B] row indices.
        device: where the logits will be.
        step: of the run, from 0; draws of negatives depend on it.

    Returns:
        `picks["pairs"]` is [B] in the form "pairs"; in the form "lists" [B, C], the positive
        first, with `values["mask"]` False where a list has fewer, and `values["grades"]` 1 for
        what answers the anchor.
    """
    if source.form == "pairs":
        left, right = (column[rows, 0] for column in list(source.examples.columns.values())[:2])
        return _batch(source, rows, left, right, step, device)
    lists, grades = _lists(source, rows, generator(source.seed, "negatives", step))
    anchors = np.repeat(source.examples.columns["anchor"][rows, 0], lists.shape[1])
    batch = _batch(source, rows, anchors, lists.reshape(-1), step, device)
    batch.picks["pairs"] = batch.picks["pairs"].view(lists.shape)
    batch.values["mask"] = send(torch.from_numpy(lists >= 0), device)
    batch.values["grades"] = send(torch.from_numpy(grades), device)
    return batch


def _batch(
    source: PairRows,
    rows: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    step: int,
    device: torch.device,
) -> Batch:
    """Each distinct pair once, shortest first; absent ones (-1) pick the first and are masked."""
    examples = source.examples
    present = right >= 0
    pairs, place = np.unique(np.stack([left[present], right[present]]), axis=1, return_inverse=True)
    joined = [source.tokenizer.join(examples.ids[a], examples.ids[b]) for a, b in pairs.T.tolist()]
    order, rank = shortest_first([len(ids) for ids, _ in joined])
    picks = np.zeros(len(right), dtype=np.int64)
    picks[present] = rank[place]
    packed = source.tokenizer.pack([joined[i][0] for i in order], [joined[i][1] for i in order])
    return Batch(
        packed=packed.to(device),
        rows=rows,
        texts=order,
        picks={"pairs": send(torch.from_numpy(picks), device)},
        values={
            name: send(torch.from_numpy(np.ascontiguousarray(column[rows])), device)
            for name, column in examples.values.items()
        },
        step=step,
    )


def _lists(
    source: PairRows, rows: NDArray[np.int64], draw: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """[B, C] candidates of each anchor: its positives, its negatives, some of other rows."""
    examples = source.examples
    parts: list[Sequence[int]] = []
    counts: list[int] = []
    pool = examples.columns["positive"][rows]
    pool = pool[pool >= 0]
    for row in rows.tolist():
        own = examples.columns["positive"][row]
        own = own[own >= 0]
        given = examples.columns["negative"][row] if "negative" in examples.columns else own[:0]
        drawn = _strangers(source, row, own, draw.permutation(pool))
        parts.append([*own.tolist(), *given[given >= 0].tolist(), *drawn])
        counts.append(len(own))
    width = max(len(part) for part in parts)
    lists = np.full((len(rows), width), -1, dtype=np.int64)
    grades = np.zeros((len(rows), width))
    for i, (part, count) in enumerate(zip(parts, counts, strict=True)):
        lists[i, : len(part)] = part
        grades[i, :count] = 1.0
    return lists, grades


def _strangers(
    source: PairRows, row: int, own: NDArray[np.int64], pool: NDArray[np.int64]
) -> list[int]:
    """Answers of other rows that are none of this one's, each near-duplicate once."""
    cluster = source.examples.cluster
    anchor = int(cluster[source.examples.columns["anchor"][row, 0]])
    answers = source.examples.answers.get(anchor, ())
    seen = {anchor, *cluster[own].tolist(), *(int(answer) for answer in answers)}
    found: list[int] = []
    for candidate in pool.tolist():
        if len(found) == source.negatives:
            break
        if int(cluster[candidate]) not in seen:
            seen.add(int(cluster[candidate]))
            found.append(candidate)
    return found
