import json

import pytest

from likewise.cli.check import check
from likewise.errors import InputError
from likewise.models.cross_encoder import from_encoder

HEAD = "sentence1,sentence2,score\n"


@pytest.fixture
def files(tmp_path):
    train, dev = tmp_path / "train.csv", tmp_path / "dev.csv"
    rows = [f"first {i},second {i},{i % 6}\n" for i in range(12)]
    train.write_text(HEAD + "".join(rows))
    new = [f"another {i},text {i},{i % 6}\n" for i in range(8)]
    dev.write_text(HEAD + "".join([*rows[:2], *new]))
    return str(train), str(dev)


def test_it_says_what_the_data_is_and_what_leaks(files, capsys):
    check([*files])
    out = " ".join(capsys.readouterr().out.split())
    assert f"{files[0]}: scored, 12 rows" in out
    assert "scores from 0 to 5, inferred over all 12 rows" in out
    assert f"2 of 10 rows occur in {files[0]} too" in out
    assert "at row 2; row 3" in out
    assert "methods that fit: cosine, " in out
    assert f"next: likewise train {files[0]}" in out


def test_json_is_the_only_thing_on_stdout(files, capsys):
    check([*files], json=True)
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "likewise.check/1"
    train, dev = answer["data"]
    assert (train["kind"], train["rows"], train["score_range"]) == ("scored", 12, [0, 5])
    assert train["roles"]["score"] == {"column": "score", "example": 0}
    assert train["methods"][0] == "cosine"
    assert "softmax" not in train["methods"]
    (leak,) = [finding for finding in dev["findings"] if finding["check"] == "leakage"]
    assert (leak["level"], leak["count"]) == ("warning", 2)
    assert leak["rows"] == [f"{files[1]}, row 2", f"{files[1]}, row 3"]
    assert [f for f in train["findings"] if f["level"] != "note"] == []


def test_a_dev_set_that_is_the_train_set_is_an_error_after_the_report(files, capsys):
    with pytest.raises(InputError, match="12 of 12 rows occur in") as raised:
        check([files[0], files[0]])
    assert raised.value.exit_code == 2
    assert "12 rows" in capsys.readouterr().out


def test_quiet_leaves_what_it_is_and_the_warnings(files, capsys):
    check([*files], quiet=True)
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0] == f"{files[0]}: scored, 12 rows"
    assert lines[1] == f"{files[1]}: scored, 10 rows"
    assert lines[2].startswith("  warning: 2 of 10 rows occur")
    assert captured.err == ""


def test_bad_rows_are_an_error_and_a_note_on_request(tmp_path, capsys):
    path = tmp_path / "bad.csv"
    path.write_text(HEAD + "a,b,1\nc,d,high\n")
    with pytest.raises(InputError, match='row 3, column "score": expected a number, found "high"'):
        check([str(path)])
    assert capsys.readouterr().out == ""
    check([str(path)], skip_bad=True)
    assert "1 bad rows skipped" in capsys.readouterr().out


def test_options_reach_the_reader_and_the_next_command(tmp_path, capsys):
    path = tmp_path / "a.csv"
    path.write_text("title,body,score\na,b,1\nc,d,2\n")
    columns = ["sentence1=title,sentence2=body"]
    check([str(path)], columns=columns, score_range="0,10", kind="scored")
    out = capsys.readouterr().out
    assert "scores from 0 to 10, stated" in out
    options = "--kind scored --columns sentence1=title,sentence2=body --score-range 0,10"
    assert f"next: likewise train {path} {options}" in out


def test_plain_texts_have_methods_too(tmp_path, capsys):
    path = tmp_path / "a.txt"
    path.write_text("one text\nanother text\n")
    check([str(path)])
    assert f"next: likewise train {path}" in capsys.readouterr().out


def test_a_retrieval_folder_is_told_by_its_queries_and_documents(tmp_path, capsys):
    (tmp_path / "queries.jsonl").write_text('{"_id": "1", "text": "q"}\n')
    (tmp_path / "corpus.jsonl").write_text('{"_id": "1", "text": "d"}\n{"_id": "2", "text": "e"}\n')
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n1\t1\t1\n")
    check([str(tmp_path)], kind="scored")
    out = capsys.readouterr().out
    assert "retrieval, 1 queries, 2 documents" in out
    assert f"likewise eval minilm --on {tmp_path}" in out


def test_nothing_is_written(files, tmp_path):
    before = {path: path.read_bytes() for path in tmp_path.rglob("*")}
    check([*files], quiet=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*")} == before


def test_a_model_counts_tokens_in_place_of_the_estimate(tmp_path, tiny_folder, capsys):
    path = tmp_path / "a.csv"
    path.write_text("anchor,positive\na short one,b\n" + "word " * 600 + ",c\n")
    check([str(path)], model=str(tiny_folder), json=True)
    (report,) = json.loads(capsys.readouterr().out)["data"]
    anchor = report["tokens"]["anchor"]
    assert anchor["texts"] == 2
    assert anchor["longest"] >= 600
    assert anchor["cut"] == 1
    assert report["tokens"]["positive"]["cut"] == 0
    check([str(path)], model=str(tiny_folder))
    out = capsys.readouterr().out
    assert "estimated" not in out
    assert f"anchor: 2 texts, median {anchor['median']} tokens" in out


def test_plain_texts_are_told_what_fits_and_why(texts_file, nli_file, capsys):
    check([str(texts_file), str(nli_file)])
    out = capsys.readouterr().out
    told = out[out.index("to learn from: ") :]
    assert "64 texts as long as sentences (median 8 words): few to learn from" in told
    assert "    tsdae: adapts best of four methods" in told
    assert f"needs a stage behind it, as on {nli_file}" in told
    assert "gpl: for search" in told
    assert "needs a cross-encoder, by --set teacher=FOLDER" in told
    assert f"next: likewise train {texts_file} --method tsdae\n" in told
    assert "methods that fit: mnr, " in out
    assert "(mnr: of a BERT on NLI rows" in out


def test_a_cross_encoder_among_the_files_is_a_teacher(
    texts_file, retrieval_folder, tiny_folder, tmp_path, capsys
):
    folder = from_encoder(tiny_folder, classes=1).save(tmp_path / "cross")
    check([str(texts_file), str(folder), str(retrieval_folder)], json=True)
    texts, corpus = json.loads(capsys.readouterr().out)["data"]
    assert (texts["kind"], corpus["kind"]) == ("texts", "retrieval")
    for found in (texts, corpus):
        (gpl,) = [one for one in found["advice"] if one["method"] == "gpl"]
        assert gpl["needs"] == ""
        assert gpl["options"] == f"--set teacher={folder}"
        assert set(gpl) == {"method", "reason", "needs", "options"}
    assert texts["methods"][0] == "tsdae"
    assert "mse" in texts["methods"]
    assert "mse" not in corpus["methods"]
    assert corpus["next"].startswith("likewise eval minilm --on")


def test_a_model_alone_is_no_data(tiny_folder, tmp_path):
    folder = from_encoder(tiny_folder, classes=1).save(tmp_path / "cross")
    with pytest.raises(InputError, match="is a model, and no data is named"):
        check([str(folder)])


def test_a_corpus_is_measured_on_and_learnt_from(retrieval_folder, capsys):
    check([str(retrieval_folder)])
    out = capsys.readouterr().out
    assert "to measure on; next: likewise eval minilm --on" in out
    assert "its corpus: 64 texts as long as sentences" in out
    assert "    tsdae: " in out
