import random
import time

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.data.clusters import (
    cluster_ids,
    column_keys,
    dense_ids,
    flat_texts,
    normalise,
    places_of,
    text_keys,
)

words = st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1)


def test_case_punctuation_space_and_width_are_folded():
    same = ["Hello, world", "hello world", " HELLO -- world!", "“Hello” world…", "ｈｅｌｌｏ world"]
    assert {normalise(text) for text in same} == {"hello world"}


def test_signs_that_tell_things_apart_are_kept():
    assert len({normalise(text) for text in ("C", "C++", "C#", "5", "5 %", "a = b", "a < b")}) == 7


def test_marks_of_a_script_are_letters_and_stay():
    assert normalise("कि") != normalise("का")


def test_punctuation_alone_stays_itself():
    assert normalise("!!!") != normalise("???")
    assert normalise(" … ") == normalise("...")  # the same in NFKC


@given(words)
def test_any_punctuation_between_words_is_the_same_text(parts):
    joined = normalise(" ".join(parts))
    assert normalise(", ".join(parts) + ".") == joined
    assert normalise("\t" + "  \n".join(parts)) == joined
    assert normalise("\u200b".join([" ".join(parts), ""])) == joined


@given(st.lists(st.text()))
def test_ids_are_equal_exactly_where_the_normal_forms_are(texts):
    forms = [normalise(text) for text in texts]
    order = list(dict.fromkeys(forms))
    assert cluster_ids(texts).tolist() == [order.index(form) for form in forms]


@given(st.lists(st.integers(-5, 5)))
def test_dense_ids_count_up_in_order_of_appearance(values):
    ids = dense_ids(np.array(values, dtype=np.int64)).tolist()
    order = list(dict.fromkeys(values))
    assert ids == [order.index(value) for value in values]


def test_keys_of_lists_know_their_rows_and_pass_over_nulls():
    column = pa.chunked_array(
        [
            pa.array([["a", "b"], None, []], pa.large_list(pa.large_string())),
            pa.array([["c"]], pa.large_list(pa.large_string())),
        ]
    )
    found = column_keys(column)
    assert found.rows.tolist() == [0, 0, 3]
    assert found.keys.tolist() == text_keys(["a", "b", "c"]).tolist()
    plain = column_keys(pa.chunked_array([pa.array(["a", None, "b"], pa.large_string())]))
    assert plain.rows.tolist() == [0, 2]


def test_keys_are_the_same_across_pieces():
    texts = [f"text {i}" for i in range(100_000)]
    column = pa.chunked_array([pa.array(texts, pa.large_string())])
    assert np.array_equal(column_keys(column).keys, text_keys(texts))


def test_time_grows_with_the_texts_and_not_with_their_repeats():
    letters = random.Random(0)
    distinct = ["".join(letters.choices("abc ", k=80)) for _ in range(20_000)]
    repeated = distinct[:2] * 10_000
    seconds = []
    for texts in (distinct, repeated):
        start = time.perf_counter()
        cluster_ids(texts)
        seconds.append(time.perf_counter() - start)
    assert seconds[1] < 5 * seconds[0] + 0.1


def test_exact_keys_tell_apart_what_normal_forms_do_not():
    column = pa.chunked_array([["One text.", "one TEXT", "One text."]], pa.large_string())
    folded, exact = column_keys(column).keys, column_keys(column, exact=True).keys
    assert len(set(folded.tolist())) == 1
    assert dense_ids(exact).tolist() == [0, 1, 0]


rows_of_texts = st.lists(st.none() | st.lists(st.text(max_size=3), max_size=3), max_size=6)


@given(st.lists(rows_of_texts, max_size=3))
def test_flat_texts_stand_in_the_order_of_their_keys(chunks):
    lists = pa.large_list(pa.large_string())
    column = pa.chunked_array([pa.array(chunk, lists) for chunk in chunks], lists)
    flat = flat_texts(column).to_pylist()
    assert flat == [text for chunk in chunks for row in chunk for text in row or []]
    assert column_keys(column).keys.tolist() == text_keys(flat).tolist()


@given(st.lists(st.integers(-9, 9), unique=True), st.lists(st.integers(-12, 12)))
@settings(deadline=None)
def test_a_key_is_found_where_it_stands_or_nowhere(among, wanted):
    found = places_of(np.array(wanted, np.int64), np.array(among, np.int64)).tolist()
    assert found == [among.index(key) if key in among else -1 for key in wanted]
