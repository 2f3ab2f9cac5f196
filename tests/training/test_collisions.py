"""Which candidates of a batch are no negatives, by all that the whole data says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.data.dataset import Dataset
from likewise.models.build import load
from likewise.models.encoder import Encoder
from likewise.training.collisions import find_collisions
from likewise.training.examples import build_examples
from training.small_runs import make_data

# near-duplicates differ in case and punctuation only
TEXTS = ["apple", "Apple.", "river", "river!", "engine", "letter"]
NEGATIVES = ["planet", "Planet!", "engine", "river"]


@pytest.fixture(scope="module")
def encoder(_tiny_original) -> Encoder:
    return load(_tiny_original, device="cpu")


def collisions(encoder: Encoder, data: Dataset, rows: list[int]) -> np.ndarray:
    """Of a batch with one positive a row, and one negative where the data has any."""
    examples = build_examples(encoder, data)
    entries = {role: column[rows, 0] for role, column in examples.columns.items()}
    return find_collisions(examples, entries, dict.fromkeys(entries, np.array(rows)))


def folded(text: str) -> str:
    return text.strip("!.").lower()


def slowly(data: Dataset, rows: list[int]) -> list[list[bool]]:
    """The words of the docstring, one comparison at a time."""
    anchors, positives = data.texts("anchor"), data.texts("positive")
    groups = data.labels("group") if "group" in data.roles else None
    candidates = [(row, text) for row in rows for text in [positives[row]]]
    if "negative" in data.roles:
        candidates += [(row, data.texts("negative")[row]) for row in rows]
    found = []
    for i, row in enumerate(rows):
        answers = {folded(anchors[row])}
        for j in range(len(data)):
            if folded(anchors[j]) == folded(anchors[row]):
                answers.add(folded(positives[j]))
        line = []
        for j, (owner, text) in enumerate(candidates):
            masked = folded(text) in answers
            if groups is not None:
                of_one_group = groups[owner] == groups[row]
                masked = masked or (of_one_group if j < len(rows) else not of_one_group)
            line.append(masked and i != j)
        found.append(line)
    return found


some_rows = st.lists(
    st.tuples(
        st.sampled_from(TEXTS), st.sampled_from(TEXTS), st.sampled_from(NEGATIVES),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(some_rows, st.booleans(), st.booleans(), st.data())
def test_it_is_that_of_comparing_all_with_all(encoder, rows, with_negatives, with_groups, draw):
    anchors, positives, negatives, groups = (list(column) for column in zip(*rows, strict=True))
    data = make_data(
        "pairs",
        anchor=anchors,
        positive=positives,
        **({"negative": negatives} if with_negatives else {}),
        **({"group": groups} if with_groups else {}),
    )
    order = draw.draw(st.permutations(range(len(rows))))
    batch = order[: draw.draw(st.integers(1, len(rows)))]
    assert collisions(encoder, data, batch).tolist() == slowly(data, batch)


def test_an_answer_that_stands_outside_the_batch_is_known(encoder: Encoder):
    data = make_data(
        "pairs",
        anchor=["apple", "river", "Apple!", "engine"],
        positive=["letter", "planet", "planet", "bridge"],  # the third row answers the first
    )
    assert collisions(encoder, data, [0, 1]).tolist() == [[False, True], [False, False]]
    assert not collisions(encoder, data, [0, 3]).any()


def test_a_hard_negative_that_answers_elsewhere_is_none(encoder: Encoder):
    data = make_data(
        "pairs",
        anchor=["apple", "river", "apple"],
        positive=["letter", "planet", "bridge"],
        negative=["Bridge.", "bridge", "violin"],
    )
    # the first row's own negative, and the second's, answer the first by the third row
    expected = [[False, False, True, True], [False, False, False, False]]
    assert collisions(encoder, data, [0, 1]).tolist() == expected


def test_rows_of_one_group_are_no_negatives_of_each_other(encoder: Encoder):
    data = make_data(
        "pairs",
        anchor=["apple", "river", "engine"],
        positive=["letter", "planet", "bridge"],
        negative=["violin", "garden", "people"],
        group=[1, 1, 2],
    )
    found = collisions(encoder, data, [0, 1, 2])
    assert found[:, :3].tolist() == [
        [False, True, False],
        [True, False, False],
        [False, False, False],
    ]
    # a negative was drawn from outside its own group alone
    assert found[:, 3:].tolist() == [
        [False, False, True],
        [False, False, True],
        [True, True, False],
    ]


def test_an_anchor_keeps_its_own_positive_whatever_it_repeats(encoder: Encoder):
    data = make_data("pairs", anchor=["apple", "apple"], positive=["Apple.", "apple"])
    assert collisions(encoder, data, [0, 1]).tolist() == [[False, True], [True, False]]
