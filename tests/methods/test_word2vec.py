"""Word vectors: learnt by gensim, on our table, in our loop."""

import logging
import os
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from gensim.models import Word2Vec

from likewise.errors import InputError, Interrupted
from likewise.methods import METHODS, train
from likewise.methods.recipe import resolve_options
from likewise.methods.settle import settle
from likewise.models.build import from_contents, load
from likewise.models.encoder import Encoder
from likewise.models.static import PIECES, static_contents, word_tokenizer
from likewise.models.word_vectors import WordVectors
from likewise.training.events import StepDone
from likewise.training.sampling import Sampling
from likewise.training.seeding import child_seed
from methods.small_data import DATA
from training.small_runs import Log, make_data, make_fit

BODIES = ("dogs", "cats", "birds"), ("planes", "trains", "ships")
DOES = ("eat", "sleep", "play"), ("travel", "depart", "arrive")


def topics(n: int = 600):
    """Texts of two topics that share only their small words."""
    draw = np.random.default_rng(0)
    rows = []
    for i in range(n):
        side = i % 2
        body, other = draw.choice(BODIES[side], 2, replace=False)
        rows.append(f"The {body}, {draw.choice(DOES[side])} with {other} at {i}!")
    return make_data("texts", text=rows)


def learn(encoder: Encoder, folder: Path, *, data=None, log: Log | None = None, **given):
    options = {"batch_size": 32, "epochs": 10, "learning_rate": 0.05, "warmup": 0.0}
    own = {key: given.pop(key) for key in list(given) if key in resolve_options("word2vec", {})}
    fit = make_fit(encoder, folder, observers=[log] if log else [], **(options | given))
    settings = {"vector_size": 16, "min_count": 3, "negative": 3} | own
    METHODS["word2vec"].function(fit, data or topics(), **resolve_options("word2vec", settings))
    return fit


def cosine(encoder: Encoder, a: str, b: str) -> float:
    left, right = encoder.encode([a, b], normalize=True, precision="float32")
    return float(left @ right)


def table_of(encoder: Encoder) -> np.ndarray:
    return encoder.to_contents().weights["embedding.weight"].numpy()


def test_words_that_stand_in_like_places_come_to_lie_together(tiny_encoder, tmp_path: Path):
    found = learn(tiny_encoder, tmp_path, epochs=40, subsample=0.0).encoder
    for side in (0, 1):
        for word, near in pairwise(BODIES[side]):
            assert cosine(found, word, near) > cosine(found, word, BODIES[1 - side][0]) + 0.2


def test_the_loss_falls(tiny_encoder, tmp_path: Path):
    log = Log()
    learn(tiny_encoder, tmp_path, log=log, epochs=20)
    losses = [step.loss for step in log.steps]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    rates = [step.rate for step in log.steps]
    assert all(a > b > 0 for a, b in pairwise(rates))


def test_it_is_what_gensim_learns_on_the_same_words_in_the_same_order(tiny_encoder, tmp_path: Path):
    """One batch of all texts, a pass an epoch, at a constant rate."""
    rows = topics(60)
    fit = learn(
        tiny_encoder, tmp_path, data=rows, batch_size=60, epochs=3, schedule="constant", sif=0.0
    )
    order = Sampling(n_rows=60, batch_size=60, seed=fit.options.seed)
    cut = word_tokenizer((), lower_case=True)
    texts = [
        [word for word, _ in cut.pre_tokenizer.pre_tokenize_str(text.lower())]
        for text in rows.texts("text")
    ]
    counts: dict[str, int] = {}
    for word in (word for text in texts for word in text):
        counts[word] = counts.get(word, 0) + 1
    known = sorted((w for w in counts if counts[w] >= 3), key=lambda w: (-counts[w], w))
    seed = child_seed(fit.options.seed, "word2vec") % 2**32
    peer = Word2Vec(
        vector_size=16,
        window=5,
        negative=3,
        sg=1,
        min_count=1,
        sorted_vocab=0,
        workers=1,
        seed=seed,
    )
    peer.build_vocab_from_freq({word: counts[word] for word in known})
    for step in range(3):
        batch = [[w for w in texts[i] if counts[w] >= 3] for i in order.rows(step)]
        peer.train(batch, total_examples=60, epochs=1, start_alpha=0.05, end_alpha=0.05)
    np.testing.assert_array_equal(table_of(fit.encoder)[:-1], peer.wv.vectors)


