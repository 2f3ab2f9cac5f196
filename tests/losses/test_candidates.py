import pytest
import torch

from likewise.losses.candidates import compare_candidates, gather_candidates


def test_negatives_stand_behind_the_positives():
    positives, negatives = torch.eye(2), torch.ones(3, 2)
    candidates, collides = gather_candidates(positives, negatives, None, loss="mnr")
    assert torch.equal(candidates, torch.cat([positives, negatives]))
    assert collides.shape == (2, 5)
    assert not collides.any()


def test_an_own_column_never_collides_and_the_mask_is_left_as_it_was():
    given = torch.eye(3, dtype=torch.bool)
    _, collides = gather_candidates(torch.eye(3), None, given, loss="mnr")
    assert not collides.any()
    assert given.diagonal().all()


@pytest.mark.parametrize(
    ("pairs", "collides"),
    [(0, None), (1, None), (3, torch.ones(3, 3, dtype=torch.bool))],
    ids=["no pair", "one pair", "all masked"],
)
def test_a_choice_of_one_is_refused_in_the_name_of_the_loss(pairs, collides):
    with pytest.raises(ValueError, match=r"^gist needs two candidates or more"):
        gather_candidates(torch.ones(pairs, 2), None, collides, loss="gist")


def test_no_anchor_at_all_is_refused_whatever_the_negatives():
    with pytest.raises(ValueError, match="needs two candidates"):
        gather_candidates(torch.ones(0, 2), torch.ones(4, 2), None, loss="mnr")


def test_each_anchor_meets_its_own_candidates_alone():
    draw = torch.Generator().manual_seed(0)
    anchors = torch.randn(4, 5, generator=draw)
    candidates = torch.randn(4, 3, 5, generator=draw)
    dots = [[float(a @ c) for c in own] for a, own in zip(anchors, candidates, strict=True)]
    torch.testing.assert_close(compare_candidates(anchors, candidates, "dot"), torch.tensor(dots))
    cosines = torch.nn.functional.cosine_similarity(anchors[:, None], candidates, dim=-1)
    torch.testing.assert_close(compare_candidates(anchors, candidates, "cosine"), cosines)


def test_an_unknown_similarity_is_refused():
    with pytest.raises(ValueError, match='no similarity "euclidean"; one of: dot, cosine'):
        compare_candidates(torch.eye(2), torch.ones(2, 2, 2), "euclidean")
