from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from likewise.text.noise import (
    NOISES,
    Words,
    delete,
    find_words,
    frequency_chances,
    mask,
    swap,
    word_chances,
)
from likewise.text.words import Pieces

# ids 0 to 3 are special, 2 is the mask; odd ids go on with a word, even ones begin one
VOCABULARY, MASK, FIRST, BEGIN, END = 40, 2, 4, 0, 1
NUMBERS = np.arange(VOCABULARY)
PIECES = Pieces(
    begins=NUMBERS % 2 == 0,
    ends=np.zeros(VOCABULARY, dtype=bool),
    special=NUMBERS < FIRST,
    mask_id=MASK,
)

a_text = st.lists(st.integers(FIRST, VOCABULARY - 1), min_size=1, max_size=12)
texts_of = st.lists(a_text, min_size=1, max_size=6)
seeds = st.integers(0, 2**32 - 1)
ratios = st.floats(0.01, 0.99)


def lay_out(texts: list[list[int]], *, front: int = 0) -> Words:
    """Each text between two special tokens."""
    whole = [[BEGIN, *text, END] for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(text) for text in whole])])
    return find_words(np.concatenate(whole).astype(np.int64), starts, PIECES, front=front)


def equal(words: Words, ratio: float) -> NDArray[np.float64]:
    return np.full(len(words), ratio)


def cut(ids: NDArray[np.int64], starts: NDArray[np.int64]) -> list[list[int]]:
    return [text.tolist() for text in np.split(ids, starts[1:-1])]


def spelt(words: Words) -> list[list[tuple[int, ...]]]:
    """The words of each text, as their ids; special tokens left out."""
    found: list[list[tuple[int, ...]]] = [[] for _ in range(len(words.starts) - 1)]
    for word, text in enumerate(words.texts.tolist()):
        found[text].append(tuple(words.ids[words.words == word].tolist()))
    return found


def by_name(name: str, words: Words, ratio: float, seed: int) -> list[list[int]]:
    noise = NOISES[name]
    ids, starts = noise.damage(words, equal(words, ratio), np.random.default_rng(seed))
    return cut(ids, starts)


def test_a_word_is_its_first_piece_and_those_that_go_on():
    words = lay_out([[4, 5, 7, 6], [9, 8]])
    assert words.words.tolist() == [-1, 0, 0, 0, 1, -1, -1, 2, 3, -1]
    assert words.texts.tolist() == [0, 0, 1, 1]


def test_a_prompt_is_no_word():
    words = lay_out([[4, 6, 5, 8]], front=3)
    assert words.words.tolist() == [-1, -1, -1, 0, 1, -1]  # what goes on behind it is a word


@given(texts_of, ratios, seeds)
def test_deletion_keeps_the_order_whole_words_and_one_word_of_each_text(
    texts: list[list[int]], ratio: float, seed: int
):
    words = lay_out(texts)
    left = by_name("delete", words, ratio, seed)
    for before, after in zip(spelt(words), left, strict=True):
        assert (after[0], after[-1]) == (BEGIN, END)
        rest = tuple(after[1:-1])
        read = {
            0
        }  # how much of the rest some words up to here can account for, all or none of each
        for word in before:
            read |= {i + len(word) for i in read if rest[i : i + len(word)] == word}
        assert rest
        assert len(rest) in read


@given(texts_of, ratios, seeds)
def test_masking_hides_whole_words_in_their_place_and_never_all_of_a_text(
    texts: list[list[int]], ratio: float, seed: int
):
    words = lay_out(texts)
    ids, starts = mask(words, equal(words, ratio), np.random.default_rng(seed))
    assert starts.tolist() == words.starts.tolist()
    hidden = ids != words.ids
    assert set(ids[hidden].tolist()) <= {MASK}
    assert not hidden[words.words < 0].any()
    for word in range(len(words)):
        assert len(set(hidden[words.words == word].tolist())) == 1
    for text in range(len(texts)):
        of_text = np.isin(words.words, np.flatnonzero(words.texts == text))
        assert not hidden[of_text].all()


@given(texts_of, ratios, seeds)
def test_swapping_moves_whole_words_by_one_place_within_their_text(
    texts: list[list[int]], ratio: float, seed: int
):
    words = lay_out(texts)
    ids, starts = swap(words, equal(words, ratio), np.random.default_rng(seed))
    assert starts.tolist() == words.starts.tolist()
    for before, after in zip(spelt(words), cut(ids, starts), strict=True):
        assert (after[0], after[-1]) == (BEGIN, END)
        assert any(
            [i for word in order for i in word] == after[1:-1] for order in neighbours(before)
        )


def neighbours(words: list[tuple[int, ...]]) -> list[list[tuple[int, ...]]]:
    """Every order in which some pairs of neighbours, which do not overlap, are exchanged."""
    if len(words) < 2:
        return [words]
    kept = [[words[0], *rest] for rest in neighbours(words[1:])]
    return kept + [[words[1], words[0], *rest] for rest in neighbours(words[2:])]


