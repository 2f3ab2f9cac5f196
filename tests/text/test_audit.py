import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as RustTokenizer

from likewise.text.audit import audit
from likewise.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer(tiny_tokenizer: RustTokenizer) -> Tokenizer:
    return Tokenizer(tiny_tokenizer, max_tokens=8)


def of_tokens(n: int) -> str:
    """A text of n tokens, [CLS] and [SEP] among them."""
    return " ".join(["apple"] * (n - 2))


@given(st.lists(st.integers(2, 20), max_size=30))
def test_it_counts_what_numpy_counts(tokenizer: Tokenizer, lengths: list[int]):
    found = audit([of_tokens(n) for n in lengths], tokenizer)
    assert found.texts == len(lengths)
    assert found.tokens == sum(lengths)
    assert found.longest == max(lengths, default=0)
    assert found.median == (int(np.median(lengths)) if lengths else 0)
    assert found.cut == sum(n > 8 for n in lengths)
    assert found.limit == 8


def test_a_text_of_just_the_limit_is_not_cut(tokenizer: Tokenizer):
    assert audit([of_tokens(8), of_tokens(9)], tokenizer).cut == 1


@pytest.mark.parametrize(("asked", "limit", "cut"), [(5, 5, 2), (8, 8, 1), (99, 8, 1)])
def test_a_lower_limit_counts_and_a_higher_one_does_not(
    tokenizer: Tokenizer, asked: int, limit: int, cut: int
):
    found = audit([of_tokens(n) for n in (4, 6, 9)], tokenizer, asked)
    assert (found.limit, found.cut) == (limit, cut)


def test_it_reads_as_a_sentence(tokenizer: Tokenizer):
    found = audit([of_tokens(n) for n in (4, 6, 9, 1200)], tokenizer)
    assert str(found) == (
        "4 texts, median 7 tokens, longest 1,200; 2 (50.0 %) are over the limit of 8 and are cut"
    )


def test_no_texts_are_no_error(tokenizer: Tokenizer):
    assert str(audit([], tokenizer)).startswith("0 texts, median 0 tokens")
