import numpy as np
import pytest

from evaluation.conftest import random_vectors
from likewise.errors import LikewiseError
from likewise.mining.vectors import TimedEmbed, checked_vectors, unit


class Model:
    """Has `encode` and prompts, and keeps what it was asked."""

    def __init__(self, prompts: dict[str, str]):
        self.prompts = prompts
        self.asked: list[tuple[list[str], dict]] = []

    def encode(self, texts, **options):
        self.asked.append((list(texts), options))
        return random_vectors()([options.get("prompt", "") + text for text in texts])


def test_prompts_are_chosen_by_role_where_they_exist():
    model = Model({"query": "find: ", "passage": "text: ", "other": "x"})
    embed = TimedEmbed(model)
    for role in ("query", "document", None):
        embed(["a"], role=role)
    assert [options for _, options in model.asked] == [
        {"prompt": "find: "},
        {"prompt": "text: "},
        {},
    ]


def test_a_model_without_prompts_is_given_none():
    model = Model({})
    TimedEmbed(model, precision="bfloat16", progress=True)(["a"], role="query")
    assert model.asked == [(["a"], {"precision": "bfloat16", "progress": True})]


def test_each_distinct_text_is_embedded_once():
    model = Model({})
    embed = TimedEmbed(model)
    vectors = embed(["a", "b", "a"], role="query")
    again = embed(["c", "b", "b"], role="document")
    assert [texts for texts, _ in model.asked] == [["a", "b"], ["c"]]
    np.testing.assert_array_equal(vectors, random_vectors()(["a", "b", "a"]))
    np.testing.assert_array_equal(again, random_vectors()(["c", "b", "b"]))
    assert embed.texts == 3
    assert embed.seconds > 0
    np.testing.assert_array_equal(embed(["b", "a"]), random_vectors()(["b", "a"]))
    assert embed.texts == 3


def test_a_text_with_another_prompt_is_another_text():
    model = Model({"query": "find: "})
    embed = TimedEmbed(model)
    query, document = embed(["a"], role="query"), embed(["a"], role="document")
    assert len(model.asked) == 2
    assert not np.array_equal(query, document)


def test_a_bare_function_is_told_the_role():
    roles = []

    def embed(texts, *, role=None):
        roles.append(role)
        return random_vectors()(texts)

    timed = TimedEmbed(embed)
    timed(["a"], role="query")
    timed(["a"], role="document")
    assert roles == ["query", "document"]


@pytest.mark.parametrize(
    "wrong", [np.zeros(3), np.zeros((2, 4)), np.zeros((3, 4, 5))], ids=lambda a: str(a.shape)
)
def test_an_answer_that_is_not_one_vector_a_text_is_refused(wrong):
    with pytest.raises(LikewiseError, match="expected 3 vectors"):
        checked_vectors(lambda texts, *, role=None: wrong, ["a", "b", "c"])
    with pytest.raises(LikewiseError, match="expected 3 vectors"):
        checked_vectors(TimedEmbed(lambda texts, *, role=None: wrong), ["a", "b", "c"])


def test_a_vector_that_is_not_finite_is_named_by_its_text():
    vectors = np.ones((3, 2))
    vectors[1, 0] = np.nan
    with pytest.raises(LikewiseError, match=r'1 of 3 vectors are not finite.*\n?.*"bb"'):
        checked_vectors(lambda texts, *, role=None: vectors, ["a", "bb", "c"])


def test_unit_rows_have_length_one_and_zeros_stay_zero():
    rows = unit(np.array([[3, 4], [0, 0], [1e-3, 0]], dtype=np.float32))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0], [1, 0]])
