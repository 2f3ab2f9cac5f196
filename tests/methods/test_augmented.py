"""Augmented SBERT: which pairs get a label, from whom, and what is trained on."""

import math
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from conftest import TOPICS, answer, question, write_lines
from likewise.data.dataset import Dataset
from likewise.data.reading import read
from likewise.errors import InputError
from likewise.methods.augmented import train_augmented
from likewise.models import draft_file
from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, from_encoder, load_cross_encoder
from likewise.training.events import Event, StepDone
from methods.small_data import DATA, Watched, watched
from training.small_runs import Log, make_data, nli, pairs, same_weights, scored, weights

Pair = tuple[str, str]
GOLD = 12  # rows: 12 questions and 6 answers


@pytest.fixture
def new_fit(teacher_folder: Path, tmp_path: Path) -> Callable[..., Watched]:
    """A fit whose encoder has weights large enough to tell texts apart."""

    def new_fit(name: str = "run", **options: Any) -> Watched:
        usual = {"batch_size": 16}
        return watched(load(teacher_folder, device="cpu"), tmp_path / name, **(usual | options))

    return new_fit


@pytest.fixture
def cross_folder(new_encoder, tmp_path: Path) -> Path:
    return from_encoder(new_encoder(), classes=1, seed=1).save(tmp_path / "cross")


def of_pairs(data: Dataset) -> list[Pair]:
    first, second = (data.texts(role) for role in data.text_roles()[:2])
    return list(zip(first, second, strict=True))


def unordered(found: list[Pair]) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in found}


def parts(fit: Watched) -> tuple[Dataset, Dataset]:
    """The gold and the silver of what was trained on."""
    silver = fit.data.source == len(fit.data.sources) - 1
    assert fit.data.sources[-1] == "silver pairs"
    return fit.data.take(np.flatnonzero(~silver)), fit.data.take(np.flatnonzero(silver))


def trained_teacher(fit: Watched) -> CrossEncoder:
    return load_cross_encoder(fit.folder / "cross-encoder" / "model", device="cpu")


STRATEGIES = ("semantic", "bm25", "semantic+bm25", "random", "given")


@pytest.mark.parametrize("sampling", STRATEGIES)
def test_gold_and_silver_are_trained_on_each_pair_once(sampling: str, new_fit):
    fit, data = new_fit(), scored(GOLD)
    train_augmented(fit, data, sampling=sampling, gold_fraction=0.5)
    gold, silver = parts(fit)
    assert len(gold) == GOLD // 2
    assert set(of_pairs(gold)) <= set(of_pairs(data))
    assert len(silver) > 0
    assert all(len(pair) == 2 for pair in unordered(of_pairs(silver)))
    assert len(unordered(of_pairs(silver))) == len(silver)
    assert not unordered(of_pairs(silver)) & unordered(of_pairs(gold))
    assert fit.data.score_range == (0, 1)
    given = dict(zip(of_pairs(data), data.numbers("score") / 5, strict=True))
    assert gold.numbers("score").tolist() == [given[pair] for pair in of_pairs(gold)]
    assert f"pairs to train on: {len(gold)} gold and {len(silver)} silver" in fit.notes


@pytest.mark.parametrize("sampling", STRATEGIES)
def test_silver_scores_are_those_of_the_cross_encoder(sampling: str, new_fit):
    fit = new_fit(precision="float32")
    train_augmented(fit, scored(GOLD), sampling=sampling, gold_fraction=0.5)
    _, silver = parts(fit)
    expected = trained_teacher(fit).predict(of_pairs(silver), precision="float32")
    np.testing.assert_array_equal(silver.numbers("score").astype(np.float32), expected)
    np.testing.assert_array_equal(np.load(fit.folder / "silver.npy")[:, 0], expected)


def test_semantic_search_pairs_each_sentence_with_its_nearest(new_fit):
    fit, data = new_fit(), scored(GOLD)
    texts = data.all_texts()
    vectors = fit.encoder.encode(texts, normalize=True)
    train_augmented(fit, data, top_k=2)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    near = np.argsort(-cosines, axis=1)[:, :2]
    expected = {frozenset((texts[i], texts[j])) for i, row in enumerate(near) for j in row}
    assert unordered(of_pairs(parts(fit)[1])) == expected - unordered(of_pairs(data))


def test_bm25_pairs_sentences_that_share_a_word(new_fit):
    fit = new_fit()
    train_augmented(fit, scored(GOLD), sampling="bm25", top_k=3)
    for left, right in of_pairs(parts(fit)[1]):
        assert set(left.lower().split()) & set(right.lower().split())


