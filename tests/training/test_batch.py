"""Which texts a batch embeds, and which candidates it masks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.data.dataset import Dataset
from likewise.models.build import load
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch, collate
from likewise.training.examples import build_examples
from training.small_runs import make_data, pairs, scored

CPU = torch.device("cpu")
# near-duplicates differ in case and punctuation only
TEXTS = ["apple", "Apple.", "river", "river!", "engine", "letter", "planet"]


@pytest.fixture(scope="module")
def encoder(_tiny_original) -> Encoder:
    return load(_tiny_original, device="cpu")


def gather(encoder: Encoder, data: Dataset, *, contrastive: bool = True) -> Batch:
    examples = build_examples(encoder, data)
    rows = np.arange(len(data))
    return collate(examples, rows, layout="contrast" if contrastive else "rows", device=CPU)


def folded(text: str) -> str:
    return text.strip("!.").lower()


def brute_force(data: Dataset) -> np.ndarray:
    """Masked candidates, by the words of the docstring, one comparison at a time."""
    rows = range(len(data))
    anchors = [data.texts("anchor")[i] for i in rows for _ in data.text_lists("positive")[i]]
    positives = [text for i in rows for text in data.text_lists("positive")[i]]
    negatives = [text for i in rows for text in data.text_lists("negative")[i]]
    expected = np.zeros((len(anchors), len(positives) + len(negatives)), dtype=bool)
    for i, anchor in enumerate(anchors):
        own = {
            folded(p)
            for a, p in zip(anchors, positives, strict=True)
            if folded(a) == folded(anchor)
        }
        for j, candidate in enumerate([*positives, *negatives]):
            expected[i, j] = i != j and folded(candidate) in own | {folded(anchor)}
    return expected


texts = st.sampled_from(TEXTS)
some_rows = st.lists(
    st.tuples(texts, st.lists(texts, min_size=1, max_size=3), st.lists(texts, max_size=2)),
    min_size=1,
    max_size=7,
)


@settings(max_examples=60, deadline=None)
@given(some_rows)
def test_the_mask_is_that_of_comparing_all_with_all(
    encoder: Encoder, rows: list[tuple[str, list[str], list[str]]]
):
    anchors, positives, negatives = (list(column) for column in zip(*rows, strict=True))
    data = make_data("pairs", anchor=anchors, positive=positives, negative=negatives)
    batch = gather(encoder, data)
    expected = brute_force(data)
    assert np.array_equal(batch.collides.numpy(), expected)
    assert batch.masked == expected.sum()
    assert not batch.collides.diagonal().any()  # never the own positive


@pytest.mark.parametrize(
    ("anchors", "positives", "masked"),
    [
        (["apple", "river"], ["engine", "letter"], []),
        (["apple", "river"], ["engine", "Engine!"], [(0, 1), (1, 0)]),  # a repeated positive
        (["apple", "river"], ["engine", "apple"], [(0, 1)]),  # the anchor itself
        (["apple", "Apple."], ["engine", "letter"], [(0, 1), (1, 0)]),  # siblings of one anchor
        (["apple", "river"], ["apple", "letter"], []),  # a row that is its own answer
    ],
)
def test_a_candidate_that_is_no_negative_is_masked(encoder: Encoder, anchors, positives, masked):
    batch = gather(encoder, make_data("pairs", anchor=anchors, positive=positives))
    assert [tuple(place) for place in batch.collides.nonzero().tolist()] == masked
    assert batch.masked == len(masked)


def test_several_positives_of_a_row_are_pairs_that_do_not_compete(encoder: Encoder):
    data = make_data(
        "pairs", anchor=["apple", "river"], positive=[["engine", "letter"], ["planet"]]
    )
    batch = gather(encoder, data)
    assert batch.picks["anchor"].tolist()[0] == batch.picks["anchor"].tolist()[1]
    assert batch.collides.nonzero().tolist() == [[0, 1], [1, 0]]


def test_a_hard_negative_that_answers_is_masked(encoder: Encoder):
    data = make_data(
        "pairs",
        anchor=["apple", "river"],
        positive=["engine", "letter"],
        negative=["planet", "ENGINE"],
    )
    batch = gather(encoder, data)
    assert batch.collides.shape == (2, 4)
    assert batch.collides.nonzero().tolist() == [[0, 3]]


def test_a_row_without_a_negative_has_none(encoder: Encoder):
    data = make_data(
        "pairs",
        anchor=["apple", "river"],
        positive=["engine", "letter"],
        negative=[None, "planet"],
    )
    assert len(gather(encoder, data).picks["negative"]) == 1


def test_a_text_in_several_places_is_embedded_once(encoder: Encoder):
    data = make_data(
        "scored",
        sentence1=["apple", "apple", "river"],
        sentence2=["engine", "river", "engine"],
        score=[0.0, 0.5, 1.0],
        score_range=(0.0, 1.0),
    )
    batch = gather(encoder, data, contrastive=False)
    assert len(batch.packed) == 3
    places = {role: picks.tolist() for role, picks in batch.picks.items()}
    assert places["sentence1"][0] == places["sentence1"][1]
    assert places["sentence1"][2] == places["sentence2"][1]


def test_a_repeated_text_gets_the_gradient_of_all_its_uses(encoder: Encoder):
    data = scored(6)
    batch = gather(encoder, data, contrastive=False)
    assert len(batch.packed) < 12

    def gradient_of(batch: Batch) -> dict[str, torch.Tensor]:
        encoder.module.zero_grad()
        embeddings = encoder.embed(batch.packed)
        u, v = (embeddings[batch.picks[role]] for role in ("sentence1", "sentence2"))
        (u * v).sum().backward()
        return {name: p.grad.clone() for name, p in encoder.module.named_parameters()}

    examples = build_examples(encoder, data)
    columns = [examples.columns[role][:, 0] for role in ("sentence1", "sentence2")]
    spread = [examples.ids[i] for i in np.concatenate(columns)]  # every use a text of its own
    apart = replace(
        examples,
        ids=spread,
        prompt_tokens=np.zeros(12, np.int64),
        columns={"sentence1": np.arange(6)[:, None], "sentence2": np.arange(6, 12)[:, None]},
    )
    twelve = collate(apart, np.arange(6), layout="rows", device=CPU)
    assert len(twelve.packed) == 12
    once, each = gradient_of(batch), gradient_of(twelve)
    for name, gradient in each.items():
        torch.testing.assert_close(once[name], gradient, rtol=1e-4, atol=1e-5)


@given(st.permutations(range(8)))
@settings(max_examples=10, deadline=None)
def test_every_pick_finds_its_text(encoder: Encoder, order: list[int]):
    data = pairs(8)
    examples = build_examples(encoder, data)
    batch = collate(examples, np.array(order), layout="contrast", device=CPU)
    for role, picks in batch.picks.items():
        for row, place in zip(order, picks.tolist(), strict=True):
            found = batch.packed.ids[batch.packed.starts[place] : batch.packed.starts[place + 1]]
            (expected,) = encoder.tokenizer.tokenize([data.texts(role)[row]]).ids
            assert found.tolist() == expected.tolist()


def test_texts_come_shortest_first(encoder: Encoder):
    lengths = gather(encoder, scored(12), contrastive=False).packed.lengths
    assert lengths.tolist() == sorted(lengths.tolist())


@pytest.mark.parametrize("include", [True, False])
def test_a_prompt_is_pooled_in_training_as_it_is_in_encoding(encoder: Encoder, include: bool):
    pooling = replace(encoder.contents.pooling, include_prompt=include)
    prompts = {"query": "how do people: "}
    encoder = Encoder(
        contents=replace(encoder.contents, pooling=pooling, prompts=prompts),
        backbone=encoder.backbone,
        tail=encoder.tail,
        tokenizer=encoder.tokenizer,
    )
    data = pairs(4)
    batch = gather(encoder, data)
    with torch.no_grad():
        anchors = encoder.embed(batch.packed)[batch.picks["anchor"]]
    vectors = encoder.encode(data.texts("anchor"), prompt="query", precision="float32")
    torch.testing.assert_close(anchors, torch.from_numpy(vectors), rtol=0, atol=1e-5)
