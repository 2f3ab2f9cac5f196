import numpy as np
import pyarrow as pa
import pytest

from likewise.data import read
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.leakage import find_leaks, leaked_rows, pair_keys, without_rows


@pytest.fixture
def rows(write):
    count = iter(range(100))

    def made(records, **options) -> Dataset:
        return read(write(f"{next(count)}.jsonl", records), **options)

    return made


def scored(*pairs):
    return [{"sentence1": a, "sentence2": b, "score": 1} for a, b in pairs]


def paired(*pairs):
    return [{"anchor": a, "positive": b} for a, b in pairs]


def test_a_whole_row_leaks_in_either_order_and_one_side_alone_does_not(rows):
    train = rows(scored(("a", "b"), ("c", "d")))
    test = rows(scored(("B.", "A"), ("a", "d"), ("x", "y"), ("c", "d")))
    assert leaked_rows(train, test).tolist() == [0, 3]


def test_the_order_counts_where_the_sides_differ(rows):
    train, test = rows(paired(("a", "b"))), rows(paired(("b", "a"), ("a", "b")))
    assert leaked_rows(train, test).tolist() == [1]


def test_across_kinds_either_order_leaks(rows):
    train, test = rows(paired(("a", "b"))), rows(scored(("b", "a")))
    assert leaked_rows(train, test).tolist() == [0]


def test_each_of_several_positives_counts(rows):
    train = rows([{"anchor": "a", "positive": ["b", "c"]}])
    assert leaked_rows(train, rows(scored(("c", "a"), ("b", "c")))).tolist() == [0]


def test_a_single_text_leaks_from_any_column(rows):
    test = rows([{"text": "b", "label": "x"}, {"text": "z", "label": "x"}])
    assert leaked_rows(rows(paired(("a", "b"))), test).tolist() == [0]


def test_plain_texts_leak_no_pairs(rows):
    train = rows([{"text": "a"}, {"text": "b"}])
    assert leaked_rows(train, rows(scored(("a", "b")))).tolist() == []


def test_queries_that_were_trained_on_leak(rows):
    test = RetrievalSet(
        name="r",
        split="test",
        query_ids=("1", "2"),
        queries=("what is it?", "other"),
        document_ids=("d",),
        documents=("this",),
        judgements={"1": {"d": 1}, "2": {"d": 1}},
    )
    assert leaked_rows(rows(paired(("What is it", "x"))), test).tolist() == [0]
    assert leaked_rows(test, test).tolist() == [0, 1]
    assert leaked_rows(test, rows(scored(("this", "other"), ("x", "y")))).tolist() == [0]


def test_a_set_leaks_into_itself_whole(rows):
    data = rows(scored(*[(f"a{i}", f"b{i}") for i in range(50)]))
    assert leaked_rows(data, data).tolist() == list(range(50))


def test_a_pair_key_tells_left_from_right_only_where_asked(rows):
    data = rows(paired(("a", "b"), ("b", "a"), ("a", "a"), ("b", "b")))
    ordered, _ = pair_keys(data, ordered=True)
    unordered, _ = pair_keys(data, ordered=False)
    assert len(np.unique(ordered)) == 4
    assert unordered[0] == unordered[1]
    assert len(np.unique(unordered)) == 3


def test_many_random_pairs_have_no_key_in_common(rows):
    n = 300
    side = pa.array([f"t{i}" for i in range(n) for _ in range(n)], pa.large_string())
    other = pa.array([f"t{j}" for _ in range(n) for j in range(n)], pa.large_string())
    data = Dataset(
        kind="pairs",
        table=pa.table({"anchor": side, "positive": other}),
        sources=("x",),
        source=np.zeros(n * n, np.int32),
        row=np.arange(n * n),
        columns={},
    )
    keys, _ = pair_keys(data, ordered=True)
    assert len(np.unique(keys)) == n * n


LONG = "a man is playing a large flute in the garden behind the house"
OTHER = "two children run over a field of yellow flowers in the morning"


def test_leaks_are_told_apart_by_how_alike_the_texts_are(rows):
    train = rows(scored((LONG, OTHER), ("c", "d"), ("e", "f")))
    near = LONG.replace("flute", "flutes")
    test = rows(scored((OTHER, near), ("C!", "d"), ("e", "f"), (near, "d"), ("x", "y")))
    found = find_leaks(train, test)
    assert found.exact.tolist() == [2]
    assert found.normalised.tolist() == [1]
    assert found.near.tolist() == [0]
    assert found.rows.tolist() == [0, 1, 2]
    assert str(found) == "1 letter by letter, 1 but for case and punctuation, 1 nearly"
    assert without_rows(test, found.rows).row.tolist() == [4, 5]


def test_nothing_that_leaked_is_nothing_to_say(rows):
    found = find_leaks(rows(paired(("a", "b"))), rows(paired(("c", "d"))))
    assert str(found) == ""
    assert len(found.rows) == 0


def test_of_several_positives_a_near_one_is_a_leak(rows):
    train = rows([{"anchor": "a", "positive": [LONG, "c"]}])
    test = rows([{"anchor": "A", "positive": ["x", f"{LONG}s"]}])
    assert find_leaks(train, test).near.tolist() == [0]


def test_queries_leak_nearly_and_leave_the_corpus_whole(rows):
    test = RetrievalSet(
        name="set",
        split="test",
        query_ids=("1", "2"),
        queries=(f"{LONG}s", "another"),
        document_ids=("d",),
        documents=("text",),
        judgements={"1": {"d": 1}, "2": {"d": 1}},
    )
    found = find_leaks(rows(paired((LONG, "text"))), test)
    assert found.near.tolist() == [0]
    rest = without_rows(test, found.rows)
    assert (rest.query_ids, rest.queries, rest.documents) == (("2",), ("another",), ("text",))
    assert rest.judgements == {"2": {"d": 1}}
