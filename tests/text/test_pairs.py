import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, processors

from conftest import make_tokenizer
from likewise.errors import InputError
from likewise.text.pairs import (
    PairTemplate,
    PairTokenizer,
    learn_template,
    longest_first,
    lower_first,
)

CLS, SEP, A, THE = 2, 3, "a", "the"
ROBERTA = processors.RobertaProcessing(("[SEP]", SEP), ("[CLS]", CLS))
BERT = processors.BertProcessing(("[SEP]", SEP), ("[CLS]", CLS))
LAST = processors.TemplateProcessing(  # XLNet's: the class token at the end, of a type of its own
    single="$A:0 [SEP]:0 [CLS]:2",
    pair="$A:0 [SEP]:0 $B:1 [SEP]:1 [CLS]:2",
    special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)],
)
OPEN = processors.TemplateProcessing(  # Llama's: one token before each text, none behind
    single="[CLS] $A",
    pair="[CLS] $A [CLS]:1 $B:1",
    special_tokens=[("[CLS]", CLS)],
)
BYTES = processors.Sequence([processors.ByteLevel(), ROBERTA])
POST_PROCESSORS = {
    "own": None, "roberta": ROBERTA, "bert": BERT, "last": LAST, "open": OPEN, "sequence": BYTES,
}  # fmt: skip

each_template = pytest.mark.parametrize("name", [*POST_PROCESSORS, "none"])


def tokenizer_with(name: str) -> Tokenizer:
    tokenizer = make_tokenizer()
    if name == "none":
        tokenizer.post_processor = processors.Sequence([])
    elif name != "own":
        tokenizer.post_processor = POST_PROCESSORS[name]
    return tokenizer


def joined(tokenizer: PairTokenizer, a: str, b: str) -> tuple[list[int], int]:
    ids, second = tokenizer.join(*tokenizer.tokenize([a, b]))
    assert ids.dtype == np.int32
    return ids.tolist(), second


@each_template
@settings(max_examples=60, deadline=None)
@given(
    words=st.tuples(*[st.lists(st.sampled_from(["a", "the", "people", "zz"]), max_size=20)] * 2),
    limit=st.integers(4, 40),
    side=st.sampled_from(["right", "left"]),
)
def test_a_pair_is_what_the_tokenizer_itself_makes_of_it(name, words, limit, side):
    first, second = (" ".join(text) for text in words)
    rust = tokenizer_with(name)
    ours = PairTokenizer(rust, max_tokens=limit, side=side)
    halves = ours.tokenize([first, second])
    cut = ours.is_cut(*halves)
    whole = rust.encode(first, second)
    rust.enable_truncation(limit, strategy="longest_first", direction=side)
    expected = rust.encode(first, second)
    assert cut == (len(expected.ids) < len(whole.ids))
    if not expected.ids:
        return
    ids, _ = ours.join(*halves)
    assert ids.tolist() == expected.ids
    packed = ours.pack([ids], [ours.join(*halves)[1]])
    assert packed.ids.tolist() == expected.ids
    types = [0] * len(ids) if packed.segments is None else packed.segments.tolist()
    assert types == expected.type_ids


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_cutting_takes_no_more_than_it_must_and_never_the_shorter_alone(first, second, room):
    a, b = longest_first(first, second, room)
    assert a + b == min(first + second, room)
    assert 0 <= a <= first
    assert 0 <= b <= second
    if a < first and b < second:  # both lost tokens: then they are as long as one another
        assert abs(a - b) <= 1


@pytest.mark.parametrize(
    ("name", "template"),
    [
        (
            "own",
            PairTemplate(
                front=(CLS,), middle=(SEP,), back=(SEP,), segments=((0,), 0, (0,), 1, (1,))
            ),
        ),
        (
            "roberta",
            PairTemplate(
                front=(CLS,), middle=(SEP, SEP), back=(SEP,), segments=((0,), 0, (0, 0), 0, (0,))
            ),
        ),
        ("none", PairTemplate(segments=((), 0, (), 1, ()))),
    ],
)
def test_the_template_is_learnt_from_the_tokenizer(name: str, template: PairTemplate):
    found = learn_template(tokenizer_with(name))
    assert found == template
    assert found.has_segments == (name != "roberta")


