"""Word vectors as encoders; `static_encoder` and `likewise.load` hand over to `static_contents`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from likewise.data.dataset import Dataset
from likewise.data.reading import read
from likewise.errors import InputError
from likewise.evaluation.evaluators import evaluate
from likewise.losses.multiple_negatives import mnr
from likewise.models.build import from_contents, load, static_encoder
from likewise.models.encoder import Encoder
from likewise.models.static import find_words, static_contents
from likewise.models.word_vectors import WordVectors

GLOVE = Path("/work/shared/data/glove/glove.6B.50d.top100k.npz")
WORDS = ("the", ",", "dog", "cat", "runs", "ünder", "3")
TEXTS = ["The dog runs, the cat runs.", "Cat, dog", "the the the", "3 dogs", ""]


def make_vectors(words: tuple[str, ...] = WORDS, width: int = 4) -> WordVectors:
    table = np.random.default_rng(7).normal(size=(len(words), width)).astype(np.float32)
    return WordVectors(words=list(words), vectors=table, ranks=np.arange(1, len(words) + 1))


def make_encoder(words: tuple[str, ...] = WORDS) -> Encoder:
    return from_contents(static_contents(make_vectors(words)))


def table_of(encoder: Encoder) -> NDArray[np.float32]:
    return encoder.to_contents().weights["embedding.weight"].numpy()


@pytest.fixture
def words_file(tmp_path: Path) -> Path:
    vectors = make_vectors()
    np.savez(tmp_path / "words.npz", words=np.array(vectors.words), vectors=vectors.vectors)
    return tmp_path / "words.npz"


def test_a_text_is_the_mean_of_its_words_whatever_signs_stand_around_them():
    row = dict(zip(WORDS, make_vectors().vectors, strict=True))
    found = make_encoder().encode(["dog, the (dog)runs", "ünder", "u\u0308nder"])
    unknown = np.zeros(4)  # each bracket
    parts = [row["dog"], row[","], row["the"], unknown, row["dog"], unknown, row["runs"]]
    np.testing.assert_allclose(found[0], np.mean(parts, axis=0), atol=1e-6)
    np.testing.assert_array_equal(found[1], row["ünder"])
    np.testing.assert_array_equal(found[2], row["ünder"])


def test_texts_are_lowered_where_all_words_are_lower_case_and_it_is_said():
    encoder = make_encoder()
    np.testing.assert_array_equal(*encoder.encode(["THE Ünder", "the ünder"]))
    assert encoder.notes == ("all 7 words are lower case, and so texts are lowered",)


def test_capitals_in_the_file_keep_those_of_the_texts():
    encoder = make_encoder(("Dog", "dog"))
    first, second = encoder.encode(["Dog", "dog"])
    assert not np.array_equal(first, second)
    assert encoder.count_unknown(["DOG dog"]) == (1, 2)
    assert encoder.notes == ()


def test_unknown_words_are_zero_and_can_be_counted():
    encoder = make_encoder()
    known, mixed, unknown, nothing = encoder.encode(["dog", "dog zebra", "zebra", ""])
    np.testing.assert_allclose(mixed, known / 2, atol=1e-7)
    assert not unknown.any()
    assert not nothing.any()
    assert encoder.count_unknown(["dog zebra", "the zebra!"]) == (3, 5)


def test_words_that_no_text_is_cut_into_are_left_out_and_counted():
    encoder = make_encoder(("n't", "dog", "new york", "u.s.", "[UNK]"))
    assert table_of(encoder).shape == (2, 4)
    np.testing.assert_array_equal(table_of(encoder)[0], make_vectors().vectors[1])
    assert encoder.notes == (
        '4 words have signs or spaces inside, where texts are cut, as "n\'t", and are left out',
    )


def test_a_file_of_phrases_alone_is_refused():
    with pytest.raises(InputError, match="no word can be found in a text"):
        make_encoder(("new york", "los angeles"))


def test_sif_by_rank_weights_each_word_by_zipf_s_law():
    vectors = make_vectors()
    found = from_contents(static_contents(vectors, sif=0.1))
    harmonic = sum(1 / rank for rank in range(1, 8))
    for i in range(7):
        p = 1 / ((i + 1) * harmonic)
        expected = 0.1 / (0.1 + p) * vectors.vectors[i]
        np.testing.assert_allclose(table_of(found)[i], expected, rtol=1e-6)
    assert not table_of(found)[7].any()
    assert (
        found.notes[-1] == "words count by 0.1 / (0.1 + p), with p by the words' order in the file"
    )


def test_the_rank_is_that_in_the_file_where_words_are_left_out():
    vectors = make_vectors(("the", "n't", "dog"))
    found = static_contents(vectors, sif=0.1).weights["embedding.weight"].numpy()
    p = 1 / (3 * (1 + 1 / 2 + 1 / 3))
    np.testing.assert_allclose(found[1], 0.1 / (0.1 + p) * vectors.vectors[2], rtol=1e-6)


def test_frequencies_can_be_counted_in_texts():
    vectors = make_vectors()
    texts = ["The dog", "the zebra", "dog the"]  # five known words
    found = static_contents(vectors, sif=0.2, frequencies_of=texts)
    table = found.weights["embedding.weight"].numpy()
    for word, p in (("the", 3 / 5), ("dog", 2 / 5), ("cat", 0)):
        i = WORDS.index(word)
        np.testing.assert_allclose(table[i], 0.2 / (0.2 + p) * vectors.vectors[i], rtol=1e-6)
    assert found.notes[-1].endswith("with p by their counts in 3 texts")


@given(
    texts=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), min_size=1, max_size=9)
)
def test_the_folded_table_gives_what_the_paper_s_two_steps_give(texts: list[list[str]]):
    """Arora et al. 2017, algorithm 1: weighted means, less their share along u."""
    vectors = make_vectors()
    row = dict(zip(WORDS, vectors.vectors.astype(np.float64), strict=True))
    joined = [" ".join(text) for text in texts]
    every = [word for text in texts for word in text]
    weight = {word: 0.3 / (0.3 + every.count(word) / len(every)) for word in every}
    means = np.stack([np.mean([weight[w] * row[w] for w in text], axis=0) for text in texts])
    u = np.linalg.svd(means)[2][0]
    expected = means - np.outer(means @ u, u)
    contents = static_contents(vectors, sif=0.3, frequencies_of=joined, remove_component_of=joined)
    np.testing.assert_allclose(from_contents(contents).encode(joined), expected, atol=1e-4)


def test_without_texts_the_mean_direction_of_the_words_is_taken_out():
    vectors = make_vectors()
    contents = static_contents(vectors, remove_component_of="words")
    p = 1 / np.arange(1, 8)
    mean = (p[:, None] * vectors.vectors).sum(axis=0)
    table = contents.weights["embedding.weight"].numpy()
    np.testing.assert_allclose(table @ mean / np.linalg.norm(mean), 0, atol=1e-6)
    shift = table[:7] - vectors.vectors
    assert np.linalg.matrix_rank(shift, tol=1e-5) == 1
    assert contents.notes[-1] == "the direction that all words have in common was taken out"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"sif": 0.0}, "must be over 0 and finite, found 0"),
        ({"sif": float("nan")}, "must be over 0 and finite, found nan"),
        ({"sif": 0.1, "frequencies_of": []}, "expected texts to count words in, found none"),
        ({"sif": 0.1, "frequencies_of": ["zebra"]}, "the texts have none of the words"),
        ({"remove_component_of": []}, "expected texts to find the common component of, found none"),
        ({"remove_component_of": ["zebra", ""]}, "the texts have none of the words"),
        ({"remove_component_of": "the dog"}, 'expected texts or "words", found "the dog"'),
        ({"frequencies_of": "the dog"}, "found one string"),
    ],
)
def test_an_option_out_of_range_is_refused(words_file: Path, options: dict, problem: str):
    with pytest.raises(InputError, match=problem):
        static_encoder(words_file, **options)


def test_what_is_saved_is_a_plain_static_embedding_of_the_peer(words_file: Path, tmp_path: Path):
    encoder = static_encoder(words_file, sif=0.01, remove_component_of=TEXTS, device="cpu")
    encoder.save(tmp_path / "model")
    peer = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    np.testing.assert_allclose(peer.encode(TEXTS), encoder.encode(TEXTS), atol=1e-6)
    again = load(tmp_path / "model", device="cpu")
    np.testing.assert_array_equal(again.encode(TEXTS), encoder.encode(TEXTS))
    assert "words.npz" in (tmp_path / "model" / "README.md").read_text()


def test_a_long_text_is_not_cut(words_file: Path):
    encoder = static_encoder(words_file, device="cpu")
    long = "dog " * 20_000 + "cat"
    assert encoder.count_cut([long]) == 0
    row = dict(zip(WORDS, make_vectors().vectors.astype(np.float64), strict=True))
    expected = (20_000 * row["dog"] + row["cat"]) / 20_001
    np.testing.assert_allclose(
        encoder.encode([long])[0], expected, rtol=1e-3
    )  # 20,001 sums in float32


def test_one_step_of_mnr_moves_the_rows_that_were_used_and_no_others():
    encoder = make_encoder()
    before = table_of(encoder)
    optimiser = torch.optim.AdamW(encoder.module.parameters(), lr=encoder.learning_rate)
    for group in optimiser.param_groups:
        group["weight_decay"] = 0.0
    anchors, positives = (
        encoder.embed(encoder.pack(encoder.tokenize(texts), range(2)))
        for texts in (["the dog", "cat"], ["dog runs", "the cat"])
    )
    mnr(anchors, positives).backward()
    optimiser.step()
    moved = (table_of(encoder) != before).any(axis=1)
    used = [*(word in {"the", "dog", "cat", "runs"} for word in WORDS), False]
    assert moved.tolist() == used


def test_training_by_the_loop_moves_used_rows_alone(pairs: Dataset, tmp_path: Path):
    from likewise.methods.run import train

    texts = [*pairs.texts("anchor"), *pairs.texts("positive")]
    used = sorted({word for text in texts for word in text.lower().split()})
    encoder = make_encoder((*used, "zebra", "quagga"))
    before = table_of(encoder)
    options = {"weight_decay": 0.0, "batch_size": 16, "keep": "last", "evaluations": 0}
    run = train(encoder, pairs, method="mnr", out=tmp_path / "run", **options)
    after = table_of(load(run.folder / "model", device="cpu"))
    moved = (after != before).any(axis=1)
    assert not moved[-3:].any()
    assert moved[:-3].mean() > 0.9


@pytest.mark.shared
def test_averaged_glove_on_stsb_gives_the_known_figures():
    data = read("/work/shared/data/stsb/dev.csv.gz")
    plain = evaluate(load(f"static:{GLOVE}", device="cpu"), data, resamples=100)
    assert plain.scores["pearson"].value == pytest.approx(0.426, abs=0.005)
    assert plain.scores["spearman"].value == pytest.approx(0.524, abs=0.005)
    weighted = evaluate(load(f"static:{GLOVE}:sif", device="cpu"), data, resamples=100)
    assert weighted.scores["spearman"].value > plain.scores["spearman"].value + 0.1


def test_words_are_found_as_texts_are_cut_the_most_frequent_first():
    texts = [["The the cat, b a", "A cat's b"], ["B zz", "u\u0308n ün"]]
    found = find_words(texts)
    assert found[:1] == ["b"]  # three times
    assert found[1:5] == ["a", "cat", "the", "ün"]  # twice, in the order of letters
    assert set(found[5:]) == {"'", ",", "s", "zz"}
    assert find_words(texts, min_count=2) == found[:5]
    assert find_words(texts, most=2) == found[:2]
    assert "The" in find_words(texts, lower_case=False)
    assert find_words(texts, min_count=9) == []


@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_every_word_that_is_found_is_found_again_in_a_text(texts):
    words = find_words([texts])
    if not words:
        return
    encoder = from_contents(static_contents(make_vectors(tuple(words)), lower_case=True))
    for ids in encoder.tokenizer.tokenize(texts).ids:
        assert len(words) not in ids.tolist()  # the unknown one


def test_lower_case_is_as_it_is_asked_for():
    vectors = make_vectors(("cat", "dog"))
    for asked, same in ((True, True), (False, False), (None, True)):
        found = from_contents(static_contents(vectors, lower_case=asked)).encode(["CAT", "cat"])
        assert np.array_equal(*found) == same


def test_counts_that_come_with_the_vectors_are_the_frequencies():
    texts = ["the dog , the cat", "the dog"]
    counts = np.array([3, 1, 2, 1, 0, 0, 0])
    vectors = make_vectors()
    known = static_contents(replace(vectors, counts=counts), sif=0.2)
    counted = static_contents(vectors, sif=0.2, frequencies_of=texts)
    for name, table in counted.weights.items():
        torch.testing.assert_close(known.weights[name], table)
    assert "the texts that they were learnt from" in " ".join(known.notes)
