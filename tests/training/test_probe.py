import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from likewise.models.device import choose_hardware
from likewise.models.encoder import Encoder
from likewise.training.cost import Cost
from likewise.training.loop import Work
from likewise.training.options import TrainingOptions
from likewise.training.plan import make_plan
from likewise.training.probe import probe
from likewise.training.sampling import Sampling
from training.small_runs import (
    Crash,
    Log,
    cosine,
    crash_after,
    make_data,
    make_fit,
    mnr,
    nli,
    pairs,
    ranking,
    same_weights,
    scored,
    softmax,
    weights,
    yes_or_no,
)

PROBE = 0.2  # seconds, and no more than a tenth of these runs


def make_work(encoder: Encoder, data, objective, folder: Path, **given) -> Work:
    """A stage as a fit makes it."""
    options = TrainingOptions(**({"batch_size": 8, "precision": "float32"} | given))
    feed = objective.feed(encoder, data, options)
    sampling = Sampling(
        n_rows=feed.rows,
        batch_size=options.batch_size,
        seed=options.seed,
        smallest=2 if objective.contrastive else 1,
    )
    hardware = choose_hardware(encoder.device, options.precision)
    return Work(
        encoder=encoder,
        embed=objective.embed(encoder),
        feed=feed,
        objective=objective,
        sampling=sampling,
        options=options,
        plan=make_plan(feed, sampling, options, hardware=hardware, dev_tokens=0),
        folder=folder,
    )


def test_a_probe_leaves_all_as_it_was(tiny_encoder: Encoder, tmp_path: Path):
    objective = softmax(tiny_encoder)
    work = make_work(tiny_encoder, nli(24), objective, tmp_path / "run", dropout=0.2)
    tiny_encoder.module.train()  # as nobody leaves it, so that it shows
    objective.head.eval()
    first = next(tiny_encoder.module.parameters())
    first.grad = gradient = torch.ones_like(first)
    before = weights(tiny_encoder)
    head = {name: value.clone() for name, value in objective.head.state_dict().items()}
    state, drawn = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - the global one
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert isinstance(probe(work, seconds=PROBE), Cost)
    assert same_weights(before, weights(tiny_encoder))
    assert same_weights(head, dict(objective.head.state_dict()))
    assert first.grad is gradient
    assert bool((gradient == 1).all())
    assert sum(p.grad is not None for p in tiny_encoder.module.parameters()) == 1
    assert all(part.training for part in tiny_encoder.module.modules())
    assert not any(part.training for part in objective.head.modules())
    assert torch.equal(state, torch.get_rng_state())
    assert (drawn == np.random.get_state()[1]).all()  # noqa: NPY002 - the global one
    assert handlers == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    assert not (tmp_path / "run").exists()


RUNS = {
    "mnr": (pairs, mnr, {}),
    "mnr in parts": (pairs, mnr, {"micro_tokens": 64, "batch_size": 12}),
    "cosine with dropout": (scored, cosine, {"dropout": 0.3}),
    "by the clock": (pairs, mnr, {"epochs": 2, "checkpoint_every": 3}),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_with_a_probe_is_that_without_one(new_encoder, tmp_path: Path, name: str):
    data, objective, options = RUNS[name]
    found, events = [], []
    for seconds in (0.0, PROBE):
        encoder, log = new_encoder(), Log()
        folder = tmp_path / str(seconds)
        fit = make_fit(encoder, folder, observers=[log], probe_seconds=seconds, **options)
        fit(data(24), objective())
        assert (fit.plan.cost is None) == (seconds == 0)
        found.append(weights(encoder))
        events.append([e for e in log.timeless() if not hasattr(e, "path")])
    assert same_weights(*found)
    assert events[0] == events[1]


@pytest.mark.parametrize(("data", "objective"), [(scored, yes_or_no), (pairs, ranking)])
def test_so_is_that_of_a_cross_encoder(new_cross, tmp_path: Path, data, objective):
    found = []
    for seconds in (0.0, PROBE):
        cross = new_cross()
        folder = tmp_path / str(seconds)
        make_fit(cross, folder, probe_seconds=seconds, dropout=0.1)(data(24), objective())
        found.append(weights(cross))
    assert same_weights(*found)


def test_a_run_that_goes_on_after_a_probe_ends_where_it_would_have(new_encoder, tmp_path: Path):
    options = {"epochs": 2, "checkpoint_every": 3, "dropout": 0.2}
    whole = new_encoder()
    make_fit(whole, tmp_path / "whole", **options)(pairs(24), mnr())
    first = new_encoder()
    with pytest.raises(Crash):
        make_fit(first, tmp_path / "cut", observers=[crash_after(8)], **options)(pairs(24), mnr())
    second = new_encoder()
    fit = make_fit(second, tmp_path / "cut", resume=True, probe_seconds=PROBE, **options)
    fit(pairs(24), mnr())
    assert same_weights(weights(whole), weights(second))
    assert (fit.plan.done, fit.plan.steps) == (6, 12)
    # what is left, not what there was
    assert fit.plan.train_seconds == pytest.approx(6 * fit.plan.cost.step_seconds)


def test_tokens_of_a_step_are_those_that_the_run_has(tiny_encoder: Encoder, tmp_path: Path):
    log = Log()
    words = ["apple " * (1 + i % 7) + str(i) for i in range(24)]
    data = make_data("pairs", anchor=words, positive=[text + " river" for text in words])
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], probe_seconds=PROBE)
    fit(data, mnr())
    assert fit.plan.cost.step_tokens == pytest.approx(np.mean([s.tokens for s in log.steps]))
    assert fit.plan.tokens_a_step == round(fit.plan.cost.step_tokens)