def test_the_second_text_starts_where_it_is_said_to():
    tokenizer = PairTokenizer(make_tokenizer(), max_tokens=20)
    ids, second = joined(tokenizer, "people", "the a")
    people, the, a = (tokenizer.tokenize([word])[0][0] for word in ("people", THE, A))
    assert ids == [CLS, people, SEP, the, a, SEP]
    assert second == 3


def test_a_text_without_tokens_leaves_the_special_ones():
    tokenizer = PairTokenizer(make_tokenizer(), max_tokens=20)
    (a,) = tokenizer.tokenize([A])[0].tolist()
    assert joined(tokenizer, "", "a") == ([CLS, SEP, a, SEP], 2)
    assert joined(tokenizer, "a", "") == ([CLS, a, SEP, SEP], 3)
    assert joined(tokenizer, "", "") == ([CLS, SEP, SEP], 2)


def test_a_pair_without_any_token_is_one_filler():
    tokenizer = PairTokenizer(tokenizer_with("none"), max_tokens=20, empty_id=7)
    assert joined(tokenizer, "", "")[0] == [7]
    found = tokenizer.tokenize_pairs([("", "")])
    assert found.lengths.tolist() == [1]
    assert tokenizer.pack(found.ids, found.seconds).ids.tolist() == [7]


def test_pairs_are_counted_when_they_are_cut():
    tokenizer = PairTokenizer(make_tokenizer(), max_tokens=8)
    found = tokenizer.tokenize_pairs([("a a", "a a a"), ("a a", "a a a a"), ("a", "a"), ("", "")])
    assert found.cut == 1
    assert found.lengths.tolist() == [8, 8, 5, 3]
    assert found.seconds.tolist() == [4, 4, 3, 2]


def test_each_distinct_text_is_tokenised_once(monkeypatch: pytest.MonkeyPatch):
    tokenizer = PairTokenizer(make_tokenizer(), max_tokens=20)
    asked: list[str] = []
    work = tokenizer.tokenize
    monkeypatch.setattr(tokenizer, "tokenize", lambda texts: asked.extend(texts) or work(texts))
    found = tokenizer.tokenize_pairs([("a", "the"), ("the", "a"), ("a", "people")])
    assert sorted(asked) == ["a", "people", "the"]
    assert [len(ids) for ids in found.ids] == [5, 5, 5]


def test_several_pairs_make_one_stream_with_their_types():
    tokenizer = PairTokenizer(make_tokenizer(), max_tokens=20)
    found = tokenizer.tokenize_pairs([("a", "the a"), ("a a", "")])
    packed = tokenizer.pack(found.ids, found.seconds)
    assert packed.lengths.tolist() == [6, 5]
    assert packed.segments is not None
    assert packed.segments.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(("name", "asked"), [("own", False), ("roberta", True)])
def test_no_types_are_given_where_the_model_or_the_template_has_none(name: str, asked: bool):
    tokenizer = PairTokenizer(tokenizer_with(name), max_tokens=20, has_segments=asked)
    found = tokenizer.tokenize_pairs([("a", "the")])
    assert tokenizer.pack(found.ids, found.seconds).segments is None


def test_a_limit_stored_with_the_tokenizer_is_dropped():
    rust = make_tokenizer()
    rust.enable_truncation(4)
    rust.enable_padding()
    tokenizer = PairTokenizer(rust, max_tokens=99)
    assert [len(ids) for ids in tokenizer.tokenize(["a " * 9, "a"])] == [9, 1]


def test_a_limit_that_leaves_no_room_for_the_special_tokens_is_refused():
    with pytest.raises(InputError, match="3 special tokens, the limit is 2"):
        PairTokenizer(make_tokenizer(), max_tokens=2)


def test_a_tokenizer_that_turns_the_texts_round_is_refused():
    rust = make_tokenizer()
    rust.post_processor = processors.TemplateProcessing(
        single="$A", pair="$B:1 $A:0", special_tokens=[]
    )
    with pytest.raises(InputError, match="one after the other"):
        PairTokenizer(rust, max_tokens=20)


def test_texts_can_be_lowered_first_and_special_tokens_stay():
    rust = make_tokenizer()
    rust.normalizer = None
    assert lower_first(rust).encode("THE [SEP]").ids == rust.encode("the [SEP]").ids
    own = make_tokenizer()
    assert lower_first(own).encode("The Ä").ids == own.encode("the ä").ids