def test_both_searches_together_find_what_each_finds(new_fit):
    found = {}
    for sampling in ("semantic", "bm25", "semantic+bm25"):
        fit = new_fit(sampling)
        train_augmented(fit, scored(GOLD), sampling=sampling, top_k=2)
        found[sampling] = unordered(of_pairs(parts(fit)[1]))
    assert found["semantic+bm25"] == found["semantic"] | found["bm25"]
    assert found["semantic"] != found["bm25"]


def test_random_pairs_follow_the_seed(new_fit):
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit = new_fit(name, seed=seed)
        train_augmented(fit, scored(GOLD), sampling="random", silver=10)
        found.append(of_pairs(parts(fit)[1]))
    assert [len(pairs) for pairs in found] == [10, 10, 10]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("sampling", STRATEGIES)
def test_no_more_pairs_are_labelled_than_asked(sampling: str, new_fit):
    fit = new_fit()
    train_augmented(fit, scored(GOLD), sampling=sampling, gold_fraction=0.5, silver=4)
    assert len(parts(fit)[1]) == 4


def test_given_pairs_are_those_without_a_label_in_their_own_order(new_fit):
    fit, data = new_fit(), nli(24)
    train_augmented(fit, data, sampling="given", gold_fraction=0.25)
    gold, silver = parts(fit)
    assert (len(gold), len(silver)) == (6, 18)
    assert sorted(of_pairs(gold) + of_pairs(silver)) == sorted(of_pairs(data))


@pytest.mark.parametrize(("fraction", "used"), [(0.25, 3), (0.5, 6), (1.0, 12)])
def test_exactly_that_share_of_the_labels_is_used(fraction: float, used: int, new_fit):
    fit = new_fit()
    train_augmented(fit, scored(GOLD), gold_fraction=fraction)
    assert len(parts(fit)[0]) == used
    said = f"gold: the labels of {used} of 12 pairs; the others are not used"
    assert (said in fit.notes) == (fraction < 1)


@pytest.mark.parametrize("sampling", ["semantic", "given"])
@pytest.mark.parametrize("kind", ["scored", "nli"])
def test_the_other_labels_leak_nowhere(kind: str, sampling: str, new_fit):
    data, options = DATA[kind](GOLD), {"sampling": sampling, "gold_fraction": 0.5}
    first = new_fit("first")
    train_augmented(first, data, **options)
    kept = {int(row) for row in parts(first)[0].row}
    column = data.table.column_names[-1]
    nonsense = [
        value if int(row) in kept else (2 - value if kind == "nli" else 5 - value)
        for row, value in zip(data.row, data.table.column(column).to_pylist(), strict=True)
    ]
    table = data.table.set_column(2, column, pa.array(nonsense, data.table.column(column).type))
    assert table != data.table
    second = new_fit("second")
    train_augmented(second, Dataset(**{**vars(data), "table": table}), **options)
    assert same_weights(weights(first.encoder), weights(second.encoder))


def test_which_labels_are_used_follows_the_seed(new_fit):
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit = new_fit(name, seed=seed)
        train_augmented(fit, scored(24), gold_fraction=0.25, silver=4)
        found.append(parts(fit)[0].row.tolist())
    assert found[0] == found[1] != found[2]


def test_a_pair_that_is_gold_in_another_order_or_spelling_is_no_silver(new_fit, tmp_path: Path):
    data = scored(GOLD)
    known = of_pairs(data)
    again = [*((b, a) for a, b in known[:3]), *((f"{a.upper()}!", b) for a, b in known[3:6])]
    pool = [*again, ("apple", "river"), ("river", "Apple"), ("garden", "Garden.")]
    rows = ({"sentence1": a, "sentence2": b, "score": 0.5} for a, b in pool)
    file = write_lines(tmp_path / "pool.jsonl", rows)
    fit = new_fit()
    train_augmented(fit, data, sampling="given", pool=str(file))
    assert of_pairs(parts(fit)[1]) == [("apple", "river")]


@pytest.mark.parametrize("sampling", ["semantic", "random", "given"])
def test_a_pair_of_the_dev_data_is_no_silver(sampling: str, new_fit):
    data = scored(24)
    fit = new_fit()
    fit.dev = make_data("pairs", anchor=data.texts("sentence2"), positive=data.texts("sentence1"))
    fit.dev = fit.dev.take(range(12, 24))
    train_augmented(fit, data, sampling=sampling, gold_fraction=0.25, silver=500)
    silver = unordered(of_pairs(parts(fit)[1]))
    assert silver
    assert not silver & unordered(of_pairs(fit.dev))


