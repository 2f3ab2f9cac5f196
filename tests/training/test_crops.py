import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.errors import InputError
from likewise.training.crops import Shares, count_single_words, crop
from training.small_runs import make_data

WORDS = st.lists(st.sampled_from(["apple", "river,", "C#", "élan", "x"]), min_size=2, max_size=30)


@settings(deadline=None)
@given(WORDS, st.integers(0, 99), st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_a_crop_is_a_stretch_of_words_of_the_length_asked(words, seed, one, other):
    shares = Shares(least=min(one, other), most=max(one, other))
    found = crop(" ".join(words), np.random.default_rng(seed), shares).split()
    assert any(words[i : i + len(found)] == found for i in range(len(words)))
    assert max(round(len(words) * shares.least), 1) <= len(found)
    assert len(found) <= max(round(len(words) * shares.most), 1)


def test_what_stands_between_words_stays():
    text = "one,  two\nthree\tfour"
    draw = np.random.default_rng(1)
    assert all(crop(text, draw, Shares()) in text for _ in range(20))


def test_every_stretch_comes_up():
    text, draw = "a b c d", np.random.default_rng(0)
    found = {crop(text, draw, Shares(least=0.5, most=0.5)) for _ in range(100)}
    assert found == {"a b", "b c", "c d"}


def test_the_same_generator_gives_the_same_crops():
    text = " ".join(map(str, range(40)))
    first, second = (
        [crop(text, draw, Shares()) for _ in range(9)]
        for draw in (np.random.default_rng(5), np.random.default_rng(5))
    )
    assert first == second
    assert len(set(first)) > 5


def test_of_chinese_and_japanese_every_sign_is_a_word():
    draw = np.random.default_rng(0)
    found = {crop("東京は首都", draw, Shares(least=0.4, most=0.4)) for _ in range(60)}
    assert found == {"東京", "京は", "は首", "首都"}
    mixed = crop("東京 Tokyo is", np.random.default_rng(0), Shares(least=1, most=1))
    assert mixed == "東京 Tokyo is"


@pytest.mark.parametrize("text", ["", " ", "word", "word!", " word "])
def test_a_text_of_one_word_is_its_own_crop(text):
    assert crop(text, np.random.default_rng(0), Shares()) == text


def test_no_more_words_are_cut_out_than_asked():
    text = " ".join(map(str, range(1000)))
    found = crop(text, np.random.default_rng(0), Shares(least=0.9, most=1.0), most=7)
    assert re.fullmatch(r"\d+( \d+){6}", found)


@pytest.mark.parametrize(("least", "most"), [(0, 0.5), (-1, 0.5), (0.6, 0.5), (0.5, 1.1)])
def test_shares_out_of_range_are_refused(least, most):
    with pytest.raises(InputError, match=f"found {least} to {most}") as caught:
        Shares(least=least, most=most)
    assert "min_share" in caught.value.mend


def test_texts_with_nothing_to_crop_are_counted():
    data = make_data("texts", text=["one two", "one", "", "東京", "東", "a b c"])
    assert count_single_words(data) == 3
