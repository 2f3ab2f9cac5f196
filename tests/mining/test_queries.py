"""Queries cut out of passages."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.data.clusters import normalise
from likewise.data.reading import read
from likewise.mining.key_phrases import WORD
from likewise.mining.lexical import search_bm25
from likewise.mining.queries import FEWEST_LEFT, LONGEST, Query, extractive_queries

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
TITLE = "Herons of the northern river"
LEAD = "A heron waits without moving for most of the day."
REST = "Fish pass below it. It strikes once, and seldom misses the slowest trout of the shoal."
PASSAGE = f"{TITLE} {LEAD} {REST}"
OTHER = "The bridge was closed for repairs in spring. Trains take another way to the old town."


def of(passage: str, title: str = "", **options) -> list[Query]:
    usual = {"count": 10, "keep": 0.0, "seed": 1}
    both = extractive_queries([passage, OTHER], titles=[title, ""], **(usual | options))
    return [query for query in both if query.passage == 0]


def test_title_then_leading_sentence_then_key_phrases_then_the_most_telling_sentence():
    found = of(PASSAGE, TITLE)
    assert [query.source for query in found[:4]] == [
        "title",
        "leading sentence",
        "key phrases",
        "sentence",
    ]
    assert found[0].text == TITLE
    assert found[1].text == LEAD
    assert found[3].text == "It strikes once, and seldom misses the slowest trout of the shoal."


def test_a_title_or_a_sentence_is_taken_out_of_its_passage_and_key_phrases_are_not():
    shown = {query.source: query.shown(PASSAGE) for query in of(PASSAGE, TITLE)[:3]}
    assert shown["title"] == f"{LEAD} {REST}"
    assert shown["leading sentence"] == f"{TITLE} {REST}"
    assert shown["key phrases"] == PASSAGE


def test_without_a_title_the_passage_begins_with_its_leading_sentence():
    assert [query.source for query in of(f"{LEAD} {REST}")[:2]] == [
        "leading sentence",
        "key phrases",
    ]
    assert of(PASSAGE, "a title of something else")[0].source == "leading sentence"


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_no_more_than_asked_for_are_made_the_first_ones(count: int):
    assert of(PASSAGE, TITLE, count=count) == of(PASSAGE, TITLE)[:count]


def test_a_share_stays_in_its_passage():
    passages = [f"Heron{i} meets trout{i}. {LEAD} Then {i} ends it." for i in range(2000)]
    options = {"count": 1, "seed": 3}
    assert all(q.end > q.start for q in extractive_queries(passages, keep=0.0, **options))
    assert not any(q.end > q.start for q in extractive_queries(passages, keep=1.0, **options))
    kept = [q for q in extractive_queries(passages, keep=0.1, **options) if q.end == q.start]
    assert 150 < len(kept) < 250  # 200, within 3.7 standard deviations of a binomial of 0.1
    assert kept == [
        Query(text=q.text, passage=q.passage, source=q.source)
        for q in extractive_queries(passages, keep=0.1, **options)
        if q.end == q.start
    ]


def test_the_seed_decides_which_stay_and_nothing_else():
    passages = [f"{word} {LEAD} {REST}" for word in "abcdefghij"]
    first, same, other = (extractive_queries(passages, keep=0.5, seed=seed) for seed in (1, 1, 2))
    assert first == same != other
    assert [(q.text, q.source) for q in first] == [(q.text, q.source) for q in other]


def test_a_passage_of_one_sentence_has_key_phrases_alone():
    assert {query.source for query in of(LEAD)} == {"key phrases"}


@pytest.mark.parametrize("passage", ["", "...", "the of and", "heron", "A heron."])
def test_a_passage_that_says_too_little_has_no_query(passage: str):
    assert of(passage) == []


def test_a_title_that_is_all_there_is_cannot_be_taken_out():
    assert "title" not in {query.source for query in of(TITLE, TITLE)}


def test_a_long_sentence_is_cut_and_only_what_asks_is_taken_out():
    long = " ".join(f"word{i}" for i in range(100)) + ". And a last sentence of seven words here."
    query = of(long)[0]
    assert query.source == "leading sentence"
    assert len(WORD.findall(query.text)) == LONGEST
    assert query.shown(long).startswith(f"word{LONGEST} ")


def test_a_title_that_is_repeated_as_a_sentence_is_asked_once():
    title = "Herons wait for trout."
    found = of(f"{title} {title} {REST} {LEAD}", title)
    assert Counter(normalise(query.text) for query in found)[normalise(title)] == 1


@pytest.mark.shared
def test_most_queries_of_real_abstracts_lead_to_their_own():
    data = read(SHARED / "scifact")
    passages, titles = data.documents[:500], data.titles[:500]
    found = extractive_queries(passages, titles=titles, count=3, seed=1)
    assert len(found) == 1500
    counts = Counter(query.source for query in found)
    assert counts["title"] > 490
    assert counts["leading sentence"] > 490
    for source in ("title", "leading sentence", "key phrases"):
        own = [query for query in found if query.source == source]
        shown = list(passages)
        for query in own:  # what is taken out cannot be what finds it
            shown[query.passage] = query.shown(passages[query.passage])
        ranking = search_bm25([query.text for query in own], shown, depth=10).positions
        hits = [query.passage in row for query, row in zip(own, ranking, strict=True)]
        assert np.mean(hits) > 0.9


parts = st.sampled_from(
    [LEAD, "Fish pass below it.", "Why?", "heron", "and the", "\n", "Nobody saw Mr. Trout.", "..."]
)


@given(st.lists(parts, max_size=8).map(" ".join), st.integers(1, 6), st.floats(0, 1))
def test_queries_are_parts_of_their_passage_distinct_and_leave_something(
    passage: str, count: int, keep: float
):
    found = of(passage, count=count, keep=keep)
    assert len(found) <= count
    texts = [normalise(query.text) for query in found]
    assert len(set(texts)) == len(texts)
    assert normalise(passage) not in texts
    for query in found:
        assert set(WORD.findall(query.text)) <= set(WORD.findall(passage))
        if query.end > query.start:
            assert passage[query.start : query.end] == query.text
            assert len(WORD.findall(query.shown(passage))) >= FEWEST_LEFT
        else:
            assert query.shown(passage) == passage
