import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel, WordPiece
from tokenizers.processors import TemplateProcessing

from likewise.text.masking import (
    LONGEST_WORD,
    MASKED,
    SWAPPED,
    Masked,
    Vocabulary,
    count_pieces,
    mask_tokens,
    read_vocabulary,
)
from likewise.text.noise import find_words
from likewise.text.packed import Packed, pack

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNK, CLS, SEP, MASK = range(5)
FIRST, MORE = range(5, 45), range(45, 65)  # ids that begin a word, and that go on with one


def make_tokenizer() -> Tokenizer:
    pieces = [*SPECIAL, *(f"w{i}" for i in FIRST), *(f"##m{i}" for i in MORE)]
    tokenizer = Tokenizer(WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    found = read_vocabulary(make_tokenizer(), UNK)
    assert found is not None
    return found


words = st.lists(
    st.tuples(st.sampled_from(FIRST), st.lists(st.sampled_from(MORE), max_size=4)), max_size=30
)
stream = st.lists(words, min_size=1, max_size=6).map(
    lambda texts: pack(
        [[CLS, *(i for first, more in text for i in (first, *more)), SEP] for text in texts]
    )
)


def draw_stream(texts: int, *, seed: int = 0, pieces: int = 1) -> Packed:
    """Texts of 100 words of that many pieces."""
    draw = np.random.default_rng(seed)
    return pack(
        [
            [
                CLS,
                *(i for f in draw.choice(FIRST, 100) for i in (f, *draw.choice(MORE, pieces - 1))),
            ]
            for _ in range(texts)
        ]
    )


def marked(masked: Masked) -> torch.Tensor:
    assert masked.packed.pooled is not None
    return masked.packed.pooled


def test_what_a_vocabulary_has_of_special_tokens_takes_no_part(vocabulary: Vocabulary):
    assert vocabulary.mask_id == MASK
    assert vocabulary.ordinary.tolist() == [*FIRST, *MORE]
    assert vocabulary.pieces.special[:5].all()
    assert vocabulary.unknown_id == UNK


def test_a_vocabulary_may_have_nothing_that_hides_a_token():
    tokenizer = Tokenizer(WordLevel({"one": 0, "two": 1}))
    assert read_vocabulary(tokenizer, None) is None


@settings(max_examples=60, deadline=None)
@given(packed=stream, seed=st.integers(0, 99), whole=st.booleans(), share=st.floats(0.01, 0.9))
def test_what_stood_there_can_be_put_back_and_nothing_else_has_changed(
    vocabulary: Vocabulary, packed: Packed, seed: int, whole: bool, share: float
):
    masked = mask_tokens(
        packed, vocabulary, np.random.default_rng(seed), probability=share, whole_words=whole
    )
    places = marked(masked)
    assert torch.equal(packed.ids[places], masked.tokens)
    assert torch.equal(masked.packed.ids[~places], packed.ids[~places])
    assert torch.equal(masked.packed.starts, packed.starts)
    assert set(masked.tokens.tolist()) <= set(vocabulary.ordinary.tolist())
    assert set(masked.packed.ids[places].tolist()) <= {MASK, *vocabulary.ordinary.tolist()}


@settings(max_examples=60, deadline=None)
@given(packed=stream, seed=st.integers(0, 99), share=st.floats(0.01, 0.9))
def test_words_are_chosen_as_a_whole_and_of_each_text_one_at_least(
    vocabulary: Vocabulary, packed: Packed, seed: int, share: float
):
    masked = mask_tokens(packed, vocabulary, np.random.default_rng(seed), probability=share)
    places = marked(masked).numpy()
    found = find_words(packed.ids.numpy(), packed.starts.numpy(), vocabulary.pieces)
    for word in range(len(found)):
        assert len(set(places[found.words == word])) == 1
    counts = count_pieces(packed.ids.numpy(), packed.starts.numpy(), vocabulary)
    for i in range(len(packed)):
        text = packed.slice(i, i + 1)
        chosen = int(places[packed.starts[i] : packed.starts[i + 1]].sum())
        assert counts[i] == len(text.ids) - 2
        assert (chosen > 0) == (counts[i] > 0)
        assert chosen <= max(share * counts[i], 1) + 5  # words have up to five pieces


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("share", [0.15, 0.4])
def test_the_share_of_chosen_tokens_is_what_was_asked_for(
    vocabulary: Vocabulary, pieces: int, share: float
):
    packed = draw_stream(400, pieces=pieces)
    masked = mask_tokens(packed, vocabulary, np.random.default_rng(1), probability=share)
    # a text misses its budget by part of a word, whose mean is 0: a spread of 1.5 pieces at most
    off = 4 * 1.5 / np.sqrt(400) / (100 * pieces)
    assert len(masked.tokens) / (400 * 100 * pieces) == pytest.approx(share, abs=off)


def test_eight_of_ten_are_hidden_one_is_swapped_and_one_stays(vocabulary: Vocabulary):
    packed = draw_stream(600)
    masked = mask_tokens(packed, vocabulary, np.random.default_rng(2), probability=0.5)
    shown, total = masked.packed.ids[marked(masked)], len(masked.tokens)
    spread = 4 * 0.5 / np.sqrt(total)
    assert float((shown == MASK).double().mean()) == pytest.approx(MASKED, abs=spread)
    same = float((shown == masked.tokens).double().mean())
    by_chance = SWAPPED / len(vocabulary.ordinary)  # swapped for itself
    assert same == pytest.approx(1 - MASKED - SWAPPED + by_chance, abs=spread)
    others = shown[(shown != MASK) & (shown != masked.tokens)]
    assert set(others.tolist()) == set(vocabulary.ordinary.tolist())


def test_every_word_of_a_text_has_the_same_chance(vocabulary: Vocabulary):
    packed = pack([[CLS, *list(FIRST)[:20], SEP]] * 4000)
    places = marked(mask_tokens(packed, vocabulary, np.random.default_rng(3))).view(4000, 22)
    assert places[:, 0].sum() == places[:, -1].sum() == 0
    chosen = places[:, 1:-1].double().mean(dim=0)
    assert float((chosen - 0.15).abs().max()) < 4 * np.sqrt(0.15 * 0.85 / 4000)


def test_without_whole_words_pieces_are_chosen_one_by_one(vocabulary: Vocabulary):
    packed = draw_stream(50, pieces=3)
    draw = np.random.default_rng(4)
    masked = mask_tokens(packed, vocabulary, draw, whole_words=False)
    by_word = marked(masked)[packed.ids != CLS].view(-1, 3).sum(dim=1)
    assert {1, 2} <= set(by_word.tolist())


def test_a_string_without_an_end_is_not_hidden_as_a_whole(vocabulary: Vocabulary):
    long = [CLS, FIRST[0], *[MORE[0]] * 99, FIRST[1], *[MORE[1]] * (LONGEST_WORD - 1), SEP]
    masked = mask_tokens(pack([long] * 200), vocabulary, np.random.default_rng(5))
    places = marked(masked).view(200, -1)
    assert 1 < float(places[:, 1:101].sum(dim=1).double().mean()) < 20
    assert set(places[:, 101:109].sum(dim=1).tolist()) == {0, LONGEST_WORD}


def test_a_prompt_is_never_hidden(vocabulary: Vocabulary):
    packed = draw_stream(30)
    draw = np.random.default_rng(6)
    masked = mask_tokens(packed, vocabulary, draw, probability=0.9, front=11)
    assert marked(masked).view(30, -1)[:, :11].sum() == 0
    counts = count_pieces(packed.ids.numpy(), packed.starts.numpy(), vocabulary, front=11)
    assert counts.tolist() == [90] * 30


def test_unknown_words_are_neither_chosen_nor_put_in(vocabulary: Vocabulary):
    packed = pack([[CLS, UNK, FIRST[0], UNK, UNK, SEP], [CLS, UNK, UNK, SEP], [CLS, SEP]])
    counts = count_pieces(packed.ids.numpy(), packed.starts.numpy(), vocabulary)
    assert counts.tolist() == [1, 0, 0]
    masked = mask_tokens(packed, vocabulary, np.random.default_rng(7))
    assert masked.tokens.tolist() == [FIRST[0]]
    nothing = mask_tokens(packed.slice(1, 3), vocabulary, np.random.default_rng(7))
    assert len(nothing.tokens) == 0
    assert torch.equal(nothing.packed.ids, packed.ids[6:])


def test_the_same_draw_hides_the_same_and_another_does_not(vocabulary: Vocabulary):
    packed = draw_stream(5)
    first, same, other = (
        mask_tokens(packed, vocabulary, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first.packed.ids, same.packed.ids)
    assert not torch.equal(first.packed.ids, other.packed.ids)


def test_what_else_a_stream_says_of_its_texts_stays(vocabulary: Vocabulary):
    packed = draw_stream(3)
    towers, before = torch.tensor([0, 1, 0]), packed.ids.clone()
    given = Packed(ids=packed.ids, starts=packed.starts, towers=towers)
    masked = mask_tokens(given, vocabulary, np.random.default_rng(1))
    assert masked.packed.towers is towers
    assert torch.equal(packed.ids, before)