def test_costs_are_those_of_a_process_that_holds_the_model(tiny_encoder: Encoder, tmp_path: Path):
    work = make_work(tiny_encoder, pairs(24), mnr(), tmp_path)
    cost = probe(work, seconds=PROBE, dev_tokens=1000)
    assert 0 < cost.step_seconds < 60
    assert cost.dev_seconds > 0
    assert cost.save_seconds > 0
    # Python and torch alone take more than 100 MB, and this machine has no more than all
    assert 1e8 < cost.fixed_memory <= cost.memory
    assert cost.free > 0


def test_a_measurement_that_was_made_is_believed(tiny_encoder: Encoder, tmp_path: Path):
    work = make_work(tiny_encoder, pairs(24), mnr(), tmp_path)
    assert probe(work, seconds=PROBE, dev_tokens=1000, dev_seconds=12.5).dev_seconds == 12.5
    assert probe(work, seconds=PROBE).dev_seconds == 0


def test_of_a_batch_that_takes_too_long_a_part_is_tried(tiny_encoder: Encoder, tmp_path: Path):
    """Here a row takes 10 ms at the least, so that a batch of 48 takes far more than the probe."""
    work = make_work(tiny_encoder, pairs(48), mnr(), tmp_path, batch_size=48, epochs=100)
    asked, plain = [], work.feed.collate

    def slow(rows, step):
        asked.append(len(rows))
        if len(asked) > 1:  # the first is only counted
            time.sleep(0.01 * len(rows))
        return plain(rows, step)

    work = replace(work, feed=replace(work.feed, collate=slow))
    cost = probe(work, seconds=1.0)
    assert max(asked[1:]) <= 1.0 / 4 / 0.01
    assert cost.step_seconds > 0.48 * 0.7  # what the whole batch would have taken, about


def test_what_is_no_longer_a_number_is_left_to_the_run_to_tell(
    tiny_encoder: Encoder, tmp_path: Path
):
    def broken(embeddings, _):
        return embeddings.sum() * float("nan")

    before = weights(tiny_encoder)
    work = make_work(tiny_encoder, pairs(24), replace(mnr(), loss=broken), tmp_path)
    assert probe(work, seconds=PROBE) is None
    assert same_weights(before, weights(tiny_encoder))


def test_ctrl_c_ends_a_probe_and_leaves_nothing(tiny_encoder: Encoder, tmp_path: Path):
    work = make_work(tiny_encoder, pairs(24), mnr(), tmp_path / "run", epochs=50)
    before, plain, asked = weights(tiny_encoder), work.feed.collate, []

    def stopping(rows, step):
        asked.append(step)
        if len(asked) == 3 + work.sampling.steps_per_epoch:
            os.kill(os.getpid(), signal.SIGINT)
        return plain(rows, step)

    work = replace(work, feed=replace(work.feed, collate=stopping))
    with pytest.raises(KeyboardInterrupt):
        probe(work, seconds=10.0)
    assert same_weights(before, weights(tiny_encoder))
    assert not (tmp_path / "run").exists()
