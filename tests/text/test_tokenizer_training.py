import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from conftest import TOPICS, answer, question
from likewise.text.tokenizer_training import MOST_TOKENS, SPECIAL, train_tokenizer

TEXTS = [form(*topic) for topic in TOPICS for form in (question, answer)]


@pytest.fixture(scope="module")
def trained() -> Tokenizer:
    return train_tokenizer(TEXTS)


def test_frequent_words_are_one_token_each(trained: Tokenizer):
    tokens = trained.encode("How do people repair the violin").tokens
    assert tokens == ["[CLS]", "ĠHow", "Ġdo", "Ġpeople", "Ġrepair", "Ġthe", "Ġviolin", "[SEP]"]


def test_special_tokens_come_first_and_surround_a_text_and_a_pair(trained: Tokenizer):
    assert [trained.token_to_id(token) for token in SPECIAL] == [0, 1, 2, 3, 4]
    assert trained.encode("").tokens == ["[CLS]", "[SEP]"]
    pair = trained.encode("the river", "a guide")
    assert [t for t in pair.tokens if t in SPECIAL] == ["[CLS]", "[SEP]", "[SEP]"]
    assert pair.type_ids == [0] * 4 + [1] * 3


@settings(max_examples=100, deadline=None)
@given(text=st.text())
def test_no_text_of_any_script_has_an_unknown_token(trained: Tokenizer, text: str):
    assert "[UNK]" not in trained.encode(text, add_special_tokens=False).tokens


@settings(max_examples=50, deadline=None)
@given(text=st.text(alphabet="aзბאन中👍 \n.ä", min_size=1))
def test_texts_that_differ_have_other_tokens(trained: Tokenizer, text: str):
    assert trained.encode(text).ids != trained.encode(text + "q").ids


@pytest.mark.parametrize(
    "text", ["გამარჯობა მსოფლიო", "ሰላም ለዓለም", "안녕 세상", "नमस्ते दुनिया", "می‌خواهم بروم"]
)
def test_words_of_another_script_become_tokens_of_their_own(text: str):
    tokenizer = train_tokenizer([text] * 3)
    assert len(tokenizer.encode(text).tokens) == 2 + len(text.split())


def test_ideographs_digits_and_signs_stand_alone():
    encode = train_tokenizer(["你好世界 hello, 2024 (yes)"] * 3).encode
    assert len(encode("你好 hello").tokens) == 2 + 2 + 1
    assert len(encode("hello世界").tokens) == 2 + 1 + 2
    assert len(encode("hello, 2024 (yes)").tokens) == 2 + 6


def test_spaces_of_any_kind_and_number_are_one(trained: Tokenizer):
    assert trained.encode(" How\n\tdo  people ").ids == trained.encode("How do people").ids
    assert trained.encode(" \n").tokens == ["[CLS]", "[SEP]"]


def test_a_word_is_the_same_token_wherever_it_stands(trained: Tokenizer):
    first, second = (trained.encode(text).tokens for text in ("the river", "river the"))
    assert sorted(first) == sorted(second)


def test_a_text_can_be_read_back(trained: Tokenizer):
    text = "How do people carry 12 apples, naïve 你好?"
    assert trained.decode(trained.encode(text).ids).strip() == text


@pytest.mark.parametrize("lower", [False, True])
def test_letters_are_lowered_where_it_is_asked_for(lower: bool):
    tokenizer = train_tokenizer(TEXTS, lower_case=lower)
    equal = tokenizer.encode("THE RIVER").ids == tokenizer.encode("the river").ids
    assert equal == lower


def test_composed_and_decomposed_letters_are_the_same(trained: Tokenizer):
    assert trained.encode("caf\u00e9").ids == trained.encode("cafe\u0301").ids


def test_the_same_texts_give_the_same_tokenizer_in_any_order(trained: Tokenizer):
    shuffled = random.Random(3).sample(TEXTS, len(TEXTS))
    assert train_tokenizer(shuffled).to_str() == train_tokenizer(iter(TEXTS)).to_str()
    assert train_tokenizer(TEXTS).to_str() == trained.to_str()


@pytest.mark.parametrize("most", [261, 280])
def test_a_vocabulary_has_no_more_tokens_than_asked_for(most: int):
    assert train_tokenizer(TEXTS, most_tokens=most).get_vocab_size() == most


def test_a_vocabulary_without_room_for_the_bytes_is_refused():
    with pytest.raises(ValueError, match="261 tokens at least"):
        train_tokenizer(TEXTS, most_tokens=260)
    assert MOST_TOKENS == 30_522


def test_without_texts_every_byte_is_a_token():
    tokenizer = train_tokenizer([])
    assert tokenizer.get_vocab_size() == 261
    assert tokenizer.encode("a b").tokens == ["[CLS]", "Ġ", "a", "Ġ", "b", "[SEP]"]
