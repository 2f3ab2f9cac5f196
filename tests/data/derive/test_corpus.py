from pathlib import Path

from conftest import write_lines
from likewise.data import read
from likewise.data.dataset import RetrievalSet
from likewise.data.derive import corpus_to_texts, judged_to_pairs


def read_folder(folder: Path) -> RetrievalSet:
    documents = [
        {"_id": "d1", "title": " A title ", "text": "and its body"},
        {"_id": "d2", "title": "", "text": "a body alone"},
        {"_id": "d3", "text": "another"},
        {"_id": "d4", "title": "a title alone", "text": ""},
    ]
    write_lines(folder / "corpus.jsonl", documents)
    write_lines(folder / "queries.jsonl", [{"_id": "q1", "text": "a question of somebody"}])
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    data = read(folder)
    assert isinstance(data, RetrievalSet)
    return data


def test_documents_become_texts_with_their_titles(tmp_path: Path):
    data = read_folder(tmp_path / "set")
    texts = corpus_to_texts(data)
    assert texts.kind == "texts"
    assert tuple(texts.texts("text")) == data.documents
    assert texts.texts("title") == ["A title", None, None, "a title alone"]
    assert all(
        text.startswith(title or "")
        for text, title in zip(texts.texts("text"), texts.texts("title"), strict=True)
    )


def test_no_query_and_no_judgement_is_among_them(tmp_path: Path):
    texts = corpus_to_texts(read_folder(tmp_path / "set"))
    assert "a question of somebody" not in texts.all_texts()
    assert texts.roles == ("text", "title")


def test_a_title_is_no_text_of_its_own(tmp_path: Path):
    data = read_folder(tmp_path / "set")
    texts = corpus_to_texts(data)
    assert texts.text_roles() == ("text",)
    assert texts.all_texts() == list(data.documents)
    assert texts.take([3, 0]).texts("title") == ["a title alone", "A title"]


def test_a_corpus_without_titles_has_no_such_column(retrieval):
    texts = corpus_to_texts(retrieval)
    assert texts.roles == ("text",)
    assert len(texts) == len(retrieval.documents)


def test_it_is_named_by_the_folder_that_reads_the_same_again(tmp_path: Path):
    data = read_folder(tmp_path / "set")
    texts = corpus_to_texts(data)
    assert texts.sources == (str(tmp_path / "set"),)
    assert corpus_to_texts(read(texts.sources[0])).fingerprint == texts.fingerprint
    assert texts.where(3).row == 4


def test_how_many_there_are_is_noted(retrieval):
    note = corpus_to_texts(retrieval).notes[-1]
    assert note.count == 64
    assert "not trained on" in note.text


def test_a_set_that_no_file_holds_bears_its_name(retrieval):
    made = RetrievalSet(
        name="made",
        split="test",
        query_ids=("q",),
        queries=("a query",),
        document_ids=("d",),
        documents=("a document",),
        judgements={"q": {"d": 1}},
    )
    assert corpus_to_texts(made).sources == ("made",)


def test_queries_and_what_is_relevant_become_pairs(tmp_path: Path):
    folder = tmp_path / "set"
    read_folder(folder)
    write_lines(folder / "queries.jsonl", [{"_id": f"q{i}", "text": f"ask {i}"} for i in (1, 2)])
    judged = ["q2\td2\t1", "q1\td3\t2", "q1\td1\t0", "q2\td4\t1"]
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judged]) + "\n")
    data = read(folder)
    pairs = judged_to_pairs(data)
    assert pairs.kind == "pairs"
    assert list(zip(pairs.texts("anchor"), pairs.texts("positive"), strict=True)) == [
        ("ask 1", "another"),
        ("ask 2", "a body alone"),
        ("ask 2", "a title alone"),
    ]
    assert "became pairs: 3" in str(pairs.notes[-1])
    assert str(pairs.where(0)).endswith("qrels.tsv, row 1")