def test_gold_that_stands_twice_is_trained_on_once(new_fit):
    data = scored(GOLD)
    (a, b), *_ = of_pairs(data)
    doubled = make_data(
        "scored",
        sentence1=[*data.texts("sentence1"), a, b],
        sentence2=[*data.texts("sentence2"), b, a],
        score=[*data.numbers("score"), 2.0, 3.0],
        score_range=(0.0, 5.0),
    )
    fit = new_fit()
    train_augmented(fit, doubled, silver=4)
    gold, _ = parts(fit)
    assert of_pairs(gold) == of_pairs(data)
    assert any("twice" in note and note.endswith(": 2") for note in fit.notes)


def test_how_many_pairs_fall_in_each_part_of_the_scale_is_told(new_fit):
    for sampling in ("semantic", "random"):
        fit = new_fit(sampling)
        train_augmented(fit, scored(GOLD), sampling=sampling, silver=20)
        (said,) = (note for note in fit.notes if note.startswith(f"silver scores ({sampling}): "))
        found = dict(re.findall(r"(\S+ to \S+): (\d+)", said))
        edges = np.linspace(0, 1, 6)
        counts, _ = np.histogram(parts(fit)[1].numbers("score"), bins=edges)
        named = [f"{a:g} to {b:g}" for a, b in pairwise(edges)]
        assert found == {name: str(n) for name, n in zip(named, counts, strict=True)}
        assert f"the cross-encoder labels 20 pairs ({sampling})" in fit.notes


def other_texts(n: int = 12) -> list[str]:
    return [answer(*topic) for topic in TOPICS[-n:]]


def test_a_pool_of_texts_joins_the_sentences_of_the_gold(new_fit, tmp_path: Path):
    file = tmp_path / "pool.txt"
    file.write_text("".join(f"{text}\n" for text in other_texts()))
    fit, data = new_fit(), scored(GOLD)
    train_augmented(fit, data, pool=str(file), top_k=3)
    seen = Counter(text for pair in of_pairs(parts(fit)[1]) for text in pair)
    assert set(seen) <= {*other_texts(), *data.all_texts()}
    assert set(seen) >= set(other_texts())


def test_a_pool_of_pairs_gives_its_texts_or_its_pairs(new_fit, tmp_path: Path):
    rows = [{"anchor": question(*t), "positive": answer(*t)} for t in TOPICS[-8:]]
    file = write_lines(tmp_path / "pool.jsonl", rows)
    told = {(row["anchor"], row["positive"]) for row in rows}
    fit = new_fit("texts")
    train_augmented(fit, scored(GOLD), pool=str(file))
    texts = {text for pair in of_pairs(parts(fit)[1]) for text in pair}
    assert texts >= {text for pair in told for text in pair}
    fit = new_fit("pairs")
    train_augmented(fit, scored(GOLD), pool=str(file), sampling="given")
    assert set(of_pairs(parts(fit)[1])) == told


def test_a_pool_may_be_a_retrieval_folder(new_fit, retrieval_folder: Path):
    fit = new_fit()
    train_augmented(fit, scored(GOLD), pool=str(retrieval_folder), silver=200)
    texts = {text for pair in of_pairs(parts(fit)[1]) for text in pair}
    assert texts >= {answer(*topic) for topic in TOPICS}


@pytest.mark.parametrize("kind", ["texts", "pairs", "labelled"])
def test_a_teacher_from_elsewhere_needs_no_gold(kind: str, new_fit, cross_folder: Path):
    fit, data = new_fit(precision="float32"), DATA[kind](GOLD)
    before = weights(fit.encoder)
    train_augmented(fit, data, teacher=str(cross_folder), top_k=2)
    assert fit.data.kind == "scored"
    assert fit.data.sources == ("silver pairs",)
    assert {text for pair in of_pairs(fit.data) for text in pair} <= set(data.all_texts())
    cross = load_cross_encoder(cross_folder, device="cpu")
    expected = cross.predict(of_pairs(fit.data), precision="float32")
    np.testing.assert_array_equal(fit.data.numbers("score").astype(np.float32), expected)
    assert f"pairs to train on: 0 gold and {len(fit.data)} silver" in fit.notes
    assert not (fit.folder / "cross-encoder").exists()
    assert not same_weights(weights(fit.encoder), before)


def test_a_teacher_from_elsewhere_labels_beside_gold_and_is_not_trained(
    new_fit, cross_folder: Path
):
    fit = new_fit()
    train_augmented(fit, scored(GOLD), teacher=str(cross_folder))
    gold, silver = parts(fit)
    assert len(gold) == GOLD
    assert len(silver) > 0
    assert not (fit.folder / "cross-encoder").exists()