@pytest.mark.parametrize("name", NOISES)
@given(texts=texts_of, ratio=ratios, seed=seeds)
@settings(max_examples=25)
def test_the_same_draw_damages_alike_and_leaves_the_original(
    name: str, texts: list[list[int]], ratio: float, seed: int
):
    words = lay_out(texts)
    before = words.ids.copy()
    assert by_name(name, words, ratio, seed) == by_name(name, words, ratio, seed)
    assert words.ids.tolist() == before.tolist()


@pytest.mark.parametrize("name", NOISES)
def test_other_draws_damage_in_other_ways(name: str):
    words = lay_out([[4, 6, 8, 10, 12, 14, 16, 18]] * 4)
    assert len({str(by_name(name, words, 0.6, seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize("name", NOISES)
def test_a_text_without_words_stays_as_it_is(name: str):
    noise = NOISES[name]
    words = find_words(np.array([BEGIN, END]), np.array([0, 2]), PIECES)
    ids, starts = noise.damage(words, np.zeros(0), np.random.default_rng(0))
    assert (ids.tolist(), starts.tolist()) == ([BEGIN, END], [0, 2])


@pytest.mark.parametrize("ratio", [0.2, 0.6, 0.9])
def test_the_ratio_holds_on_average(ratio: float):
    """Within four standard deviations of a binomial share; texts are long, so that few lose all."""
    words = lay_out([[FIRST + 2 * (i % 18) for i in range(100)]] * 100)
    n, draw = len(words), np.random.default_rng(1)
    allowed = 4 * np.sqrt(ratio * (1 - ratio) / n)
    ids, _ = delete(words, equal(words, ratio), draw)
    assert 1 - (len(ids) - 200) / n == pytest.approx(ratio, abs=allowed)
    ids, _ = mask(words, equal(words, ratio), draw)
    assert (ids == MASK).mean() * len(ids) / n == pytest.approx(ratio, abs=allowed)
    ids, _ = swap(words, equal(words, ratio), draw)  # half of the words are the first of a pair
    assert (ids != words.ids).mean() * len(ids) / n == pytest.approx(ratio, abs=0.02 + 2 * allowed)


def test_of_a_text_that_would_lose_all_any_word_may_be_the_one_that_stays():
    words = lay_out([[4, 6, 8]])
    left = Counter(by_name("delete", words, 0.999, seed)[0][1] for seed in range(300))
    assert set(left) == {4, 6, 8}
    assert min(left.values()) > 60  # 100 on average; 60 is five standard deviations below


def test_without_a_mask_nothing_can_be_hidden():
    words = lay_out([[4, 6]])
    bare = Words(ids=words.ids, starts=words.starts, words=words.words, texts=words.texts)
    with pytest.raises(ValueError, match="no token that hides"):
        mask(bare, equal(bare, 0.5), np.random.default_rng(0))


def test_a_word_has_the_chance_of_its_rarest_piece():
    chances = np.linspace(0, 1, VOCABULARY)
    words = lay_out([[20, 5, 31], [8]])
    assert word_chances(words, chances).tolist() == [chances[5], chances[8]]


@given(seed=seeds, ratio=st.floats(0.1, 0.9))
@settings(max_examples=25, deadline=None)
def test_frequent_words_go_more_often_and_the_mean_is_the_ratio(seed: int, ratio: float):
    draw = np.random.default_rng(seed)
    shares = 1 / np.arange(1, 19)  # Zipf
    text = FIRST + 2 * draw.choice(18, 4000, p=shares / shares.sum())
    words = lay_out([text.tolist()])
    chances = frequency_chances(words, VOCABULARY, ratio)
    assert word_chances(words, chances).mean() == pytest.approx(ratio, abs=1e-6)
    counts = np.bincount(text, minlength=VOCABULARY)
    order = np.argsort(counts)
    assert (np.diff(chances[order]) >= 0).all()


def test_frequencies_follow_the_formula_of_word2vec():
    """Two words, 90 and 10 of 100: 1 - sqrt(t / f), with the t at which half of all go.

    0.9 (1 - sqrt(t / 0.9)) + 0.1 (1 - sqrt(t / 0.1)) = 0.5 gives sqrt(t) (sqrt(0.9) + sqrt(0.1))
    = 0.5, where both chances are over 0.
    """
    words = lay_out([[4] * 90 + [6] * 10])
    root = 0.5 / (np.sqrt(0.9) + np.sqrt(0.1))
    expected = [1 - root / np.sqrt(0.9), 1 - root / np.sqrt(0.1)]
    assert expected[1] < 0  # the rare word would go less than never: it stays
    root = (0.9 - 0.5) / np.sqrt(0.9)
    found = frequency_chances(words, VOCABULARY, 0.5)
    assert found[[4, 6]] == pytest.approx([1 - root / np.sqrt(0.9), 0.0], abs=1e-9)
