"""GPL: what is asked, what is put against it, who says by how much, and what is learnt of it."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import TOPICS, answer, question, write_lines
from likewise.data.clusters import normalise
from likewise.data.dataset import Dataset
from likewise.data.reading import read
from likewise.errors import InputError
from likewise.losses import margin_mse
from likewise.methods.gpl import LEAST_SPREAD, train_gpl
from likewise.methods.recipe import resolve_options
from likewise.methods.run import train
from likewise.methods.teachers import frozen_copy
from likewise.mining.vectors import unit
from likewise.models import generator
from likewise.models.build import load
from likewise.models.cross_encoder import from_encoder, load_cross_encoder
from likewise.models.encoder import Encoder
from methods.small_data import Watched, make_cross_encoder, texts, watched
from models.tiny_t5 import make_t5
from training.small_runs import Crash, Log, crash_after, make_data, same_weights, weights

N = 12
Triple = tuple[str, str, str]


@pytest.fixture(scope="session")
def _cross(_teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cross_encoder(_teacher, tmp_path_factory.mktemp("cross") / "model")


@pytest.fixture
def cross(_cross: Path) -> str:
    """The folder of a cross-encoder, not to be changed."""
    return str(_cross)


@pytest.fixture
def new_fit(teacher_folder: Path, tmp_path: Path) -> Callable[..., Watched]:
    """A fit whose encoder has weights large enough to tell texts apart."""

    def new_fit(name: str = "run", **options: Any) -> Watched:
        return watched(load(teacher_folder, device="cpu"), tmp_path / name, **options)

    return new_fit


def sections(n: int = N) -> Dataset:
    """Passages of two sentences; the first is a question that the second answers."""
    chosen = TOPICS[:n]
    return make_data("texts", text=[f"{question(*t)}? {answer(*t).capitalize()}." for t in chosen])


def triples(data: Dataset) -> list[Triple]:
    return list(
        zip(*(data.texts(role) for role in ("anchor", "positive", "negative")), strict=True)
    )


def logits(folder: str, data: Dataset) -> np.ndarray:
    """[n, 2] of the cross-encoder, asked here."""
    model = load_cross_encoder(folder, device="cpu")
    sides = [
        model.predict([(q, text) for q, text in pairs], precision="float32", activation="identity")
        for pairs in (
            [(q, positive) for q, positive, _ in triples(data)],
            [(q, negative) for q, _, negative in triples(data)],
        )
    ]
    return np.stack(sides, axis=1)


def cosines(encoder: Encoder, data: Dataset) -> np.ndarray:
    """[n, 2] of the encoder as it is."""
    sides = [
        unit(encoder.encode(data.texts(role), precision="float32"))
        for role in ("anchor", "positive", "negative")
    ]
    return np.stack([(sides[0] * other).sum(axis=1) for other in sides[1:]], axis=1)


def test_each_query_gets_its_passage_another_one_and_the_margin_between(new_fit, cross: str):
    fit, data = new_fit(), sections()
    passages = data.texts("text")
    train_gpl(fit, data, teacher=cross)
    assert fit.data.kind == "distilled"
    for (query, positive, negative), row in zip(triples(fit.data), fit.data.row, strict=True):
        own = passages[row - 1]
        assert set(query.split()) <= set(own.replace("?", "? ").split()) | {query}
        assert positive == own or positive == own.replace(query, "").strip()
        assert negative in passages
        assert normalise(negative) not in {normalise(own), normalise(positive)}
    expected = logits(cross, fit.data)
    found = fit.data.score_lists()
    ratio = (expected[:, 0] - expected[:, 1]) / (found[:, 0] - found[:, 1])
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)  # one unit for all


def test_of_a_cosine_model_the_margins_spread_as_its_own_do(new_fit, cross: str):
    fit = new_fit()
    before = frozen_copy(fit.encoder)
    train_gpl(fit, sections(), teacher=cross)
    own, taught = (s[:, 0] - s[:, 1] for s in (cosines(before, fit.data), fit.data.score_lists()))
    spread = max(np.sqrt((own**2).mean()), LEAST_SPREAD)
    assert np.sqrt((taught**2).mean()) == pytest.approx(spread, rel=1e-4)
    (said,) = (note for note in fit.notes if note.startswith("cosines learn the margins"))
    asked = logits(cross, fit.data)
    told = np.sqrt(((asked[:, 0] - asked[:, 1]) ** 2).mean()) / spread
    assert float(re.findall(r"([\d.e+]+) logits", said)[0]) == pytest.approx(told, rel=0.01)


def as_dot(encoder: Encoder) -> Encoder:
    encoder.contents = replace(encoder.contents, similarity="dot")
    return encoder


def test_a_model_of_dot_products_learns_the_logits_themselves(new_fit, cross: str):
    fit = new_fit()
    as_dot(fit.encoder)
    train_gpl(fit, sections(), teacher=cross)
    np.testing.assert_allclose(
        fit.data.score_lists(), logits(cross, fit.data), rtol=1e-4, atol=1e-5
    )
    assert any(note.startswith("dot products learn the margins as they are") for note in fit.notes)


@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_the_loss_is_margin_mse_in_the_similarity_of_the_model(
    similarity: str, new_fit, cross: str
):
    log = Log()
    fit = new_fit(epochs=1, batch_size=100, dropout=0.0, observers=[log])
    if similarity == "dot":
        as_dot(fit.encoder)
    before = frozen_copy(fit.encoder)
    train_gpl(fit, sections(), teacher=cross)
    vectors = [
        torch.from_numpy(before.encode(fit.data.texts(role), precision="float32"))
        for role in ("anchor", "positive", "negative")
    ]
    scores = torch.tensor(fit.data.score_lists())
    loss = margin_mse(vectors[0], torch.stack(vectors[1:], dim=1), scores, similarity=similarity)
    assert log.steps[0].loss == pytest.approx(loss.item(), rel=1e-3)


def test_negatives_are_what_the_base_model_holds_near(new_fit, cross: str):
    fit, data = new_fit(), sections(64)
    before = frozen_copy(fit.encoder)
    train_gpl(fit, data, teacher=cross, queries_per_passage=1)
    passages = data.texts("text")
    asked = unit(before.encode(fit.data.texts("anchor"), precision="float32"))
    ranks = np.argsort(-(asked @ unit(before.encode(passages, precision="float32")).T), axis=1)
    places = [passages.index(text) for text in fit.data.texts("negative")]
    found = [row.tolist().index(place) for row, place in zip(ranks, places, strict=True)]
    assert max(found) <= 50  # 50 of 63, and perhaps the answer before them
    assert min(found) <= 5
    assert "negatives by base: 50 a query" in fit.notes


def test_several_negatives_of_a_query_are_rows_with_one_score_of_its_passage(new_fit, cross: str):
    one, three = new_fit("one"), new_fit("three")
    train_gpl(one, sections(64), teacher=cross)
    train_gpl(three, sections(64), teacher=cross, negatives_per_query=3)
    rows = triples(three.data)
    assert len(rows) == 3 * len(triples(one.data))
    assert len(set(rows)) == len(rows)
    of_pair = {}
    for (query, positive, _), scores in zip(rows, three.data.score_lists(), strict=True):
        of_pair.setdefault((query, positive), set()).add(float(scores[0]))
    assert all(len(scores) == 1 for scores in of_pair.values())
    scored = len({(q, text) for q, *texts in rows for text in texts})
    assert f"the cross-encoder scores {scored:,} pairs" in three.notes
    np.testing.assert_allclose(
        np.ptp(logits(cross, three.data)[:, 0] / three.data.score_lists()[:, 0]), 0, atol=1e-2
    )


def test_several_miners_find_more(new_fit, cross: str, tiny_folder: Path):
    found = {}
    for miners in ("base", "bm25", f"base, {tiny_folder},bm25"):
        fit = new_fit(str(len(miners)))
        train_gpl(fit, sections(64), teacher=cross, miners=miners)
        found[miners] = triples(fit.data)
        told = [note.split(":")[0] for note in fit.notes if note.startswith("negatives by")]
        assert told == [f"negatives by {name.strip()}" for name in miners.split(",")]
        kept = sorted(path.name for path in fit.folder.glob("negatives-*.npy"))
        assert kept == [f"negatives-{i}.npy" for i in range(len(told))]
    assert len(set(map(str, found.values()))) == 3


def test_bm25_alone_leaves_out_queries_that_share_no_word(new_fit, cross: str):
    # queries: "river letters", "river engine" and one of the two words of the last
    given = ["river garden letters", "river garden engine", "violin bridge"]
    data = make_data("texts", text=given)
    fit = new_fit()
    train_gpl(fit, data, teacher=cross, miners="bm25")
    assert "queries without a negative were left out: 1" in fit.notes
    assert set(fit.data.texts("positive")) == set(given[:2])
    apart = make_data("texts", text=["the river paints", "violin engine bridge"])
    with pytest.raises(InputError, match="none of 2 queries has a negative") as caught:
        train_gpl(new_fit("apart"), apart, teacher=cross, miners="bm25")
    assert "miners=base" in caught.value.mend


def test_a_corpus_is_asked_once_of_each_passage(new_fit, cross: str):
    data = sections(6)
    doubled = make_data("texts", text=[*data.texts("text"), *map(str.upper, data.texts("text"))])
    first, second = new_fit("first"), new_fit("second")
    train_gpl(first, data, teacher=cross)
    train_gpl(second, doubled, teacher=cross)
    assert triples(first.data) == triples(second.data)
    assert any("stand twice" in note and note.endswith(": 6") for note in second.notes)


def test_notes_tell_of_queries_margins_and_better_negatives(new_fit, cross: str):
    fit = new_fit()
    before = frozen_copy(fit.encoder)
    train_gpl(fit, sections(), teacher=cross)
    scores = logits(cross, fit.data)
    margins = scores[:, 0] - scores[:, 1]
    said = "\n".join(fit.notes)
    n = len(margins)
    assert f"{n} queries of {N} of {N} passages (" in said
    assert f"the cross-encoder scores {2 * n} pairs" in said
    assert f"mean {margins.mean():.2f}; a tenth below {np.quantile(margins, 0.1):.2f}" in said
    above = int((margins < 0).sum())
    assert f"above the query's passage: {above} ({above / n:.1%})" in said
    assert "the teacher's scores are a sigmoid; margins are of its logits" in said
    own = cosines(before, fit.data)
    worse = (own[:, 0] < own[:, 1]).mean()
    assert f"the base model scores it so in {worse:.1%} of {n} rows" in said


def test_own_queries_are_trained_on_and_no_others(new_fit, cross: str, tmp_path: Path):
    data = sections()
    rows = [
        {"query": f"someone does {verb} here", "passage": data.texts("text")[i]}
        for i, (verb, _) in enumerate(TOPICS[:5])
    ]
    rows.append({"query": "what is new", "passage": "people compare the planet here"})
    file = write_lines(tmp_path / "own.jsonl", rows)
    fit = new_fit()
    train_gpl(fit, data, teacher=cross, queries=str(file))
    assert [(q, p) for q, p, _ in triples(fit.data)] == [(r["query"], r["passage"]) for r in rows]
    assert not (fit.folder / "queries.jsonl").exists()


def test_a_model_may_write_the_queries(
    new_fit, cross: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(generator, "LONGEST_QUERY", 6)
    folder = make_t5(tmp_path / "t5")
    fit = new_fit()
    train_gpl(fit, sections(), teacher=cross, generator=str(folder), queries_per_passage=2)
    assert set(fit.data.texts("positive")) <= set(sections().texts("text"))  # nothing taken out
    assert any(re.match(r"\d+ queries of 12 of 12 passages \(generated: ", n) for n in fit.notes)


def test_dev_queries_are_never_trained_on(new_fit, cross: str, tmp_path: Path):
    data = sections()
    fit = new_fit()
    train_gpl(fit, data, teacher=cross)
    known = fit.data.texts("anchor")[0]
    measured = new_fit("measured")
    measured.dev = make_data("pairs", anchor=[known.upper()], positive=["a river"])
    train_gpl(measured, data, teacher=cross)
    assert known not in measured.data.texts("anchor")
    assert "queries of the dev data were left out: 1" in measured.notes


@pytest.fixture
def corpus_folder(tmp_path: Path) -> Path:
    """A retrieval folder with titles, whose queries no passage has."""
    folder = tmp_path / "corpus"
    documents = (
        {"_id": f"d{i}", "title": "To {} the {}".format(*topic), "text": f"{answer(*topic)}. Well."}
        for i, topic in enumerate(TOPICS[:24])
    )
    write_lines(folder / "corpus.jsonl", documents)
    asked = [(i, TOPICS[i]) for i in range(0, 24, 2)]
    queries = ({"_id": f"q{i}", "text": f"{question(*topic)} every day"} for i, topic in asked)
    write_lines(folder / "queries.jsonl", queries)
    judged = "".join(f"q{i}\td{i}\t1\n" for i, _ in asked)
    (folder / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    return folder


def run(folder: Path, base: Path, cross: str, out: Path, **settings: Any) -> Any:
    usual = {"epochs": 1, "batch_size": 8, "precision": "float32", "learning_rate": 1e-3}
    return train(
        str(base), folder, method="gpl", dev=folder, out=out, teacher=cross, **(usual | settings)
    )


def test_a_retrieval_folder_is_learnt_from_and_measured_on(
    corpus_folder: Path, teacher_folder: Path, cross: str, tmp_path: Path
):
    found = run(corpus_folder, teacher_folder, cross, tmp_path / "out")
    assert found.evaluation is not None
    assert found.evaluation.results[0].primary.startswith("ndcg")
    asked = (tmp_path / "out" / "checkpoints" / "queries.jsonl").read_text()
    assert '"source": "title"' in asked
    data = read(corpus_folder)
    assert not any(query in asked for query in data.queries)
    assert f'data = [\n    "{corpus_folder}",\n]' in (tmp_path / "out" / "recipe.toml").read_text()
    assert any("the queries and judgements are not trained on" in note for note in found.notes)


def test_an_empty_document_is_named(
    corpus_folder: Path, teacher_folder: Path, cross: str, tmp_path: Path
):
    with (corpus_folder / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "none", "title": "", "text": " "}\n')
    with pytest.raises(InputError, match=r'corpus\.jsonl, row 25: the text of "none" is empty'):
        run(corpus_folder, teacher_folder, cross, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_judgements_change_nothing(
    corpus_folder: Path, teacher_folder: Path, cross: str, tmp_path: Path
):
    first = run(corpus_folder, teacher_folder, cross, tmp_path / "a")
    qrels = corpus_folder / "qrels.tsv"
    head, *lines = qrels.read_text().splitlines()
    queries, documents = ([line.split()[i] for line in lines] for i in (0, 1))
    turned = [f"{q}\t{d}\t1" for q, d in zip(queries, documents[::-1], strict=True)]
    qrels.write_text("\n".join([head, *turned]) + "\n")
    second = run(corpus_folder, teacher_folder, cross, tmp_path / "b")
    assert same_weights(weights(first.model), weights(second.model))


def test_a_stopped_run_goes_on_without_asking_anyone_again(new_fit, cross: str):
    options = {"epochs": 2, "checkpoint_every": 2}
    whole = new_fit("whole", **options)
    train_gpl(whole, sections(), teacher=cross)
    cut = new_fit("cut", observers=[crash_after(3)], **options)
    with pytest.raises(Crash):
        train_gpl(cut, sections(), teacher=cross)
    kept = [cut.folder / name for name in ("queries.jsonl", "negatives-0.npy", "teacher.npy")]
    times = [path.stat().st_mtime_ns for path in kept]
    again = new_fit("cut", resume=True, **options)
    train_gpl(again, sections(), teacher=cross)
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert same_weights(weights(again.encoder), weights(whole.encoder))


def test_nothing_is_written_before_all_is_checked(new_fit, cross: str, tiny_folder: Path):
    fit = new_fit()
    for wrong in ({"generator": str(tiny_folder)}, {"miners": "nowhere"}, {"queries": "none.csv"}):
        with pytest.raises(InputError):
            train_gpl(fit, sections(), teacher=cross, **wrong)
        assert not fit.folder.exists()


@pytest.mark.parametrize(
    ("options", "said", "mend"),
    [
        ({"teacher": ""}, "needs a cross-encoder, and none is named", "--method cross-encoder"),
        ({"teacher": "BASE"}, "gives vectors", "--method cross-encoder"),
        ({"teacher": "NLI"}, "answers 3 labels", "one number"),
        ({"teacher": "nowhere"}, "no model folder", ""),
        ({"generator": "a", "queries": "b"}, "not both", "leave out"),
        ({"generator": "BASE"}, "no sequence-to-sequence model", "docT5query"),
        ({"miners": " , "}, "no model is named", "miners=base,bm25"),
        ({"miners": "base,CROSS"}, "cannot search a corpus", "bm25"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_mend(
    options: dict[str, Any],
    said: str,
    mend: str,
    new_fit,
    cross: str,
    tiny_folder: Path,
    tmp_path: Path,
):
    folders = {"BASE": str(tiny_folder), "CROSS": cross}
    if options.get("teacher") == "NLI":
        folders["NLI"] = str(from_encoder(tiny_folder, classes=3).save(tmp_path / "nli"))
    given = {
        key: ",".join(folders.get(part, part) for part in value.split(","))
        if isinstance(value, str)
        else value
        for key, value in options.items()
    }
    with pytest.raises(InputError, match=said) as caught:
        train_gpl(new_fit(), sections(), **({"teacher": cross} | given))
    assert mend in caught.value.mend


@pytest.mark.parametrize("name", ["queries_per_passage", "negatives_per_query"])
def test_numbers_out_of_range_are_refused(name: str):
    with pytest.raises(InputError, match=name):
        resolve_options("gpl", {name: 0})


def test_more_negatives_than_there_are_take_no_memory(new_fit, cross: str):
    fit = new_fit()
    train_gpl(fit, sections(12), teacher=cross, queries_per_passage=1, negatives_per_query=10**12)
    assert len(fit.data) == 12 * 11


def test_bm25_is_known_in_any_case(new_fit, cross: str):
    fit = new_fit()
    train_gpl(fit, sections(12), teacher=cross, miners="BM25")
    assert any("negatives by bm25" in note for note in fit.notes)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["a river"] * 5, "5 rows hold one"),
        (["the of", "and a", "heron"], "none of 3 passages has a query"),
        (["...", "a river and a garden"], "2 rows hold one"),
    ],
    ids=["duplicates", "nothing to ask", "a single passage with words"],
)
def test_a_corpus_that_is_too_poor_is_refused(given: list[str], said: str, new_fit, cross: str):
    with pytest.raises(InputError, match=said) as caught:
        train_gpl(new_fit(), make_data("texts", text=given), teacher=cross)
    assert caught.value.mend


def test_a_teacher_that_tells_nothing_apart_is_refused(new_fit, tiny_folder: Path, tmp_path: Path):
    dull = from_encoder(tiny_folder, classes=1)
    with torch.no_grad():
        for name, parameter in dull.module.named_parameters():
            if "classifier" in name or "head" in name:
                parameter.zero_()
    folder = dull.save(tmp_path / "dull")
    with pytest.raises(InputError, match=r"scores all .* negatives as it does the answers"):
        train_gpl(new_fit(), texts(12), teacher=str(folder))