def test_a_text_is_cut_as_those_were_that_the_vectors_are_from(tiny_encoder, tmp_path: Path):
    found = learn(tiny_encoder, tmp_path).encoder
    ids = found.tokenizer.tokenize(["THE dogs, unheard-of!"]).ids[0].tolist()
    words = found.contents.files["tokenizer.json"]
    vocabulary = {v: k for k, v in found.tokenizer._rust.get_vocab().items()}
    assert [vocabulary[i] for i in ids] == ["the", "dogs", ",", "[UNK]", "[UNK]", "[UNK]", "!"]
    assert PIECES.encode()[:2] in words
    np.testing.assert_array_equal(table_of(found)[-1], 0)  # what is unknown adds nothing


def test_a_run_measures_the_base_and_saves_a_static_encoder(tiny_folder: Path, tmp_path: Path):
    data = topics()
    pairs = [(a, b) for a in BODIES[0] + BODIES[1] for b in BODIES[0] + BODIES[1] if a < b]
    dev = make_data(
        "scored",
        sentence1=[f"{a} here" for a, _ in pairs],
        sentence2=[f"{b} there" for _, b in pairs],
        score=[float((a in BODIES[0]) == (b in BODIES[0])) for a, b in pairs],
        score_range=(0.0, 1.0),
    )
    run = train(
        str(tiny_folder), data, method="word2vec", dev=dev, out=tmp_path / "run", vector_size=16
    )
    assert [result.model for result in run.evaluation.results][-2:] == [str(tiny_folder), "trained"]
    saved = load(tmp_path / "run" / "model", device="cpu")
    assert saved.contents.config["model_type"] == "static"
    assert saved.dimensions == 16
    texts = ["dogs eat", "a word unheard of"]
    np.testing.assert_array_equal(saved.encode(texts), run.model.encode(texts))
    assert any("words, " in note for note in run.notes)
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert "Base model: not recorded" in card


def test_the_usual_rate_and_epochs_are_those_of_word_vectors_unless_named():
    usual = settle(DATA["texts"](6), None, "minilm", "word2vec", {})
    assert (usual.training.epochs, usual.training.learning_rate) == (5.0, 0.025)
    asked = settle(DATA["texts"](6), None, "minilm", "word2vec", {"epochs": 2})
    assert (asked.training.epochs, asked.training.warmup) == (2.0, 0.0)


def test_words_weighted_by_rarity_are_folded_into_the_table(tiny_encoder, tmp_path: Path):
    plain, weighted = (
        learn(tiny_encoder, tmp_path / str(sif), sif=sif).encoder for sif in (0.0, 0.1)
    )
    vocabulary = plain.tokenizer._rust.get_vocab()
    words = sorted(vocabulary, key=vocabulary.__getitem__)[:-1]
    ids = np.concatenate(plain.tokenizer.tokenize(topics().texts("text")).ids)
    counts = np.bincount(ids, minlength=len(words) + 1)[: len(words)]
    vectors = WordVectors(
        words=words, vectors=table_of(plain)[:-1], ranks=np.arange(1, len(words) + 1)
    )
    expected = static_contents(
        vectors,
        sif=0.1,
        frequencies_of=topics().texts("text"),
        remove_component_of="words",
        lower_case=True,
    )
    np.testing.assert_allclose(table_of(weighted), table_of(from_contents(expected)), atol=1e-6)
    assert counts.sum() > 0


