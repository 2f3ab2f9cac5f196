import pytest
import torch
from sentence_transformers.sentence_transformer.losses import GISTEmbedLoss
from torch import nn
from transformers import PreTrainedTokenizerFast

from likewise.losses import gist, mnr

unit = torch.nn.functional.normalize


class GivenGuide(nn.Module):
    """The peer's guide: answers the guide's vectors of the texts that it is handed."""

    max_seq_length = 8
    device = torch.device("cpu")

    def forward(self, features):
        return {"sentence_embedding": features["guided"]}


@pytest.fixture
def peer_gist(embeddings_only, tiny_tokenizer):
    """The peer's loss on embeddings and guides; it wants to see a tokenizer, and never uses it."""

    def peer_gist(embeddings, guides, **options):
        guide = GivenGuide()
        for model in (embeddings_only, guide):
            model.tokenizer = PreTrainedTokenizerFast(tokenizer_object=tiny_tokenizer)
            model.max_seq_length = 8
        loss = GISTEmbedLoss(embeddings_only, guide, **options)
        pairs = zip(embeddings, guides, strict=True)
        return loss([{"given": given, "guided": guided} for given, guided in pairs], None)

    return peer_gist


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("columns", [2, 3])
@pytest.mark.parametrize("same_side", [True, False])
@pytest.mark.parametrize(
    ("strategy", "margin"),
    [("absolute", 0.0), ("absolute", 0.2), ("absolute", -0.2), ("relative", 0.5)],
)
def test_value_and_gradients_are_the_peers(
    seed, columns, same_side, strategy, margin, draw_embeddings, peer_gist, assert_same
):
    rows = draw_embeddings(*[8] * columns, seed=seed)
    guides = [g.detach() for g in draw_embeddings(*[(8, 9)] * columns, seed=seed + 9)]
    more = rows[2] if columns == 3 else None
    ours = gist(
        *rows[:2],
        more,
        None,
        *guides,
        scale=10.0,
        margin=margin,
        margin_strategy=strategy,
        same_side=same_side,
    )
    theirs = peer_gist(
        rows,
        guides,
        temperature=0.1,
        margin_strategy=strategy,
        margin=margin,
        contrast_anchors=same_side,
        contrast_positives=same_side,
    )
    assert_same(ours, theirs, rows)


def test_the_defaults_are_the_peers(draw_embeddings, peer_gist, assert_same):
    rows = draw_embeddings(8, 8)
    guides = [g.detach() for g in draw_embeddings(8, 8, seed=1)]
    assert_same(gist(*rows, None, None, *guides), peer_gist(rows, guides), rows)


def test_a_text_is_never_a_negative_of_itself(draw_embeddings, peer_gist):
    """Where the guide sees no difference between an anchor and its positive.

    The peer then keeps the anchor among its own negatives, with a cosine of 1 that nothing can
    lower, as its mask leaves out only what is nearer than the positive; so the plain formula stands
    here for it.
    """
    rows = [row.detach() for row in draw_embeddings(3, 3)]
    guides = [torch.eye(3), torch.eye(3)]
    anchors, positives = map(unit, rows)
    exp = [(2 * left @ right.T).exp() for left, right in
           ((anchors, positives), (anchors, anchors), (positives, positives))]  # fmt: skip
    others = sum(e - torch.diag(e.diagonal()) for e in exp).sum(dim=1)
    own = exp[0].diagonal()
    expected = -(own / (own + others)).log().mean()
    loss = gist(*rows, None, None, *guides, scale=2.0)
    torch.testing.assert_close(loss, expected)
    assert peer_gist(rows, guides, temperature=0.5) > expected + 0.1


def test_what_the_guide_finds_nearer_than_the_positive_is_no_negative(draw_embeddings):
    anchors, positives, negatives = draw_embeddings(2, 2, 3)
    guide_anchors = torch.eye(2, 4)
    guide_positives = unit(torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 1]]))
    guide_negatives = torch.tensor([[0.0, 0, 1, 0], [1, 0, 0, 0.1], [0, 0, 0, 1]])
    guides = (guide_anchors, guide_positives, guide_negatives)
    loss = gist(anchors, positives, negatives, None, *guides, scale=20.0, same_side=False)
    collides = torch.zeros(2, 5, dtype=torch.bool)
    collides[0, 3] = True  # the second negative is the first anchor, to the guide
    torch.testing.assert_close(loss, mnr(anchors, positives, negatives, collides))


def test_a_candidate_as_near_as_the_positive_stays_a_negative(draw_embeddings):
    anchors, positives, negatives = draw_embeddings(2, 2, 1)
    guides = (torch.eye(2), torch.eye(2), torch.eye(2)[:1])
    loss = gist(anchors, positives, negatives, None, *guides, scale=20.0, same_side=False)
    torch.testing.assert_close(loss, mnr(anchors, positives, negatives))


def test_what_collides_one_way_is_masked_on_both_sides(draw_embeddings):
    """The second positive also answers the first anchor: nothing is left for the first."""
    anchors, positives = draw_embeddings(2, 2)
    collides = torch.tensor([[False, True], [False, False]])
    far = [torch.eye(2), torch.eye(2)]  # the guide leaves every candidate in
    loss = gist(anchors, positives, None, collides, *far, scale=20.0)
    torch.testing.assert_close(loss, mnr(anchors, positives, None, collides))


def test_a_guide_that_likes_everything_leaves_nothing_to_learn(draw_embeddings):
    rows = draw_embeddings(4, 4)
    guides = [torch.ones(4, 3), torch.ones(4, 3)]
    loss = gist(*rows, None, None, *guides, margin=0.1)
    loss.backward()
    assert loss.item() == 0
    assert not any(row.grad.any() for row in rows)


@pytest.mark.parametrize("guides", [(), (torch.eye(4),), (torch.eye(4), None, None)])
def test_missing_guides_are_refused(guides):
    with pytest.raises(ValueError, match="gist needs the guide's vectors of all texts"):
        gist(torch.eye(4), torch.eye(4), None, None, *guides)
