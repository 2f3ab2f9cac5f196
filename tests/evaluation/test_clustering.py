import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import homogeneity_completeness_v_measure

from evaluation.conftest import labelled_case, random_vectors, table
from likewise.errors import InputError
from likewise.evaluation.clustering import (
    evaluate_clustering,
    evaluate_tfidf_clustering,
    v_measure_of,
)

labels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=2, max_size=40)


def once(clusters: np.ndarray, gold: np.ndarray) -> dict[str, float]:
    counts = np.ones((len(gold), 1), dtype=np.int64)
    found = v_measure_of(clusters, gold)
    return {name: float(statistic(counts)[0]) for name, statistic in found.items()}


@given(labels)
@settings(deadline=None)
def test_the_metrics_are_those_of_scikit_learn(pairs: list[tuple[int, int]]):
    clusters, gold = (np.array(side) for side in zip(*pairs, strict=True))
    found = once(clusters[None], gold)
    expected = homogeneity_completeness_v_measure(gold, clusters)
    assert [found[name] for name in ("homogeneity", "completeness", "v-measure")] == pytest.approx(
        expected, abs=1e-9
    )


@given(labels, st.integers(0, 9))
@settings(deadline=None)
def test_a_resample_is_measured_as_if_its_texts_stood_there_so_often(pairs, seed: int):
    clusters, gold = (np.array(side) for side in zip(*pairs, strict=True))
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(gold), len(gold))
    counts = np.bincount(drawn, minlength=len(gold))[:, None]
    found = v_measure_of(clusters[None], gold)["v-measure"](counts)[0]
    *_, expected = homogeneity_completeness_v_measure(gold[drawn], clusters[drawn])
    assert found == pytest.approx(expected, abs=1e-9)


def test_repeats_are_averaged():
    gold = np.array([0, 0, 1, 1])
    right, useless = np.array([1, 1, 0, 0]), np.array([0, 1, 0, 1])
    assert once(np.stack([right, useless]), gold)["v-measure"] == pytest.approx(0.5)


def test_an_interval_stands_around_its_value():
    """Though resamples, which repeat texts, agree with themselves more than the texts do."""
    case = labelled_case()
    result = evaluate_clustering(random_vectors(32), case.data, resamples=400)
    value = result.scores["v-measure"].value
    assert result.draws["v-measure"].mean() == pytest.approx(value)
    low, high = result.interval
    assert low < value < high


def test_words_find_topics_without_a_model():
    words = ("apple pear plum", "motor wheel brake", "violin flute drum")
    draw = np.random.default_rng(0)
    texts, topics = [], []
    for i in range(60):
        topics.append(f"topic {i % 3}")
        texts.append(" ".join(draw.choice(words[i % 3].split(), 6)) + f" {i}")
    result = evaluate_tfidf_clustering(table(kind="labelled", text=texts, label=topics))
    assert result.model == "TF-IDF"
    assert result.scores["v-measure"].value > 0.9


def test_one_label_is_nothing_to_find():
    data = table(kind="labelled", text=[f"text {i}" for i in range(20)], label=["a"] * 20)
    with pytest.raises(InputError):
        evaluate_clustering(random_vectors(), data)