@pytest.mark.parametrize("kind", METHODS["word2vec"].kinds)
def test_texts_are_taken_of_every_kind(kind: str, tiny_encoder, tmp_path: Path):
    found = learn(tiny_encoder, tmp_path, data=DATA[kind](24), min_count=1).encoder
    assert np.isfinite(table_of(found)).all()
    assert {"how", "people"} & set(found.tokenizer._rust.get_vocab())


def test_an_interrupted_run_goes_on_with_the_same_draws(tiny_encoder, tmp_path: Path):
    whole = learn(tiny_encoder, tmp_path / "whole", epochs=2)

    def stop(event) -> None:
        if isinstance(event, StepDone) and event.step == 7:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        learn(tiny_encoder, tmp_path / "cut", epochs=2, log=Log(act=stop))
    log = Log()
    resumed = learn(tiny_encoder, tmp_path / "cut", epochs=2, resume=True, log=log)
    assert log.steps[0].step == 8
    np.testing.assert_array_equal(table_of(resumed.encoder), table_of(whole.encoder))


def test_the_state_of_the_machine_changes_nothing(tiny_encoder, tmp_path: Path):
    first = learn(tiny_encoder, tmp_path / "a", epochs=1)
    np.random.seed(5)  # noqa: NPY002 - the state that others leave
    with torch.random.fork_rng():
        torch.manual_seed(9)
        second = learn(tiny_encoder, tmp_path / "b", epochs=1)
    np.testing.assert_array_equal(table_of(first.encoder), table_of(second.encoder))


def test_a_rate_that_rises_first_is_no_reason_for_a_warning(tiny_encoder, tmp_path: Path, caplog):
    with caplog.at_level(logging.WARNING):
        learn(tiny_encoder, tmp_path, epochs=2, warmup=0.5)
    assert caplog.records == []


def test_a_very_long_text_is_read_to_its_end(tiny_encoder, tmp_path: Path):
    words = [f"w{i % 7}" for i in range(10_000)] + ["last", "words"] * 200
    data = make_data("texts", text=[" ".join(words), "another text"])
    found = learn(tiny_encoder, tmp_path, data=data, epochs=1, min_count=2, subsample=0.0)
    before = learn(tiny_encoder, tmp_path / "b", data=data, epochs=1, min_count=2, subsample=0.0,
                   learning_rate=1e-9)  # fmt: skip
    place = found.encoder.tokenizer._rust.get_vocab()["last"]
    moved = np.abs(table_of(found.encoder)[place] - table_of(before.encoder)[place]).max()
    assert moved > 1e-4


@pytest.mark.parametrize(
    ("rows", "options", "problem", "mend"),
    [
        (["one two", "one to", "one 2"], {}, "1 word stands in 3 texts 3 times", "min_count=1"),
        (["a b", "b a", "a a"], {"min_count": 1}, "2 words stand in 3 texts", "give more texts"),
        (["a b c", "d e f"], {"min_count": 9}, "0 words stand in 2 texts 9 times", "min_count=1"),
        (["same"] * 4, {"min_count": 1}, "have the same text", "differ"),
    ],
)
def test_texts_with_hardly_a_word_are_refused(
    rows, options, problem, mend, tiny_encoder, tmp_path: Path
):
    with pytest.raises(InputError, match=problem) as caught:
        learn(tiny_encoder, tmp_path / "run", data=make_data("texts", text=rows), **options)
    assert mend in caught.value.mend
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["vector_size", "window", "negative", "min_count"])
@pytest.mark.parametrize("value", [0, 10**10])
def test_numbers_out_of_range_are_refused_before_gensim_hangs_on_them(name: str, value: int):
    with pytest.raises(InputError, match=name):
        resolve_options("word2vec", {name: value})


def test_shorter_vectors_inside_longer_ones_are_no_matter_of_word_vectors(
    tiny_encoder, tmp_path: Path
):
    with pytest.raises(InputError, match="matryoshka does not go with this method"):
        learn(tiny_encoder, tmp_path, matryoshka=(8,))
