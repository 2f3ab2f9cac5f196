"""What a run is measured on has not been seen in training."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from conftest import NOUNS, VERBS, answer, question
from likewise.data.clusters import cluster_ids
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.leakage import leaked_rows
from likewise.errors import InputError
from likewise.evaluation.evaluators import evaluator_for
from likewise.methods.dev_data import FEWEST_ROWS, TrainAndDev, dev_tokens, prepare_dev
from training.small_runs import distilled, make_data, nli, pairs

PLACES = ("at home", "in town", "by night", "for free")


def many(n: int = FEWEST_ROWS) -> Dataset:
    """n pairs that share no text, 256 at the most."""
    told = [(v, f"{noun} {place}") for place in PLACES for v in VERBS for noun in NOUNS][:n]
    return make_data(
        "pairs", anchor=[question(*t) for t in told], positive=[answer(*t) for t in told]
    )


def fresh(n: int) -> tuple[list[str], list[str]]:
    return [f"a new question {i}" for i in range(n)], [f"a new answer {i}" for i in range(n)]


def dev_with(train: Dataset, leaked: int, n: int = 40) -> Dataset:
    """A dev set of n rows, the first `leaked` of which stand in the training data."""
    anchors, positives = fresh(n - leaked)
    return make_data(
        "pairs",
        anchor=[*train.texts("anchor")[:leaked], *anchors],
        positive=[*train.texts("positive")[:leaked], *positives],
    )


def prepare(train: Dataset, dev=None, *, allow_leak: bool = False, seed: int = 1, **more):
    return prepare_dev(train, dev, allow_leak=allow_leak, seed=seed, **more)


def test_dev_data_that_is_the_training_data_is_refused():
    train = pairs(24)
    with pytest.raises(InputError, match="24 of 24 dev rows stand in the training data") as caught:
        prepare(train, train)
    assert "--allow-leak" in caught.value.mend
    assert caught.value.where.row == 1


def test_it_is_taken_all_the_same_when_asked_and_the_note_says_so():
    train = pairs(24)
    ready = prepare(train, train, allow_leak=True)
    assert len(ready.train) == 24
    assert ready.dev is train
    assert "24 of 24" in ready.notes[0]
    assert "too high" in ready.notes[0]


def test_a_few_leaked_rows_are_left_out_of_training_and_counted():
    train = many(100)
    dev = dev_with(train, 3)
    ready = prepare(train, dev)
    assert ready.dev is dev
    assert ready.train.texts("anchor") == train.texts("anchor")[3:]
    assert "3 of 40 dev rows" in ready.notes[0]
    assert "3 training rows" in ready.notes[0]
    assert not len(leaked_rows(ready.train, dev))


def test_every_copy_of_a_leaked_row_is_left_out():
    train = many(100)
    doubled = train.take([*range(100), 0, 0])
    ready = prepare(doubled, dev_with(train, 1))
    assert len(ready.train) == 99
    assert "3 training rows" in ready.notes[0]


def test_more_than_a_tenth_is_no_accident():
    train = many(100)
    assert len(prepare(train, dev_with(train, 4)).train) == 96
    with pytest.raises(InputError, match="5 of 40"):
        prepare(train, dev_with(train, 5))


def test_clean_dev_data_changes_nothing():
    train, dev = many(100), dev_with(many(100), 0)
    ready = prepare(train, dev)
    assert ready.train is train
    assert ready.dev is dev
    assert ready.notes == ()


def retrieval(queries: list[str]) -> RetrievalSet:
    n = len(queries)
    ids = tuple(f"q{i}" for i in range(n))
    return RetrievalSet(
        name="small",
        split="test",
        query_ids=ids,
        queries=tuple(queries),
        document_ids=tuple(f"d{i}" for i in range(n)),
        documents=tuple(fresh(n)[1]),
        judgements={f"q{i}": {f"d{i}": 1} for i in range(n)},
    )


def test_a_query_seen_in_training_is_left_out_whatever_answered_it_there():
    train = many(100)
    dev = retrieval([*train.texts("anchor")[:2], *fresh(38)[0]])
    ready = prepare(train, dev)
    assert "2 of 40 dev rows" in ready.notes[0]
    assert "2 training rows" in ready.notes[0]
    assert not len(leaked_rows(ready.train, dev))


@pytest.mark.parametrize("seed", range(5))
def test_rows_held_out_share_no_text_with_the_rest(seed: int):
    train = many(240)
    mixed = make_data(
        "pairs",
        anchor=train.texts("anchor"),
        # every third answer serves two questions, spelt in two ways
        positive=[
            t.upper() if i % 3 == 1 else t
            for i, t in enumerate([train.texts("positive")[i - (i % 3 == 1)] for i in range(240)])
        ],
    )
    ready = prepare(mixed, seed=seed)
    assert len(ready.train) + len(ready.dev) == 240
    assert 0 < len(ready.dev) <= 24
    texts, held = ready.train.all_texts(), ready.dev.all_texts()
    ids = cluster_ids([*texts, *held])
    assert not set(ids[: len(texts)]) & set(ids[len(texts) :])
    assert f"{len(ready.dev)} rows that share no text with the rest are held out" in ready.notes[0]


def test_what_is_held_out_follows_the_seed():
    found = [prepare(many(240), seed=seed).dev.fingerprint for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_too_few_rows_are_all_trained_on_and_the_note_says_what_that_costs():
    train = many(FEWEST_ROWS - 1)
    ready = prepare(train)
    assert ready.dev is None
    assert ready.train is train
    assert "too few" in ready.notes[0]
    assert "cannot say whether the model became better" in ready.notes[0]


def test_rows_that_all_hang_together_are_not_torn_apart():
    train = many(FEWEST_ROWS)
    one = make_data("pairs", anchor=train.texts("anchor"), positive=["the answer"] * FEWEST_ROWS)
    ready = prepare(one)
    assert ready.dev is None
    assert len(ready.train) == FEWEST_ROWS
    assert "none could be held out" in ready.notes[0]


def test_nli_dev_rows_are_measured_as_pairs_of_the_entailed():
    ready = prepare(pairs(24), nli(24))
    assert ready.dev.kind == "pairs"
    assert ready.dev.roles == ("anchor", "positive")
    rows = nli(24).table.to_pylist()
    entailed = [(r["premise"], r["hypothesis"]) for r in rows if r["label"] == 0]
    assert [(r["anchor"], r["positive"]) for r in ready.dev.table.to_pylist()] == entailed


def test_a_cross_encoder_is_measured_on_nli_as_it_is():
    dev = nli(24)
    assert prepare(pairs(24), dev, makes="cross-encoder").dev is dev
    held = prepare(many_nli(), makes="cross-encoder").dev
    assert held.kind == "nli"
    assert prepare(many_nli()).dev.kind == "pairs"


def test_teacher_scores_are_measured_as_pairs():
    dev = distilled(24)
    for makes in ("encoder", "cross-encoder"):
        ready = prepare(many(100), dev, makes=makes)
        assert (ready.dev.kind, ready.dev.roles) == ("pairs", ("anchor", "positive"))
        assert ready.dev.texts("anchor") == dev.texts("anchor")
        assert evaluator_for(ready.dev, scores_pairs=makes == "cross-encoder") == "pairs"


def many_nli() -> Dataset:
    """Three rows a premise, 120 premises that share no text."""
    told = many(120)
    forms = ("someone does {}", "people say {} every day", "nobody can {}")
    texts = [text for text in told.texts("positive") for _ in range(3)]
    return make_data(
        "nli",
        premise=[text for text in told.texts("anchor") for _ in range(3)],
        hypothesis=[forms[i % 3].format(text) for i, text in enumerate(texts)],
        label=[i % 3 for i in range(360)],
    )


@pytest.mark.parametrize("makes", ["encoder", "cross-encoder"])
def test_texts_cannot_be_measured_and_a_note_says_so(makes: str):
    train = make_data("texts", text=[*many(128).texts("anchor"), *many(128).texts("positive")])
    ready = prepare(train, makes=makes)
    assert ready.dev is None
    assert ready.train is train
    assert "none could be held out" in ready.notes[0]
    assert '"texts" cannot be evaluated' in ready.notes[0]


def held_out_of(label_of: Callable[[int], Any]) -> tuple[Dataset, TrainAndDev]:
    train = make_data(
        "labelled", text=many(240).texts("anchor"), label=[label_of(i) for i in range(240)]
    )
    return train, prepare(train)


def test_classes_are_held_out_where_they_can_be_measured():
    train, ready = held_out_of(lambda i: "abc"[i % 3])
    assert ready.dev.kind == "labelled"
    assert len(ready.train) + len(ready.dev) == len(train)


def test_a_part_that_turns_out_too_poor_to_measure_is_trained_on():
    train, ready = held_out_of(lambda i: f"class {i // 2}")  # of 24 rows few have a second one
    assert ready.dev is None
    assert ready.train is train
    assert "none could be held out" in ready.notes[0]
    assert "have another one of their class" in ready.notes[0]


def test_one_rare_score_does_not_end_a_run_that_has_no_dev_data():
    told = many(240)
    train = make_data(
        "scored",
        sentence1=told.texts("anchor"),
        sentence2=told.texts("positive"),
        score=[5.0] + [1.0] * 239,
        score_range=(0.0, 5.0),
    )
    for seed in range(3):
        ready = prepare(train, seed=seed)
        assert ready.dev is None or np.ptp(ready.dev.numbers("score")) > 0
        assert len(ready.train) == 240 or ready.dev is not None


@pytest.mark.parametrize(
    ("dev", "makes"),
    [
        (make_data("texts", text=[f"word {i}" for i in range(20)]), "encoder"),
        (make_data("texts", text=[f"word {i}" for i in range(20)]), "cross-encoder"),
        (make_data("labelled", text=["apple", "river"], label=["a", "b"]), "cross-encoder"),
    ],
)
def test_dev_data_that_was_given_and_cannot_be_measured_is_refused(dev: Dataset, makes: str):
    with pytest.raises(InputError, match=f'data of kind "{dev.kind}" cannot be evaluated') as e:
        prepare(many(100), dev, makes=makes)
    assert "pairs" in e.value.mend


def test_the_cost_of_a_measurement_is_that_of_its_texts():
    assert dev_tokens(None, 10.0) == 0
    assert dev_tokens(pairs(24), 9.5) == 48 * 9.5


def test_plain_texts_are_not_split_only_to_find_that_nothing_measures_them():
    data = make_data("texts", text=[f"a text {i}" for i in range(FEWEST_ROWS)])
    ready = prepare_dev(data, None, allow_leak=False, seed=1)
    assert ready.train is data
    assert ready.dev is None
    assert 'data of kind "texts" cannot be evaluated' in ready.notes[0]
    assert "keys" not in vars(data)  # not one text was looked at
