import pytest

from likewise.data import read
from likewise.data.dataset import RetrievalSet
from likewise.data.readers.beir import looks_like_beir, read_beir
from likewise.errors import InputError

HEAD = "query-id\tcorpus-id\tscore\n"


@pytest.fixture
def folder(write, tmp_path):
    """A good set; a test overwrites the file that it wants wrong."""
    write("r/queries.jsonl", [{"_id": "q1", "text": "one"}, {"_id": "q2", "text": "two"}])
    documents = [
        {"_id": "d1", "title": "Title", "text": "body"},
        {"_id": "d2", "title": "", "text": "alone"},
        {"_id": 3, "text": "no title"},
    ]
    write("r/corpus.jsonl", documents)
    write("r/qrels/test.tsv", HEAD + "q1\td1\t2\nq1\td2\t0\nq2\t3\t1\n")
    return tmp_path / "r"


def error_of(folder, **options) -> InputError:
    with pytest.raises(InputError) as raised:
        read(folder, **options)
    return raised.value


def test_queries_documents_and_grades_are_read(folder):
    data = read(folder)
    assert isinstance(data, RetrievalSet)
    assert dict(zip(data.query_ids, data.queries, strict=True)) == {"q1": "one", "q2": "two"}
    assert data.documents == ("Title body", "alone", "no title")
    assert data.judgements == {"q1": {"d1": 2, "d2": 0}, "q2": {"3": 1}}
    assert (data.name, data.split) == ("r", "test")
    assert any("grades: 0, 1, 2" in note.text for note in data.notes)


@pytest.mark.parametrize("name", ["qrels/test.tsv", "qrels.test.tsv", "qrels.tsv"])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_every_place_of_the_judgements_is_known(name, end, folder, write):
    (folder / "qrels" / "test.tsv").unlink()
    write(f"r/{name}{end}", HEAD + "q1\td1\t1\n")
    assert read(folder).query_ids == ("q1",)


def test_gzip_is_read_for_queries_and_corpus(folder, write):
    for name in ("queries.jsonl", "corpus.jsonl"):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        write(f"r/{name}.gz", content)
    assert looks_like_beir(folder)
    assert len(read(folder)) == 2


def test_another_split_can_be_chosen_and_a_missing_one_names_those_there(folder, write):
    write("r/qrels/train.tsv", HEAD + "q2\td2\t1\n")
    assert read(folder, split="train").query_ids == ("q2",)
    error = error_of(folder, split="dev")
    assert 'no judgements for the split "dev"' in str(error)
    assert error.mend.endswith("--split test or --split train")


def test_no_judgements_at_all_say_what_to_write(folder):
    (folder / "qrels" / "test.tsv").unlink()
    assert "qrels/test.tsv" in error_of(folder).mend


def test_a_judgement_of_something_missing_names_its_row(folder, write):
    path = write("r/qrels/test.tsv", HEAD + "q1\td1\t1\nq1\td9\t1\nq7\td1\t1\n")
    message = str(error_of(folder))
    assert f'{path}, row 3, column "corpus-id": there is no document "d9"' in message
    assert f'{path}, row 4, column "query-id": there is no query "q7"' in message
    data = read(folder, skip_bad=True)
    assert data.judgements == {"q1": {"d1": 1}}
    assert any(note.count == 2 for note in data.notes)


def test_an_id_repeated_with_another_text_is_named(folder, write):
    documents = [{"_id": "d1", "text": "a"}, {"_id": "d1", "text": "b"}, {"_id": "d1", "text": "a"}]
    write("r/corpus.jsonl", documents)
    write("r/qrels/test.tsv", HEAD + "q1\td1\t1\n")
    error = error_of(folder)
    assert 'row 2: the id "d1" stands here a second time, with another text' in str(error)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"_id": "q3", "text": " "}, 'the text of "q3" is empty'),
        ({"_id": "q3"}, 'the text of "q3" is empty'),
        ({"text": "a"}, 'there is no "_id"'),
        ({"_id": "q3", "text": 5}, "expected a text, found the number 5"),
    ],
)
def test_a_bad_query_is_named(record, problem, folder, write):
    write("r/queries.jsonl", [{"_id": "q1", "text": "a"}, {"_id": "q2", "text": "b"}, record])
    assert f"row 3: {problem}" in str(error_of(folder))


@pytest.mark.parametrize("grade", ["high", "", "0.5", "nan"])
def test_a_grade_that_is_no_whole_number_is_named(grade, folder, write):
    write("r/qrels/test.tsv", HEAD + f"q1\td1\t{grade}\n")
    assert 'row 2, column "score": expected a whole number' in str(error_of(folder))


def test_two_grades_for_one_document_are_an_error(folder, write):
    write("r/qrels/test.tsv", HEAD + "q1\td1\t1\nq1\td1\t0\n")
    assert "judged for" in str(error_of(folder))


def test_a_wrong_header_prints_the_right_one(folder, write):
    write("r/qrels/test.tsv", "query\tdoc\tscore\nq1\td1\t1\n")
    assert "no column is named query-id, corpus-id" in str(error_of(folder))


def test_queries_that_cannot_be_measured_are_left_out_and_counted(folder, write):
    write("r/qrels/test.tsv", HEAD + "q1\td1\t1\nq2\td1\t0\n")
    data = read_beir(folder)
    assert data.query_ids == ("q1",)
    assert any("without a relevant" in n.text and n.count == 1 for n in data.notes)
    write("r/qrels/test.tsv", HEAD + "q1\td1\t1\n")
    assert any("without a judgement" in n.text and n.count == 1 for n in read(folder).notes)


def test_no_relevant_document_at_all_is_an_error(folder, write):
    write("r/qrels/test.tsv", HEAD + "q1\td1\t0\n")
    assert "names a relevant document" in str(error_of(folder))
