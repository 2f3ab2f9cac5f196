"""Near-duplicates: what is found is right, and little is missed."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.data.clusters import normalise
from likewise.data.near import near_duplicates

WORDS = [a + b for a in ["ba", "ke", "lo", "mi", "nu", "ra"] for b in ["dor", "fin", "gul", "tan"]]


def sentence(draw: random.Random, n: int = 14) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(n))


def jaccard(left: str, right: str) -> float:
    a, b = (
        {raw[i : i + 5] for i in range(max(len(raw) - 4, 1))}
        for raw in (normalise(text).encode("utf-8", "surrogatepass") for text in (left, right))
    )
    return len(a & b) / len(a | b)


def test_a_letter_more_or_less_is_found_and_other_texts_are_not():
    texts = [
        "A man is playing a large flute in the garden.",
        "Someone cooks rice for a family of five people.",
        "a man is playing a LARGE flute in the garden",
        "A man is playing a large flute in the gardens.",
    ]
    found = near_duplicates(texts)
    assert found.pairs.tolist() == [[2, 0], [3, 0]]
    assert found.shares[0] == 1
    assert found.shares[1] == pytest.approx(jaccard(texts[3], texts[0]))


def test_each_text_is_told_the_most_like_it_of_the_others():
    texts = ["the quick brown fox jumps over the lazy dog", "nothing like it at all here"]
    others = [
        "an unrelated line of words",
        "the quick brown fox jumps over the lazy dogs today",
        "the quick brown fox jumps over the lazy dogs",
    ]
    found = near_duplicates(texts, others, threshold=0.7)
    assert found.pairs.tolist() == [[0, 2]]


@given(st.lists(st.text(max_size=40), max_size=12), st.lists(st.text(max_size=40), max_size=12))
def test_what_is_found_shares_as_much_as_is_said(texts, others):
    found = near_duplicates(texts, others)
    for (a, b), share in zip(found.pairs.tolist(), found.shares.tolist(), strict=True):
        assert share == pytest.approx(jaccard(texts[a], others[b]))
        assert share >= 0.8
    equal = {i for i, text in enumerate(texts) if normalise(text) in map(normalise, others)}
    assert equal <= set(found.pairs[:, 0].tolist())  # equal texts are never missed


def test_of_pairs_that_share_four_fifths_hardly_one_is_missed():
    draw = random.Random(1)
    originals = [sentence(draw) for _ in range(300)]
    changed = []
    for text in originals:
        words = text.split()
        words[draw.randrange(len(words))] = "x"
        changed.append(" ".join(words))
    near = {i for i in range(300) if jaccard(originals[i], changed[i]) >= 0.8}
    found = near_duplicates(changed, originals)
    met = {a for a, b in found.pairs.tolist() if b == a}
    assert len(near) > 100
    assert len(near - met) <= 0.02 * len(near)


def test_texts_of_other_words_are_never_near():
    draw = random.Random(2)
    found = near_duplicates([sentence(draw) for _ in range(500)])
    assert len(found.pairs) == 0


def test_the_same_texts_give_the_same_pairs_however_they_are_cut(monkeypatch):
    draw = random.Random(3)
    texts = [sentence(draw) for _ in range(60)]
    texts += [f"{text} more" for text in texts[:20]]
    whole = near_duplicates(texts)
    monkeypatch.setattr("likewise.data.near.CHUNK", 100)
    pieces = near_duplicates(texts)
    np.testing.assert_array_equal(whole.pairs, pieces.pairs)
    assert {(60 + i, i) for i in range(20)} <= set(map(tuple, whole.pairs.tolist()))


@pytest.mark.parametrize("texts", [[], [""], ["a"], ["", ""], ["é", "É"]])
def test_the_shortest_texts_are_compared_too(texts):
    found = near_duplicates(texts)
    expected = [[1, 0]] if len(texts) == 2 else []
    assert found.pairs.tolist() == expected
