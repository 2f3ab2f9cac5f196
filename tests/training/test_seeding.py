import torch

from likewise.training.seeding import (
    child_seed,
    generator,
    random_state,
    restore_random_state,
    torch_seed,
)

CPU = torch.device("cpu")


def test_each_purpose_has_its_own_seed():
    seeds = [child_seed(1, "head"), child_seed(1, "order", 0), child_seed(1, "order", 1)]
    seeds += [child_seed(2, "head")]
    assert len(set(seeds)) == 4
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert child_seed(1, "head") == seeds[0]


def test_a_generator_follows_its_seed_and_purpose():
    assert generator(3, "a").integers(2**60) == generator(3, "a").integers(2**60)
    assert generator(3, "a").integers(2**60) != generator(3, "b").integers(2**60)


def test_seeding_torch_leaves_its_generator_as_it_was():
    before = torch.get_rng_state()
    with torch_seed(5):
        first = torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    with torch_seed(5):
        assert torch.equal(torch.rand(3), first)


def test_a_state_can_be_gone_back_to():
    with torch_seed(5):
        torch.rand(2)
        state = random_state(CPU)
        first = torch.rand(4)
        restore_random_state(state, CPU)
        assert torch.equal(torch.rand(4), first)