def test_a_teacher_that_answers_logits_gives_scores_from_0_to_1(new_fit, cross_folder: Path):
    config = cross_folder / "config.json"
    text = config.read_text()
    assert "activation.Sigmoid" in text
    config.write_text(text.replace("activation.Sigmoid", "linear.Identity"))
    cross = load_cross_encoder(cross_folder, device="cpu")
    assert cross.activation == "identity"
    for parameter in cross.module.get_submodule("head").parameters():
        parameter.data *= 100
    teacher = cross.save(cross_folder.with_name("logits"))
    fit = new_fit(precision="float32")
    train_augmented(fit, DATA["texts"](GOLD), teacher=str(teacher))
    logits = cross.predict(of_pairs(fit.data), precision="float32")
    assert np.abs(logits).max() > 1
    np.testing.assert_allclose(fit.data.numbers("score"), 1 / (1 + np.exp(-logits)), atol=1e-6)
    assert any("sigmoid" in note for note in fit.notes)


def all_pairs_of(texts: list[str]) -> Dataset:
    found = [(a, b) for i, a in enumerate(texts) for b in texts[i + 1 :]]
    return make_data(
        "scored",
        sentence1=[a for a, _ in found],
        sentence2=[b for _, b in found],
        score=[i % 2 for i in range(len(found))],
    )


@pytest.mark.parametrize("sampling", STRATEGIES)
def test_a_pool_inside_the_gold_is_refused(sampling: str, new_fit):
    fit = new_fit()
    with pytest.raises(InputError, match="the pool holds no pair that is not gold") as caught:
        train_augmented(fit, all_pairs_of(other_texts(4)), sampling=sampling)
    assert "--set pool=FILE" in caught.value.mend
    assert "gold_fraction" in caught.value.mend
    assert caught.value.where.path == "memory.jsonl"
    assert not fit.folder.exists()


def test_the_gold_file_is_no_pool_of_pairs(new_fit, scored_file: Path):
    fit = new_fit()
    with pytest.raises(InputError, match="no pair that is not gold") as caught:
        train_augmented(fit, read(scored_file), sampling="given", pool=str(scored_file))
    assert caught.value.where.path == str(scored_file)


@pytest.mark.parametrize("kind", ["texts", "labelled"])
def test_texts_alone_have_no_pairs_of_their_own(kind: str, new_fit, cross_folder: Path):
    fit = new_fit()
    with pytest.raises(InputError, match=f"{kind} data has no pairs of its own") as caught:
        train_augmented(fit, DATA[kind](8), sampling="given", teacher=str(cross_folder))
    assert "sampling=semantic" in caught.value.mend
    assert not fit.folder.exists()


@pytest.mark.parametrize("kind", ["texts", "pairs", "labelled"])
def test_without_labels_a_teacher_is_needed(kind: str, new_fit):
    fit = new_fit()
    with pytest.raises(InputError, match=f"{kind} data has no labels") as caught:
        train_augmented(fit, DATA[kind](8))
    assert "--set teacher=MODEL" in caught.value.mend
    assert not fit.folder.exists()


def test_a_teacher_of_three_labels_is_refused(new_fit, new_encoder, tmp_path: Path):
    folder = from_encoder(new_encoder(), classes=3, seed=1).save(tmp_path / "three")
    fit = new_fit()
    with pytest.raises(InputError, match="answers 3 labels; a score is needed"):
        train_augmented(fit, scored(GOLD), teacher=str(folder))
    assert not fit.folder.exists()


@pytest.mark.parametrize("name", ["teacher", "pool"])
def test_a_file_that_is_not_there_is_named(name: str, new_fit, tmp_path: Path):
    fit = new_fit()
    with pytest.raises(InputError, match="nowhere"):
        train_augmented(fit, scored(GOLD), **{name: str(tmp_path / "nowhere")})
    assert not fit.folder.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("top_k", 0),
        ("silver", 0),
        ("gold_fraction", 0.0),
        ("gold_fraction", 1.5),
        ("gold_fraction", -0.2),
        ("gold_fraction", math.nan),
    ],
)
def test_a_number_out_of_range_is_named(option: str, value: float, new_fit):
    fit = new_fit()
    with pytest.raises(InputError, match=f"{option} must be .*, found {value}") as caught:
        train_augmented(fit, scored(GOLD), **{option: value})
    assert option in caught.value.mend
    assert not fit.folder.exists()


def test_so_few_labels_that_all_are_equal_teach_nothing(new_fit):
    fit = new_fit()
    with pytest.raises(InputError, match="all 1 scores are"):
        train_augmented(fit, scored(GOLD), gold_fraction=0.01)
    assert not fit.folder.exists()


