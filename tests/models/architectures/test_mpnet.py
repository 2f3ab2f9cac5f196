import torch
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from likewise.models.architectures.mpnet import MPNET, relative_buckets
from models.architectures.families import assert_same_as_transformers, make_twins


def test_the_buckets_are_those_of_transformers_at_every_distance():
    places = torch.arange(600)
    ahead = places[None, :] - places[:, None]
    assert torch.equal(relative_buckets(600), MPNetEncoder.relative_position_bucket(ahead))


def test_near_distances_have_buckets_of_their_own_and_far_ones_share():
    row = relative_buckets(300)[150]
    assert row[150 - 7 : 150 + 1].tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert row[150 + 1 : 150 + 8].tolist() == [17, 18, 19, 20, 21, 22, 23]
    assert set(row[:20].tolist()) == {15}
    assert set(row[-20:].tolist()) == {31}


def test_the_table_of_relative_positions_matters_and_learns():
    twins = make_twins("mpnet")
    theirs, before = twins.hidden([torch.arange(3, 20).numpy()])
    torch.testing.assert_close(before, theirs, atol=1e-5, rtol=0)
    with torch.no_grad():
        twins.ours.relative += torch.linspace(0, 1, 32)[:, None]
    _, after = twins.hidden([torch.arange(3, 20).numpy()])
    assert (after - before).abs().max() > 1e-3


def test_long_and_short_texts_of_one_batch_see_their_own_distances():
    assert_same_as_transformers(make_twins("mpnet"), (500, 1, 300))


def test_the_limit_of_a_published_checkpoint_is_512():
    assert MPNET.most_tokens({"max_position_embeddings": 514}) == 512
