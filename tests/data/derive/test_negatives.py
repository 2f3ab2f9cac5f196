import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from data.derive.conftest import dataset
from likewise.data.clusters import normalise
from likewise.data.derive import with_easy_negatives, with_negatives
from likewise.data.derive.negatives import deal_negatives


def pairs_of(n):
    return dataset(
        "pairs", anchor=[f"a{i}" for i in range(n)], positive=[f"p{i}" for i in range(n)]
    )


def allowed(data, row):
    """Every answer that is not right for a row, the long way."""
    anchors = [normalise(text) for text in data.texts("anchor")]
    answers = data.text_lists("positive")
    group = data.numbers("group") if "group" in data.roles else range(len(data))
    negatives = data.text_lists("negative")[row] if "negative" in data.roles else []
    wrong = {anchors[row], *(normalise(text) for text in negatives)}
    for other, texts in enumerate(answers):
        if anchors[other] == anchors[row]:
            wrong |= {normalise(text) for text in texts}
    return {
        normalise(text)
        for other, texts in enumerate(answers)
        if group[other] != group[row]
        for text in texts
    } - wrong


@st.composite
def pairs(draw):
    n = draw(st.integers(1, 12))
    word = st.integers(0, 6).map(lambda i: f"w{i}")
    columns = {
        "anchor": draw(st.lists(word, min_size=n, max_size=n)),
        "positive": draw(st.lists(st.lists(word, min_size=1, max_size=3), min_size=n, max_size=n)),
    }
    if draw(st.booleans()):
        columns["negative"] = draw(st.lists(st.none() | word, min_size=n, max_size=n))
    if draw(st.booleans()):
        columns["group"] = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    if columns.get("negative") == [None] * n:
        del columns["negative"]
    return dataset("pairs", **columns)


@given(pairs(), st.integers(0, 3))
def test_an_easy_negative_is_a_wrong_answer_wherever_there_is_one(data, seed):
    easy = with_easy_negatives(data, seed=seed)
    before = data.text_lists("negative") if "negative" in data.roles else [[]] * len(data)
    after = easy.text_lists("negative") if "negative" in easy.roles else [[]] * len(data)
    found = 0
    for row in range(len(data)):
        right = allowed(data, row)
        new = after[row][len(before[row]) :]
        assert after[row][: len(before[row])] == before[row]
        assert len(new) == bool(right)
        assert {normalise(text) for text in new} <= right
        found += len(new)
    assert next(n.count for n in easy.notes if "random answer" in n.text) == found


def test_the_seed_decides():
    data = pairs_of(50)
    one, again, other = (with_easy_negatives(data, seed=seed) for seed in (1, 1, 2))
    assert one.fingerprint == again.fingerprint != other.fingerprint


def test_every_answer_is_drawn_alike():
    easy = with_easy_negatives(pairs_of(2000), seed=0)
    drawn = [int(text[1:]) for text in easy.texts("negative")]
    # the mean of 2,000 uniform draws from 0 to 1,999: a standard deviation is 13
    assert abs(np.mean(drawn) - 999.5) < 60


def test_where_every_answer_is_right_there_is_none_and_it_is_said():
    data = dataset("pairs", anchor=["a", "A!"], positive=["p", "q"])
    easy = with_easy_negatives(data, seed=0)
    assert easy.roles == ("anchor", "positive")
    assert easy.notes[-1].count == 2
    assert "every answer is right" in easy.notes[-1].text


def test_a_row_with_few_wrong_answers_finds_them():
    n = 300
    data = dataset(
        "pairs",
        anchor=["same"] * n + ["other"],
        positive=[f"p{i}" for i in range(n)] + ["the only wrong one"],
    )
    negatives = with_easy_negatives(data, seed=0).texts("negative")
    assert set(negatives[:n]) == {"the only wrong one"}


def test_negatives_are_added_behind_those_that_are_there():
    data = pairs_of(3)
    one = with_negatives(data, [["x"], [], ["y"]])
    assert one.texts("negative") == ["x", None, "y"]
    assert one.roles == ("anchor", "positive", "negative")
    two = with_negatives(one, [["z"], ["w"], []])
    assert two.text_lists("negative") == [["x", "z"], ["w"], ["y"]]
    assert pa.types.is_large_list(two.table.column("negative").type)
    assert with_negatives(data, [[], [], []]) is data


def test_wrong_answers_are_dealt_in_turn_and_never_against_a_right_one():
    anchors, answers = np.array([0, 0, 0, 1]), np.array([10, 11, 12, 13])
    wrong = np.array([0, 0, 0, 2]), np.array([20, 11, 21, 22])
    dealt = deal_negatives((anchors, answers), wrong, seed=0)
    assert dealt[3] is None
    assert set(dealt[:3]) == {0, 2}  # the second is right for another pair of the anchor
    assert dealt[0] == dealt[2] != dealt[1]
