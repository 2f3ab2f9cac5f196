"""Key phrases: what tells a passage from the others."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.mining.key_phrases import LONGEST, PHRASES, WORD, KeyPhrases

PASSAGES = [
    "The heron waits by the river, and the river is slow.",
    "A bridge over the river was closed.",
    "Violin makers choose spruce; the violin sings.",
]


def test_a_word_weighs_by_how_few_passages_have_it():
    phrases = KeyPhrases(PASSAGES)
    common, rare = math.log(4 / 3) + 1, math.log(4 / 2) + 1  # smooth idf of 2 and 1 of 3 passages
    assert phrases.weight("river") == pytest.approx(common)
    assert phrases.weight("heron") == pytest.approx(rare)
    assert phrases.weight("the heron, the river") == pytest.approx((common + rare) / math.sqrt(2))
    assert phrases.weight("unknown") == pytest.approx(math.log(4) + 1)
    assert phrases.weight("the of and") == 0
    assert phrases.weight("") == 0


def test_idf_is_scikit_learns():
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(token_pattern=r"\b[a-z]{2,}\b").fit(PASSAGES)
    phrases = KeyPhrases(PASSAGES)
    words = [w for w in vectors.get_feature_names_out() if phrases.telling(w)]
    assert len(words) > 8
    for word in words:
        assert phrases.weight(word) == pytest.approx(vectors.idf_[vectors.vocabulary_[word]])


def test_the_best_phrases_come_first_and_in_the_order_of_the_passage():
    queries = KeyPhrases(PASSAGES).queries(PASSAGES[0])
    # three runs of telling words: "heron waits" (both rare), "river" (twice), "slow" (rare)
    # tf-idf: (1.69 + 1.69) / sqrt(2) = 2.39; 1.69 * 1.29 = 2.18; 1.69; and not all words at once
    assert queries == ["heron waits slow"]


def test_phrases_break_at_signs_and_stop_words_and_have_three_words_at_most():
    text = "red green blue yellow, brown of black"
    others = [f"filler{i} {word}" for i in range(3) for word in text.replace(",", "").split()]
    (first, *_) = KeyPhrases([text, *others]).queries(text)
    # all words weigh the same: the longest run is the best, its fourth word begins another
    assert first.startswith("red green blue")


def test_words_in_most_passages_say_nothing_where_there_are_many():
    many = [f"der Fluss number{i} word{i}" for i in range(200)]
    assert KeyPhrases(many).telling(many[0]) == ["number0", "word0"]
    assert KeyPhrases(many[:20]).telling(many[0]) == ["der", "fluss", "number0", "word0"]


def test_a_passage_of_one_telling_word_has_no_query():
    phrases = KeyPhrases([*PASSAGES, "The violin", "of the", "", "?!"])
    assert [phrases.queries(text) for text in ("The violin", "of the", "", "?!")] == [[]] * 4


def test_a_passage_of_two_telling_words_leaves_one():
    assert KeyPhrases(PASSAGES).queries("river heron") == ["heron"]


words = st.sampled_from(
    [
        "heron",
        "river",
        "bridge",
        "violin",
        "the",
        "of",
        "and",
        "spruce",
        "closed",
        "slow",
        "42",
        "x",
    ]
)
texts = st.lists(words | st.sampled_from([",", ".", "-"]), max_size=30).map(" ".join)


@given(texts, st.lists(texts, max_size=5))
def test_no_word_is_asked_twice_and_no_query_says_all(text: str, others: list[str]):
    phrases = KeyPhrases([text, *others])
    asked = [phrases.telling(query) for query in phrases.queries(text)]
    every = [word for query in asked for word in query]
    assert len(every) == len(set(every))
    assert all(set(query) < set(phrases.telling(text)) for query in asked)
    assert all(len(query) > 1 for query in asked[1:])
    assert all(0 < len(query) <= PHRASES * LONGEST for query in asked)


@given(texts)
def test_queries_keep_the_words_as_they_stand(text: str):
    upper = text.upper()
    for query in KeyPhrases([upper]).queries(upper):
        assert set(query.split()) <= {match[0] for match in WORD.finditer(upper)}