class Crash(Exception):
    pass


def crash_at(step: int) -> Log:
    def act(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == step:
            raise Crash

    return Log(act=act)


class Asked:
    """Counts the pairs that any cross-encoder scores, and may fail at a call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, fails_at: int = 0) -> None:
        self.pairs: list[Pair] = []
        self.calls = 0
        score = CrossEncoder.predict

        def predict(cross: CrossEncoder, asked: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == fails_at:
                raise Crash
            self.pairs += asked
            return score(cross, asked, **options)

        monkeypatch.setattr(CrossEncoder, "predict", predict)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Pairs scored between two marks of how far it has come."""
    monkeypatch.setattr(draft_file, "CHUNK", 8)
    return 8


@pytest.fixture
def go(new_fit):
    """Run in a folder: stage and last training are told to logs of their own."""

    def go(name: str, *, stage: Log | None = None, last: Log | None = None, resume: bool = False):
        fit = new_fit(
            name, observers=[last or Log()], resume=resume, checkpoint_every=2, epochs=2.0
        )
        fit.watchers = (stage or Log(),)
        train_augmented(fit, scored(24), top_k=2)
        return fit

    return go


def test_interrupted_while_the_cross_encoder_learns_it_goes_on_from_there(go, small_chunks: int):
    whole = go("whole")
    with pytest.raises(Crash):
        go("cut", stage=crash_at(4))
    stage, last = Log(), Log()
    resumed = go("cut", stage=stage, last=last, resume=True)
    assert stage.steps[0].step == 3  # the checkpoint of step 2 was the newest
    assert last.steps[0].step == 1
    assert same_weights(weights(resumed.encoder), weights(whole.encoder))
    assert same_weights(weights(trained_teacher(resumed)), weights(trained_teacher(whole)))


def test_interrupted_while_pairs_are_scored_only_the_rest_is_scored(
    go, small_chunks: int, monkeypatch: pytest.MonkeyPatch
):
    whole = go("whole")
    with monkeypatch.context() as patch:
        Asked(patch, fails_at=2)
        with pytest.raises(Crash):
            go("cut")
    stage, last = Log(), Log()
    asked = Asked(monkeypatch)
    resumed = go("cut", stage=stage, last=last, resume=True)
    silver = of_pairs(parts(whole)[1])
    assert len(silver) > 2 * small_chunks
    assert asked.pairs == silver[small_chunks:]
    assert stage.events == []
    assert any(note.startswith("cross-encoder: finished before") for note in resumed.notes)
    assert same_weights(weights(resumed.encoder), weights(whole.encoder))


def test_interrupted_in_the_last_training_nothing_before_it_is_done_again(
    go, monkeypatch: pytest.MonkeyPatch
):
    whole = go("whole")
    with pytest.raises(Crash):
        go("cut", last=crash_at(3))
    stage, last, asked = Log(), Log(), Asked(monkeypatch)
    resumed = go("cut", stage=stage, last=last, resume=True)
    assert stage.events == []
    assert asked.pairs == []
    assert last.steps[0].step == 3
    assert same_weights(weights(resumed.encoder), weights(whole.encoder))


def test_a_run_that_does_not_resume_scores_anew_with_its_own_teacher(new_fit):
    first = new_fit("run")
    train_augmented(first, scored(GOLD))
    before = np.load(first.folder / "silver.npy")
    again = new_fit("run", seed=7)
    train_augmented(again, scored(GOLD))
    assert not np.array_equal(np.load(again.folder / "silver.npy"), before)


def test_the_encoder_comes_near_to_the_silver_labels(new_fit):
    fit = new_fit(epochs=16.0, learning_rate=2e-3, dropout=0.0)
    texts = scored(48).all_texts()
    untouched = dict(zip(texts, fit.encoder.encode(texts, normalize=True), strict=True))
    train_augmented(fit, scored(48), sampling="given", gold_fraction=0.5)
    trained = dict(zip(texts, fit.encoder.encode(texts, normalize=True), strict=True))
    silver = parts(fit)[1]
    before, after = (
        np.mean(
            [
                (left[a] @ left[b] - score) ** 2
                for (a, b), score in zip(of_pairs(silver), silver.numbers("score"), strict=True)
            ]
        )
        for left in (untouched, trained)
    )
    assert after < before / 4


def test_pairs_of_questions_are_no_gold(new_fit, cross_folder: Path):
    fit = new_fit()
    train_augmented(fit, pairs(GOLD), sampling="given", teacher=str(cross_folder))
    assert of_pairs(fit.data) == of_pairs(pairs(GOLD))
