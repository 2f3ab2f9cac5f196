import pytest

from likewise.losses.cross_encoder import list_net
from likewise.losses.cross_encoder.spec import CrossLossSpec


def test_pairs_are_not_graded():
    with pytest.raises(ValueError, match="only lists are graded"):
        CrossLossSpec(function=list_net, form="pairs", graded=True, kinds=("pairs",))


def test_a_list_is_ranked_by_one_logit():
    with pytest.raises(ValueError, match="one logit a candidate"):
        CrossLossSpec(function=list_net, form="lists", classes="labels", kinds=("nli",))
