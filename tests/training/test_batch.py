"""Which texts a batch embeds, and which candidates it masks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.data.dataset import Dataset
from likewise.losses.spec import Layout
from likewise.models.build import load
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch, collate
from likewise.training.examples import build_examples
from training.small_runs import distilled, labelled, make_data, pairs, scored

CPU = torch.device("cpu")
# near-duplicates differ in case and punctuation only
TEXTS = ["apple", "Apple.", "river", "river!", "engine", "letter", "planet"]


@pytest.fixture(scope="module")
def encoder(_tiny_original) -> Encoder:
    return load(_tiny_original, device="cpu")


def gather(encoder: Encoder, data: Dataset, *, layout: Layout = "contrast") -> Batch:
    examples = build_examples(encoder, data)
    return collate(examples, np.arange(len(data)), layout=layout, device=CPU)


def spelt(batch: Batch, picks: torch.Tensor) -> list[str]:
    """The texts that those picks find, by their ids."""
    found = []
    for place in picks.reshape(-1).tolist():
        ids = batch.packed.ids[batch.packed.starts[place] : batch.packed.starts[place + 1]]
        found.append(str(ids.tolist()))
    return found


def ids_of(encoder: Encoder, texts: list[str]) -> list[str]:
    return [str(ids.tolist()) for ids in encoder.tokenizer.tokenize(texts).ids]


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
    batch = gather(encoder, data, layout="rows")
    assert len(batch.packed) == 3
    places = {role: picks.tolist() for role, picks in batch.picks.items()}
    assert places["sentence1"][0] == places["sentence1"][1]
    assert places["sentence1"][2] == places["sentence2"][1]


def test_a_repeated_text_gets_the_gradient_of_all_its_uses(encoder: Encoder):
    data = scored(6)
    batch = gather(encoder, data, layout="rows")
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
    lengths = gather(encoder, scored(12), layout="rows").packed.lengths
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


def test_a_triplet_is_each_positive_with_each_negative(encoder: Encoder):
    data = make_data(
        "pairs",
        anchor=["apple", "river", "engine"],
        positive=[["letter", "planet"], ["bridge"], ["garden"]],
        negative=[["violin"], [], ["people", "home"]],
    )
    batch = gather(encoder, data, layout="triplets")
    expected = [
        ("apple", "letter", "violin"),
        ("apple", "planet", "violin"),
        ("engine", "garden", "people"),
        ("engine", "garden", "home"),
    ]
    for role, texts in zip(batch.picks, zip(*expected, strict=True), strict=True):
        assert spelt(batch, batch.picks[role]) == ids_of(encoder, list(texts))
    assert list(batch.picks) == ["anchor", "positive", "negative"]
    assert batch.collides is None
    assert batch.masked == 0
    # a row without a negative makes no triplet, and its texts are not embedded
    assert len(batch.packed) == 2 + 2 + 1 + 3


several = st.lists(st.sampled_from(TEXTS), max_size=3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(TEXTS), several, several), min_size=1, max_size=6))
def test_triplets_are_those_of_three_loops(encoder: Encoder, rows):
    rows = [(a, positives or ["bridge"], negatives) for a, positives, negatives in rows]
    rows.append(("home", ["garden"], ["violin"]))  # so that there is one triplet
    anchors, positives, negatives = (list(column) for column in zip(*rows, strict=True))
    data = make_data("pairs", anchor=anchors, positive=positives, negative=negatives)
    batch = gather(encoder, data, layout="triplets")
    expected = [(a, p, n) for a, own, others in rows for p in own for n in others]
    found = zip(*(spelt(batch, picks) for picks in batch.picks.values()), strict=True)
    wanted = zip(*(ids_of(encoder, list(c)) for c in zip(*expected, strict=True)), strict=True)
    assert list(found) == list(wanted)


def test_candidates_are_the_positive_and_then_the_negatives(encoder: Encoder):
    data = distilled(5)
    batch = gather(encoder, data, layout="candidates")
    assert batch.picks["anchor"].shape == (5,)
    assert batch.picks["candidates"].shape == (5, 3)
    texts = [
        text
        for i, negatives in enumerate(data.text_lists("negative"))
        for text in (data.texts("positive")[i], *negatives)
    ]
    assert spelt(batch, batch.picks["candidates"]) == ids_of(encoder, texts)
    assert spelt(batch, batch.picks["anchor"]) == ids_of(encoder, data.texts("anchor"))
    assert batch.values["scores"].tolist() == data.score_lists().tolist()
    assert batch.collides is None


def test_the_scores_of_candidates_follow_their_rows(encoder: Encoder):
    data = distilled(6)
    examples = build_examples(encoder, data)
    rows = np.array([4, 0, 5])
    batch = collate(examples, rows, layout="candidates", device=CPU)
    assert batch.values["scores"].tolist() == data.score_lists()[rows].tolist()


def test_labels_are_numbered_in_sorted_order(encoder: Encoder):
    batch = gather(encoder, labelled(6, names=("river", "apple", "engine")), layout="rows")
    assert batch.values["label"].tolist() == [2, 0, 1, 2, 0, 1]
    assert batch.values["label"].dtype == torch.int64


def test_labels_that_are_numbers_stay(encoder: Encoder):
    data = make_data(
        "pair-labels", sentence1=["apple", "river"], sentence2=["a", "b"], label=[1, 0]
    )
    assert gather(encoder, data, layout="rows").values["label"].tolist() == [1, 0]


def test_a_batch_knows_its_step_and_its_texts(encoder: Encoder):
    data = scored(8)
    examples = build_examples(encoder, data)
    rows = np.array([6, 1])
    batch = collate(examples, rows, layout="rows", device=CPU, step=17)
    assert batch.step == 17
    assert batch.rows.tolist() == [6, 1]
    for role, picks in batch.picks.items():
        texts = examples.texts.take(batch.texts[picks.numpy()]).to_pylist()
        assert texts == [data.texts(role)[row] for row in rows]


def test_a_batch_without_a_negative_says_so(encoder: Encoder):
    alike = make_data("pairs", anchor=["apple", "apple"], positive=["river", "River."])
    assert gather(encoder, alike).tells_nothing_apart
    assert not gather(encoder, pairs(2)).tells_nothing_apart
    assert not gather(encoder, pairs(2), layout="rows").tells_nothing_apart
