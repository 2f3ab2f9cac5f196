"""Which passages are asked about, by which queries, and what the run's folder keeps of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import TOPICS, answer, question, write_lines
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.derive import corpus_to_texts
from likewise.errors import InputError
from likewise.methods import corpus_queries
from likewise.methods.corpus_queries import (
    Corpus,
    corpus_of,
    make_queries,
    read_queries,
    tell_queries,
    without_dev,
)
from likewise.mining.queries import Query
from likewise.models import generator
from likewise.models.generator import load_generator
from methods.small_data import texts
from models.tiny_t5 import make_t5
from training.small_runs import make_data, make_fit, triplets

LEAD = "A heron waits without moving for most of the day."


@pytest.fixture
def new_fit(new_encoder, tmp_path: Path) -> Callable[..., Any]:
    return lambda name="run", **options: make_fit(new_encoder(), tmp_path / name, **options)


def plain(*given: str) -> Dataset:
    return make_data("texts", text=list(given))


def sections(n: int) -> Dataset:
    """Passages of three sentences."""
    return plain(
        *(f"{answer(*topic).capitalize()}. {LEAD} {question(*topic)}?" for topic in TOPICS[:n])
    )


def test_each_passage_stands_once_but_for_case_and_signs(new_fit):
    fit = new_fit()
    corpus = corpus_of(fit, plain("a river", "A River!", "a garden", "a river", "..."))
    assert corpus.passages == ["a river", "a garden"]
    assert corpus.data.row.tolist() == [1, 3]
    assert corpus.titles is None
    assert fit.notes == [
        "passages that stand twice, but for case and punctuation, were left out: 2",
        "passages without a word were left out: 1",
    ]


def test_every_text_column_holds_passages(new_fit):
    data = triplets(6)
    assert set(corpus_of(new_fit(), data).passages) == set(data.all_texts())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("one", "One.", "ONE"), "3 rows hold one"),
        (("...", "?!"), "2 rows hold none"),
        (("a single text",), "1 rows hold one"),
    ],
)
def test_fewer_than_two_passages_are_refused(given: tuple[str, ...], said: str, new_fit):
    with pytest.raises(InputError, match=said) as caught:
        corpus_of(new_fit(), plain(*given))
    assert "memory.jsonl" in str(caught.value)


def test_titles_of_a_retrieval_set_are_known(new_fit, tmp_path: Path):
    documents = ("A title and its body", "no title here")
    data = RetrievalSet(
        name="made",
        split="test",
        query_ids=("q",),
        queries=("a query",),
        document_ids=("d", "e"),
        documents=documents,
        judgements={"q": {"d": 1}},
        titles=("A title", ""),
    )
    corpus = corpus_of(new_fit(), corpus_to_texts(data))
    assert corpus.passages == list(documents)
    assert corpus.titles == ["A title", ""]


def test_queries_are_cut_out_of_the_passages_and_kept(new_fit):
    fit = new_fit()
    corpus = corpus_of(fit, sections(6))
    found = make_queries(fit, corpus, None, count=2)
    assert [query.passage for query in found] == [i for i in range(6) for _ in range(2)]
    assert {query.source for query in found} == {"leading sentence", "key phrases"}
    lines = [json.loads(line) for line in (fit.folder / "queries.jsonl").read_text().splitlines()]
    assert [line["query"] for line in lines] == [query.text for query in found]
    assert [line["passage"] for line in lines] == [query.passage for query in found]
    assert make_queries(fit, corpus, None, count=2) == found


def test_kept_queries_are_read_back_until_something_changes(new_fit):
    fit = new_fit()
    corpus = corpus_of(fit, sections(6))
    options = {"count": 2}
    whole = make_queries(fit, corpus, None, **options)
    path = fit.folder / "queries.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    assert make_queries(fit, corpus, None, **options) == whole[:3]  # what is there is taken
    for changed in ({"count": 1}, {"count": 3}):
        again = make_queries(fit, corpus, None, **(options | changed))
        assert again == make_queries(new_fit(str(changed)), corpus, None, **(options | changed))
    other = corpus_of(fit, sections(5))
    assert {q.passage for q in make_queries(fit, other, None, **options)} == set(range(5))
    assert make_queries(new_fit("other", seed=5), corpus, None, **options) != whole


def test_a_model_writes_queries_once(new_fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(generator, "LONGEST_QUERY", 6)
    writer = load_generator(make_t5(tmp_path / "t5"), device="cpu")
    fit = new_fit()
    corpus = corpus_of(fit, texts(8))
    found = make_queries(fit, corpus, writer, count=2)
    assert {query.source for query in found} == {"generated"}
    assert {query.passage for query in found} == set(range(8))
    assert all(query.shown("a passage") == "a passage" for query in found)
    assert make_queries(new_fit("same"), corpus, writer, count=2) == found
    assert make_queries(new_fit("other", seed=5), corpus, writer, count=2) != found
    names = sorted(path.name for path in fit.folder.iterdir())
    assert names == ["queries.json", "queries.jsonl"]


def test_an_interrupted_model_goes_on(new_fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(generator, "LONGEST_QUERY", 6)
    monkeypatch.setattr(generator, "BLOCK", 3)
    writer = load_generator(make_t5(tmp_path / "t5"), device="cpu")
    fit, marked = new_fit(), [["one river"], ["two rivers"], ["three"]]
    corpus = corpus_of(fit, texts(8))
    whole = make_queries(new_fit("whole"), corpus, writer, count=1)
    fit.folder.mkdir(parents=True)
    draft, aside = fit.folder / ".queries.jsonl.partial", tmp_path / "aside.jsonl"
    seed = corpus_queries.child_seed(fit.options.seed, "queries")
    writer.sample_to_file(corpus.passages, aside, count=1, seed=seed)
    header = aside.read_text().splitlines()[0]
    draft.write_text(f"{header}\n{json.dumps(marked)}\n")
    found = make_queries(fit, corpus, writer, count=1)
    assert [query.text for query in found[:3]] == ["one river", "two rivers", "three"]
    assert found[3:] == [query for query in whole if query.passage >= 3]
    assert not draft.exists()


def test_of_a_large_corpus_a_part_is_asked_about(new_fit, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(corpus_queries, "MOST", 10)
    fit = new_fit()
    corpus = corpus_of(fit, sections(30))
    found = make_queries(fit, corpus, None, count=2)
    assert len(found) == 10
    assert len({query.passage for query in found}) == 5
    assert "queries are made for 5 of 30 passages, drawn at random" in fit.notes
    for query in found:
        assert set(query.text.split()) <= set(corpus.passages[query.passage].split())
    other = make_queries(new_fit("other", seed=5), corpus, None, count=2)
    assert {query.passage for query in other} != {query.passage for query in found}


def own(tmp_path: Path, rows: list[dict[str, Any]], name: str = "own.jsonl") -> str:
    return str(write_lines(tmp_path / name, rows))


def test_own_queries_find_their_passages_and_bring_those_that_are_missing(new_fit, tmp_path: Path):
    fit = new_fit()
    corpus = corpus_of(fit, plain("a river", "a garden", "a bridge"))
    rows = [
        {"query": "what flows?", "passage": "A RIVER!"},
        {"query": "who plays?", "passage": "a violin"},
        {"query": "where is it green?", "passage": "a garden"},
        {"query": "who else plays?", "passage": "A violin."},
        {"query": "what flows?", "passage": "a river"},
    ]
    found, larger = read_queries(fit, own(tmp_path, rows), corpus)
    assert larger.passages == ["a river", "a garden", "a bridge", "a violin"]
    assert [(query.text, query.passage) for query in found] == [
        ("what flows?", 0),
        ("who plays?", 3),
        ("where is it green?", 1),
        ("who else plays?", 3),
    ]
    assert {query.source for query in found} == {"given"}
    assert str(larger.data.where(3)) == f"{tmp_path / 'own.jsonl'}, row 2"
    assert str(larger.data.where(2)) == "memory.jsonl, row 3"
    assert any(note.endswith("are not in the data were added to it: 1") for note in fit.notes)


def test_own_queries_may_have_several_passages_each(new_fit, tmp_path: Path):
    corpus = corpus_of(new_fit(), plain("a river", "a garden"))
    rows = [{"query": "what is here?", "passage": ["a river", "a garden", "an engine"]}]
    found, larger = read_queries(new_fit(), own(tmp_path, rows), corpus)
    assert [query.passage for query in found] == [0, 1, 2]
    assert larger.passages[2] == "an engine"


def test_added_passages_have_no_title(new_fit, tmp_path: Path):
    data = make_data("texts", text=["A title and body", "another"], title=["A title", None])
    corpus = corpus_of(new_fit(), data)
    rows = [{"query": "what?", "passage": "an engine"}]
    _, larger = read_queries(new_fit(), own(tmp_path, rows), corpus)
    assert larger.titles == ["A title", "", ""]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"question_text": "a", "body": "b"}], "no column is named"),
        ([{"text": "a"}], "found texts data"),
        ([{"sentence1": "a", "sentence2": "b", "score": 1.0}], "found scored data"),
        ([{"query": "a", "passage": "b", "label": 1}], "found reranking data"),
    ],
    ids=["unknown columns", "no passages", "scored pairs", "labels"],
)
def test_a_file_that_holds_no_queries_with_passages_is_refused(
    rows: list[dict[str, Any]], said: str, new_fit, tmp_path: Path
):
    corpus = corpus_of(new_fit(), texts(4))
    with pytest.raises(InputError, match=said) as caught:
        read_queries(new_fit(), own(tmp_path, rows), corpus)
    assert caught.value.mend == "name its columns query and passage, and leave others away"
    assert "own.jsonl" in str(caught.value)


def test_a_bad_row_or_no_file_is_told_as_everywhere(new_fit, tmp_path: Path):
    corpus = corpus_of(new_fit(), texts(4))
    with pytest.raises(InputError, match="row 1") as caught:
        read_queries(new_fit(), own(tmp_path, [{"query": "", "passage": "b"}]), corpus)
    assert "fill it in" in str(caught.value)
    with pytest.raises(InputError, match=r"none\.csv"):
        read_queries(new_fit(), str(tmp_path / "none.csv"), corpus)


def queries_of(*given: str) -> list[Query]:
    return [Query(text=text, passage=i, source="given") for i, text in enumerate(given)]


def test_queries_of_a_retrieval_set_to_be_measured_on_are_left_out(new_fit, retrieval):
    fit = new_fit()
    fit.dev = retrieval
    mine = queries_of("something else", f"{retrieval.queries[2].upper()}?")
    assert [query.text for query in without_dev(fit, mine)] == ["something else"]
    assert "queries of the dev data were left out: 1" in fit.notes


def test_anchors_of_dev_pairs_are_left_out_and_their_answers_are_not(new_fit):
    fit = new_fit()
    fit.dev = make_data("pairs", anchor=["what flows?"], positive=["a river"])
    found = without_dev(fit, queries_of("What flows", "a river"))
    assert [query.text for query in found] == ["a river"]


def test_without_dev_queries_all_stay(new_fit):
    fit = new_fit()
    assert without_dev(fit, queries_of("a", "b")) == queries_of("a", "b")
    fit.dev = make_data("scored", sentence1=["a"], sentence2=["b"], score=[1.0])
    assert without_dev(fit, queries_of("a", "b")) == queries_of("a", "b")
    assert without_dev(fit, []) == []
    assert fit.notes == []


def test_how_many_queries_from_where_is_told_with_samples(new_fit):
    fit = new_fit()
    corpus = Corpus(data=texts(4), passages=texts(4).texts("text"), titles=None)
    long = "word " * 50
    given = [*queries_of("one", "two"), Query(text=long, passage=0, source="sentence")]
    tell_queries(fit, given, corpus)
    assert fit.notes[0] == "3 queries of 2 of 4 passages (given: 2, sentence: 1)"
    assert fit.notes[1:3] == ['query, given: "one"', 'query, given: "two"']
    assert len(fit.notes[3]) < 125
    assert fit.notes[3].endswith('…"')
