import numpy as np
import pytest

from evaluation.conftest import labelled_case, random_vectors, table
from likewise.errors import InputError
from likewise.evaluation import nearest
from likewise.evaluation.baselines import evaluate_tfidf_neighbours
from likewise.evaluation.nearest import draw_sample, evaluate_neighbours


def on_a_line(places):
    """An embed that puts each text at its place on a quarter of a circle."""

    def embed(texts, *, role=None):
        angles = np.array([places[text] for text in texts]) / 100
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    return embed


def labelled(classes):
    texts = [f"text {i:02d}" for i in range(len(classes))]
    data = table(kind="labelled", text=texts, label=list(classes))
    return data, on_a_line({text: i for i, text in enumerate(texts)})


def test_metrics_by_hand():
    data, embed = labelled("aaab" * 3)
    result = evaluate_neighbours(embed, data, resamples=100)
    values = {name: value.tolist() for name, value in result.details["values"].items()}
    # text 0 is at the end: its neighbours are 1 2 3 ... 11, a a b a a a b a a a b
    # of the eight nearest, as many as there are others of its class, those at these ranks
    ranks = [1, 2, 4, 5, 6, 8]
    assert values["precision@10"][0] == 6 / 8
    assert values["precision@1"][0] == 1
    assert values["map@r"][0] == pytest.approx(sum((i + 1) / r for i, r in enumerate(ranks)) / 8)
    # text 3, the first b, stands between two a
    assert values["precision@1"][3] == 0
    # eight of its eleven neighbours are b's others: nine a and two b, of which ten vote
    assert values["knn"] == [1, 1, 1, 0] * 3
    assert result.primary == "precision@10"
    assert result.n == 12


def test_chance_is_what_neighbours_at_random_get():
    case = labelled_case()
    results = [
        evaluate_neighbours(random_vectors(32), case.data, resamples=100),
        evaluate_neighbours(case.perfect, case.shuffled, resamples=100),
    ]
    for result in results:
        assert result.details["chance"] == pytest.approx(19 / 119)
        assert result.scores["precision@10"].value == pytest.approx(19 / 119, abs=0.05)
        assert result.scores["precision@1"].value == pytest.approx(19 / 119, abs=0.12)


def test_a_small_class_can_be_perfect_too():
    data, _ = labelled("ab" * 6)
    places = {
        text: 50 * (label == "b")
        for text, label in zip(data.texts("text"), data.labels(), strict=True)
    }
    result = evaluate_neighbours(on_a_line(places), data, resamples=100)
    assert {score.value for score in result.scores.values()} == {1.0}


def test_repeats_count_once_and_loners_are_only_neighbours():
    classes = ["a"] * 6 + ["b"] * 6 + ["c"]
    texts = [f"text {i:02d}" for i in range(12)] + ["alone"]
    data = table(kind="labelled", text=[*texts, "Text 00!"], label=[*classes, "a"])
    result = evaluate_neighbours(random_vectors(), data, resamples=100)
    assert result.n == 12
    assert result.notes == (
        "1 repeated texts count once",
        "1 texts are alone in their class, and only neighbours to others",
    )
    assert draw_sample(data, 0).others.tolist().count(0) == 1


def test_a_large_set_is_sampled_by_the_seed(monkeypatch):
    monkeypatch.setattr(nearest, "SAMPLE", 40)
    case = labelled_case()
    one, again, other = (draw_sample(case.data, seed).texts for seed in (0, 0, 1))
    assert one == again != other
    assert len(one) == 40
    assert draw_sample(case.reordered, 0).texts == one
    result = evaluate_neighbours(case.perfect, case.data, resamples=100)
    assert "40 of 120 texts were drawn" in result.notes[0]
    baseline = evaluate_tfidf_neighbours(case.data, resamples=100)
    assert baseline.n == result.n


def test_blocks_change_nothing(monkeypatch):
    case = labelled_case()
    embed = random_vectors()
    whole = evaluate_neighbours(embed, case.data, resamples=100)
    monkeypatch.setattr(nearest, "BLOCK", 7)
    parts = evaluate_neighbours(embed, case.data, resamples=100)
    for metric in whole.scores:
        np.testing.assert_array_equal(
            parts.details["values"][metric], whole.details["values"][metric]
        )


def test_words_in_common_are_found_by_the_baseline():
    texts = [f"{word} {word}{i}" for i in range(8) for word in ("apple", "river")]
    labels = [text.split()[0] for text in texts]
    result = evaluate_tfidf_neighbours(table(kind="labelled", text=texts, label=labels))
    assert result.model == "TF-IDF"
    assert result.scores["precision@10"].value == 1


@pytest.mark.parametrize(
    ("classes", "problem"),
    [
        ("a" * 12, "all 12 rows have the label a"),
        ("abcdefghijkl", "0 texts have another one of their class"),
        ("aaaabbbbcde", "8 texts have another one of their class"),
    ],
)
def test_what_cannot_be_measured_is_refused(classes, problem):
    data, embed = labelled(classes)
    with pytest.raises(InputError, match=problem):
        evaluate_neighbours(embed, data)
