"""Rows for a cross-encoder: the pairs of a batch, and the lists of candidates of each anchor."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.data.dataset import Dataset
from likewise.models.cross_encoder import CrossEncoder
from likewise.training.batch import Batch
from likewise.training.pair_batch import PairRows, build_pair_examples, collate_pairs, limited
from training.small_runs import make_data, nli, pairs, scored, triplets

CPU = torch.device("cpu")
# near-duplicates differ in case and punctuation only
TEXTS = ["apple", "Apple.", "river", "river!", "engine", "letter", "planet"]


@pytest.fixture(scope="module")
def cross(new_cross) -> CrossEncoder:
    return new_cross()


def source_of(cross: CrossEncoder, data: Dataset, **fields) -> PairRows:
    examples = build_pair_examples(cross, data)
    return PairRows(examples=examples, tokenizer=cross.pairs, **fields)


def gather(cross: CrossEncoder, data: Dataset, *, step: int = 0, **fields) -> Batch:
    """All rows as one batch."""
    source = source_of(cross, data, **fields)
    return collate_pairs(source, np.arange(len(data)), device=CPU, step=step)


def lists_of(cross: CrossEncoder, data: Dataset, *, step: int = 0, **fields) -> Batch:
    return gather(cross, data, step=step, form="lists", **fields)


def spelt(batch: Batch, place: int) -> list[int]:
    starts = batch.packed.starts
    ids: list[int] = batch.packed.ids[starts[place] : starts[place + 1]].tolist()
    return ids


def joined(cross: CrossEncoder, *texts: str) -> list[int]:
    (ids,) = cross.pairs.tokenize_pairs([(texts[0], texts[1])]).ids
    found: list[int] = ids.tolist()
    return found


def drawn_texts(
    cross: CrossEncoder, data: Dataset, batch: Batch, *, given: int = 0
) -> list[list[str]]:
    """The texts of each list after its own positive and negatives, by their ids."""
    found = []
    for i, anchor in enumerate(data.texts("anchor")):
        known = {
            tuple(joined(cross, anchor, text)): text
            for texts in data.text_lists("positive")
            for text in texts
        }
        first = len(data.text_lists("positive")[i]) + given
        mask, picks = batch.values["mask"][i], batch.picks["pairs"][i]
        places = picks[mask].tolist()[first:]
        found.append([known[tuple(spelt(batch, place))] for place in places])
    return found


@given(st.permutations(range(12)), st.sampled_from([scored, nli]))
@settings(max_examples=10, deadline=None)
def test_every_row_finds_its_pair(cross: CrossEncoder, order: list[int], make):
    data = make(12)
    batch = collate_pairs(source_of(cross, data), np.array(order), device=CPU)
    first, second = (data.texts(role) for role in data.text_roles())
    assert batch.rows.tolist() == order
    assert batch.picks["pairs"].shape == (12,)
    for row, place in zip(order, batch.picks["pairs"].tolist(), strict=True):
        assert spelt(batch, place) == joined(cross, first[row], second[row])


def test_targets_come_in_the_order_of_the_rows(cross: CrossEncoder):
    rows = np.array([3, 0, 2])
    batch = collate_pairs(source_of(cross, scored(6)), rows, device=CPU, step=7)
    assert batch.values["score"].tolist() == [0.2, 1.0, 1.0]  # 1, 5 and 5 of 5
    labels = collate_pairs(source_of(cross, nli(6)), rows, device=CPU).values["label"]
    assert labels.tolist() == [0, 0, 2]
    assert batch.step == 7


def test_a_repeated_pair_is_computed_once_and_its_mirror_is_another(cross: CrossEncoder):
    data = make_data(
        "scored",
        sentence1=["apple", "apple", "river", "apple"],
        sentence2=["river", "river", "apple", "engine"],
        score=[0.0, 0.5, 1.0, 0.2],
        score_range=(0.0, 1.0),
    )
    batch = gather(cross, data)
    picks = batch.picks["pairs"].tolist()
    assert len(batch.packed) == 3
    assert picks[0] == picks[1]
    assert len(set(picks)) == 3
    assert batch.values["score"].tolist() == [0.0, 0.5, 1.0, 0.2]


@pytest.mark.parametrize("form", ["pairs", "lists"])
def test_pairs_come_shortest_first_with_their_segments(cross: CrossEncoder, form: str):
    data = make_data(
        "pairs",
        anchor=["how do people paint", "river", "an apple", "the engine"],
        positive=["a guide", "people repair the engine every day", "a letter", "home"],
    )
    batch = gather(cross, data, form=form, negatives=2)
    lengths = batch.packed.lengths.tolist()
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 1
    for place in range(len(batch.packed)):
        ids = spelt(batch, place)
        second = ids.index(3) + 1  # after the [SEP] behind the first text
        start = int(batch.packed.starts[place])
        types = batch.packed.segments[start : start + len(ids)].tolist()
        assert types == [0] * second + [1] * (len(ids) - second)


@pytest.mark.parametrize("make", [scored, nli])
def test_a_logit_is_that_of_predicting(cross: CrossEncoder, make):
    data = make(12)
    batch = gather(cross, data)
    with torch.no_grad():
        found = cross.embed(batch.packed)[batch.picks["pairs"]]
    texts = list(zip(*(data.texts(role) for role in data.text_roles()), strict=True))
    expected = torch.from_numpy(cross.predict(texts, activation="identity", precision="float32"))
    torch.testing.assert_close(found.squeeze(-1), expected, rtol=0, atol=1e-4)
    assert expected.std() > 0.01


@pytest.mark.parametrize("form", ["pairs", "lists"])
def test_the_models_prompt_stands_before_the_first_text_as_in_predicting(new_cross, form):
    cross = new_cross()
    prompts = {"ask": "how do people: "}
    cross.contents = replace(cross.contents, prompts=prompts, default_prompt="ask")
    data = pairs(5)
    batch = gather(cross, data, form=form)
    with torch.no_grad():
        found = cross.embed(batch.packed)[batch.picks["pairs"].view(5, -1)[:, 0]].squeeze(-1)
    texts = list(zip(data.texts("anchor"), data.texts("positive"), strict=True))
    expected = torch.from_numpy(cross.predict(texts, activation="identity", precision="float32"))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    cross.contents = replace(cross.contents, default_prompt=None)
    assert not np.allclose(cross.predict(texts, activation="identity"), expected, atol=0.01)


def test_a_list_has_the_positive_first_and_then_the_given_negatives(cross: CrossEncoder):
    data = triplets(6)
    batch = lists_of(cross, data)
    assert batch.picks["pairs"].shape == (6, 3)
    assert batch.values["mask"].all()
    assert batch.values["grades"].tolist() == [[1.0, 0.0, 0.0]] * 6
    for i, anchor in enumerate(data.texts("anchor")):
        texts = [data.texts("positive")[i], *data.text_lists("negative")[i]]
        for place, text in zip(batch.picks["pairs"][i].tolist(), texts, strict=True):
            assert spelt(batch, place) == joined(cross, anchor, text)


def test_lists_of_several_lengths_are_masked_to_the_longest(cross: CrossEncoder):
    data = make_data(
        "pairs",
        anchor=["apple", "river", "engine"],
        positive=[["letter", "planet"], ["bridge"], ["garden"]],
        negative=[["violin"], [], ["people", "home", "every"]],
    )
    batch = lists_of(cross, data)
    assert batch.values["mask"].tolist() == [
        [True, True, True, False],
        [True, False, False, False],
        [True, True, True, True],
    ]
    assert batch.values["grades"].tolist() == [
        [1.0, 1.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0],
    ]
    assert len(batch.packed) == 3 + 1 + 4
    picks, mask = batch.picks["pairs"], batch.values["mask"]
    assert sorted(picks[mask].tolist()) == list(range(8))
    assert ((picks >= 0) & (picks < 8)).all()  # what is masked can be gathered all the same


def slow_strangers(data: Dataset, i: int) -> set[str]:
    """What may be drawn for row i, near-duplicates as one."""
    anchors, positives = data.texts("anchor"), data.text_lists("positive")
    own = {fold(anchors[i])}
    for anchor, texts in zip(anchors, positives, strict=True):
        if fold(anchor) == fold(anchors[i]):
            own |= {fold(text) for text in texts}
    return {fold(text) for texts in positives for text in texts} - own


def fold(text: str) -> str:
    return text.strip("!.").lower()


some_rows = st.lists(
    st.tuples(
        st.sampled_from(TEXTS), st.lists(st.sampled_from(TEXTS), min_size=1, max_size=2)
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(some_rows, st.integers(0, 5), st.integers(0, 99))
def test_a_drawn_negative_is_no_answer_and_no_near_duplicate(
    cross: CrossEncoder, rows, negatives: int, step: int
):
    anchors, positives = (list(column) for column in zip(*rows, strict=True))
    data = make_data("pairs", anchor=anchors, positive=positives)
    batch = lists_of(cross, data, negatives=negatives, seed=1, step=step)
    for i, drawn in enumerate(drawn_texts(cross, data, batch)):
        allowed = slow_strangers(data, i)
        assert {fold(text) for text in drawn} <= allowed
        assert len({fold(text) for text in drawn}) == len(drawn)  # each near-duplicate once
        assert len(drawn) == min(negatives, len(allowed))  # and as many as there are
    assert (batch.values["grades"].sum(dim=1) == torch.tensor([len(p) for p in positives])).all()


def test_an_answer_that_stands_outside_the_batch_is_not_drawn(cross: CrossEncoder):
    data = make_data(
        "pairs", anchor=["apple", "river", "Apple."], positive=["engine", "letter", "Letter!"]
    )
    source = source_of(cross, data, form="lists", negatives=3)
    batch = collate_pairs(source, np.array([0, 1]), device=CPU)
    # the letter answers the apple too; the river may have the engine
    assert batch.values["mask"].tolist() == [[True, False], [True, True]]


def test_draws_come_from_the_answers_of_the_batch_alone(cross: CrossEncoder):
    data = pairs(24)
    source = source_of(cross, data, form="lists", negatives=99)
    batch = collate_pairs(source, np.arange(5), device=CPU)
    assert batch.picks["pairs"].shape == (5, 5)
    assert len(batch.packed) == 25


def test_drawn_negatives_stand_behind_the_given_ones(cross: CrossEncoder):
    data = triplets(6)
    batch = lists_of(cross, data, negatives=2)
    assert batch.picks["pairs"].shape == (6, 5)
    drawn = drawn_texts(cross, data, batch, given=2)
    positives = data.texts("positive")
    assert all(len(texts) == 2 for texts in drawn)
    assert all(
        text in positives and text != own
        for texts, own in zip(drawn, positives, strict=True)
        for text in texts
    )


@given(st.integers(0, 2**32), st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_a_draw_depends_on_seed_and_step_alone(cross: CrossEncoder, seed: int, step: int):
    data = pairs(12)
    batch = lists_of(cross, data, negatives=3, seed=seed, step=step)
    source = source_of(cross, data, form="lists", negatives=3, seed=seed)
    collate_pairs(source, np.arange(6), device=CPU, step=step + 1)  # what came before is nothing
    again = collate_pairs(source, np.arange(12), device=CPU, step=step)
    assert torch.equal(batch.packed.ids, again.packed.ids)
    assert torch.equal(batch.picks["pairs"], again.picks["pairs"])


def test_another_step_and_another_seed_draw_others(cross: CrossEncoder):
    data = pairs(12)
    batches = [
        lists_of(cross, data, negatives=3, seed=seed, step=step)
        for seed, step in ((0, 0), (0, 1), (1, 0))
    ]
    drawn = {str(drawn_texts(cross, data, batch)) for batch in batches}
    assert len(drawn) == 3


def test_each_text_is_tokenised_once_without_special_tokens(cross: CrossEncoder):
    data = scored(24)
    examples = build_pair_examples(cross, data)
    assert len(examples) == 24
    assert len(examples.ids) == len(data.all_texts())
    for ids, text in zip(examples.ids, examples.texts.to_pylist(), strict=True):
        (expected,) = cross.pairs.tokenize([text])
        assert np.array_equal(ids, expected)
        assert not {2, 3} & set(ids.tolist())  # [CLS], [SEP]


def test_near_duplicates_share_a_cluster_whatever_their_prompt(new_cross):
    cross = new_cross()
    cross.contents = replace(cross.contents, prompts={"ask": "how: "}, default_prompt="ask")
    data = make_data("pairs", anchor=["apple", "river"], positive=["APPLE!", "engine"])
    examples = build_pair_examples(cross, data)
    anchor, positive = (examples.columns[role][:, 0] for role in ("anchor", "positive"))
    assert examples.cluster[anchor[0]] == examples.cluster[positive[0]]
    assert examples.prompts == {"anchor": "how: ", "positive": ""}


@pytest.mark.parametrize("make", [scored, triplets])
@pytest.mark.parametrize("max_tokens", [None, 12, 17, 99])
def test_cut_pairs_are_counted_as_they_are_cut(cross: CrossEncoder, make, max_tokens):
    data = make(12)
    cut = build_pair_examples(cross, data, max_tokens=max_tokens).cut
    tokenizer = limited(cross.pairs, max_tokens)
    first, *others = data.text_roles()
    for role in others:
        asked = [
            (one, text)
            for one, texts in zip(data.texts(first), data.text_lists(role), strict=True)
            for text in texts
        ]
        assert cut[f"{first} with {role}"] == tokenizer.tokenize_pairs(asked).cut
    if max_tokens == 12:
        assert all(count > 0 for count in cut.values())
    if max_tokens == 99:
        assert not any(cut.values())  # the model's own limit is the lower one


def test_a_limit_of_the_run_cuts_earlier_and_never_later(cross: CrossEncoder):
    assert limited(cross.pairs, None) is cross.pairs
    assert limited(cross.pairs, 999) is cross.pairs
    short = limited(cross.pairs, 9)
    assert (short.max_tokens, cross.pairs.max_tokens) == (9, cross.max_tokens)
    source = replace(source_of(cross, scored(8)), tokenizer=short)
    lengths = collate_pairs(source, np.arange(8), device=CPU).packed.lengths
    assert lengths.tolist() == [9] * 8


@pytest.mark.parametrize("max_tokens", [None, 11])
@pytest.mark.parametrize(
    ("make", "negatives"), [(scored, 0), (nli, 0), (pairs, 3), (triplets, 0), (triplets, 2)]
)
def test_the_tokens_of_a_row_are_those_that_its_pairs_have(
    cross: CrossEncoder, make, negatives: int, max_tokens: int | None
):
    data = make(12)
    examples = build_pair_examples(cross, data, max_tokens=max_tokens, negatives=negatives)
    source = PairRows(
        examples=examples,
        tokenizer=limited(cross.pairs, max_tokens),
        form="lists" if make in {pairs, triplets} else "pairs",
        negatives=negatives,
    )
    batch = collate_pairs(source, np.arange(12), device=CPU)
    # a drawn answer may be a given negative too, and is computed once
    assert 12 * examples.row_tokens == pytest.approx(len(batch.packed.ids), rel=0.1)
