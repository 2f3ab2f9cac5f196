import pytest

from likewise.errors import InputError
from likewise.mining.options import MiningOptions, split_names


@pytest.mark.parametrize(
    ("hardness", "ranks", "draw"),
    [("hard", (1, 100), "top"), ("semi-hard", (10, 50), "uniform"), ("easy", (1, 1), "top")],
)
def test_the_window_and_the_draw_follow_from_the_hardness(hardness, ranks, draw):
    options = MiningOptions(hardness=hardness)
    assert (options.ranks, options.draw) == (ranks, draw)


def test_a_window_may_begin_below_the_usual_end():
    assert MiningOptions(from_rank=500).ranks == (500, 500)
    assert MiningOptions(hardness="semi-hard", to_rank=20, sampling="top").ranks == (10, 20)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"negatives": 0}, "negatives must be 1 or more"),
        ({"from_rank": 0}, "from_rank must be 1 or more"),
        ({"from_rank": 5, "to_rank": 4}, "to_rank must be at least the first rank, 5"),
        ({"from_rank": 5, "to_rank": 6, "negatives": 3}, "at least 7 for 3 negatives"),
        ({"relative_margin": 1.0}, "relative_margin must be from 0 to below 1"),
        ({"absolute_margin": -0.1}, "absolute_margin must be from 0"),
        ({"min_score": 1.5}, "min_score must be a cosine"),
        ({"max_score": float("nan")}, "max_score must be a cosine"),
        ({"near_duplicates": 0}, "near_duplicates must be over 0"),
        ({"negatives": 3, "rescored": 2, "cross_encoder": "c"}, "rescored must be 3 or more"),
        ({"relevant": 0}, "relevant must be over 0"),
        ({"temperature": 0}, "temperature must be over 0"),
        ({"memory": float("inf")}, "memory must be over 0"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"hardness": "easy", "bm25": True}, "--bm25 has no effect"),
        ({"hardness": "easy", "to_rank": 9}, "--to-rank has no effect"),
    ],
)
def test_what_is_out_of_range_or_without_effect_is_refused(options, said):
    with pytest.raises(InputError, match=said):
        MiningOptions(**options)


def test_names_are_split_at_commas_and_lists_are_left():
    assert split_names(" a, b,,") == ("a", "b")
    assert split_names(("a,b",)) == ("a,b",)
