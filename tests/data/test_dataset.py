import numpy as np

from likewise.data import read


def test_the_fingerprint_follows_rows_and_order_and_not_the_file(write):
    rows = "a,b\nc,d\n"
    csv = read(write("x.csv", "anchor,positive\n" + rows))
    jsonl = read(write("x.jsonl", [{"query": "a", "answer": "b"}, {"query": "c", "answer": "d"}]))
    assert csv.fingerprint == jsonl.fingerprint
    assert csv.take([1, 0]).fingerprint != csv.fingerprint
    assert csv.take([1, 0]).take([1, 0]).fingerprint == csv.fingerprint
    assert csv.take([0]).fingerprint != csv.fingerprint


def test_taken_rows_keep_their_places(write):
    data = read(write("x.csv", "anchor,positive\na,b\nc,d\ne,f\n")).take(np.array([2, 0]))
    assert [str(data.where(i)).split(", ")[1] for i in range(2)] == ["row 4", "row 2"]
    assert data.where(0, "anchor").column == "anchor"
    assert data.texts("positive") == ["f", "b"]


def test_keys_are_equal_where_the_texts_are(write):
    data = read(write("x.csv", "anchor,positive\na,B!\nb,a\n"))
    keys = {role: found.keys.tolist() for role, found in data.keys.items()}
    assert keys["anchor"] == keys["positive"][::-1]


def test_a_retrieval_set_has_texts_and_a_fingerprint(write, tmp_path):
    write("r/queries.jsonl", [{"_id": "1", "text": "q"}])
    write("r/corpus.jsonl", [{"_id": "1", "text": "d"}, {"_id": "2", "text": "q"}])
    write("r/qrels.tsv", "query-id\tcorpus-id\tscore\n1\t1\t1\n")
    first, again = read(tmp_path / "r"), read(tmp_path / "r")
    assert first.all_texts() == ["q", "d"]
    assert len(first) == 1
    assert first.fingerprint == again.fingerprint
