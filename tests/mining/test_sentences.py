"""Sentences by signs alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.mining.sentences import sentence_spans

SIGNS = st.sampled_from([*"abcAZ09 .!?…\"')]\n。！中", "al.", "e.g.", " . "])


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It costs 3.5 marks. Nobody paid.", ["It costs 3.5 marks.", "Nobody paid."]),
        ("Cells, e.g. neurons, i.e. nerves. Yes.", ["Cells, e.g. neurons, i.e. nerves.", "Yes."]),
        (
            "Smith et al. Found it. So did J. R. Doe.",
            ["Smith et al. Found it.", "So did J. R. Doe."],
        ),
        ("See Fig. 2. It is red.", ["See Fig. 2.", "It is red."]),
        (
            'He said "No." She left (at 5.) Then rain.',
            ['He said "No."', "She left (at 5.)", "Then rain."],
        ),
        ("tokenised text . and more ! end", ["tokenised text .", "and more !", "end"]),
        ("a line\nanother line\n\nthird", ["a line", "another line", "third"]),
        ("今天下雨。明天呢？好！", ["今天下雨。", "明天呢？", "好！"]),
        ("Wait... What?!", ["Wait...", "What?!"]),
        ("Äpfel. Öl.", ["Äpfel.", "Öl."]),
        ("no sign at all", ["no sign at all"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]):
    assert sentences(text) == expected


@given(st.lists(SIGNS).map("".join))
def test_spans_follow_one_another_with_nothing_but_space_between(text: str):
    end = 0
    for start, stop in sentence_spans(text):
        assert end <= start < stop <= len(text)
        assert text[end:start].strip() == ""
        assert text[start:stop] == text[start:stop].strip()
        end = stop
    assert text[end:].strip() == ""


@given(st.lists(SIGNS).map("".join))
def test_a_sentence_by_itself_begins_where_it_began_and_loses_nothing(text: str):
    for sentence in sentences(text):
        assert "".join(sentences(sentence)).replace(" ", "") == sentence.replace(" ", "")


@pytest.mark.parametrize("part", [".", ". ", '."', " ", "Fig. ", "a. B", ".\n", "。"])
def test_a_hostile_text_takes_time_in_proportion(part: str):
    began = time.perf_counter()
    sentence_spans(part * 100_000)
    assert time.perf_counter() - began < 5  # 0.2 s; a quadratic one takes minutes
