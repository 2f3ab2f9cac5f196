from dataclasses import replace

import numpy as np
import pytest

from likewise.models.encoder import Encoder
from likewise.training.examples import build_examples
from training.small_runs import make_data, pairs, scored


def with_prompts(encoder: Encoder, **prompts: str) -> Encoder:
    encoder.contents = replace(encoder.contents, prompts=prompts)
    return encoder


def unit(scores: list[float], score_range: tuple[float, float], encoder: Encoder) -> list[float]:
    n = len(scores)
    data = make_data(
        "scored",
        sentence1=["apple"] * n,
        sentence2=["river"] * n,
        score=scores,
        score_range=score_range,
    )
    return build_examples(encoder, data).values["score"].tolist()


@pytest.mark.parametrize(
    ("score_range", "scores", "expected"),
    [
        ((0.0, 5.0), [0.0, 2.5, 5.0], [0.0, 0.5, 1.0]),
        ((1.0, 5.0), [1.0, 2.0, 5.0], [0.0, 0.25, 1.0]),
        ((0.0, 1.0), [0.0, 0.3, 1.0], [0.0, 0.3, 1.0]),
        ((0.0, 100.0), [0.0, 30.0], [0.0, 0.3]),
        ((-1.0, 1.0), [-1.0, -0.4, 1.0], [-1.0, -0.4, 1.0]),  # cosines already
        ((-5.0, 5.0), [-5.0, 0.0, 5.0], [0.0, 0.5, 1.0]),
    ],
)
def test_scores_become_cosines_to_aim_at(tiny_encoder, score_range, scores, expected):
    assert unit(scores, score_range, tiny_encoder) == pytest.approx(expected)


def test_a_text_is_tokenised_once_wherever_it_stands(tiny_encoder: Encoder):
    data = scored(24)
    examples = build_examples(tiny_encoder, data)
    assert len(examples) == 24
    assert len(examples.ids) == len(data.all_texts())


def test_rows_find_their_texts(tiny_encoder: Encoder):
    data = make_data("pairs", anchor=["apple", "river"], positive=[["engine", "planet"], ["apple"]])
    examples = build_examples(tiny_encoder, data)
    assert examples.columns["positive"].shape == (2, 2)
    assert examples.columns["positive"][1].tolist() == [examples.columns["anchor"][0, 0], -1]
    (expected,) = tiny_encoder.tokenizer.tokenize(["planet"]).ids
    assert np.array_equal(examples.ids[examples.columns["positive"][0, 1]], expected)


def test_near_duplicates_share_a_cluster_whatever_their_prompt(tiny_encoder: Encoder):
    encoder = with_prompts(tiny_encoder, query="how: ", document="guide: ")
    data = make_data("pairs", anchor=["apple", "river"], positive=["APPLE!", "engine"])
    examples = build_examples(encoder, data)
    anchor, positive = (examples.columns[role][:, 0] for role in ("anchor", "positive"))
    assert examples.cluster[anchor[0]] == examples.cluster[positive[0]]
    assert len(set(examples.cluster)) == 3


def test_pairs_are_read_with_the_prompts_of_inference(tiny_encoder: Encoder):
    encoder = with_prompts(tiny_encoder, query="how: ", document="guide: ")
    examples = build_examples(encoder, make_data("pairs", anchor=["apple"], positive=["apple"]))
    for role, prompt in (("anchor", "how: "), ("positive", "guide: ")):
        place = examples.columns[role][0, 0]
        (expected,) = encoder.tokenizer.tokenize(["apple"], prompt=prompt).ids
        assert np.array_equal(examples.ids[place], expected)


def test_cut_texts_are_counted_by_role_and_once_each(tiny_encoder: Encoder):
    long = "apple " * 40
    data = make_data("pairs", anchor=["apple", "apple", "river"], positive=[long, long, "engine"])
    examples = build_examples(tiny_encoder, data)
    assert examples.cut == {"anchor": 0, "positive": 1}
    assert max(len(ids) for ids in examples.ids) == tiny_encoder.max_tokens


def test_a_limit_of_the_run_cuts_earlier_and_never_later(tiny_encoder: Encoder):
    short = build_examples(tiny_encoder, pairs(8), max_tokens=5)
    assert max(len(ids) for ids in short.ids) == 5
    assert short.cut == {"anchor": 8, "positive": 8}
    assert build_examples(tiny_encoder, pairs(8), max_tokens=999).cut == {
        "anchor": 0,
        "positive": 0,
    }


def test_row_tokens_are_the_mean_of_the_texts_of_a_row(tiny_encoder: Encoder):
    data = make_data("pairs", anchor=["apple", "apple"], positive=["apple", "apple river"])
    examples = build_examples(tiny_encoder, data)
    # [CLS] and [SEP] around one word or two: 3 + 3 and 3 + 4 tokens
    assert examples.row_tokens == 6.5
