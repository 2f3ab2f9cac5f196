"""Stop and go on, bit for bit."""

import json
import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from likewise.errors import Interrupted
from likewise.models.build import load
from likewise.models.cross_encoder import load_cross_encoder
from likewise.training.checkpoint import (
    Progress,
    Trained,
    newest_checkpoint,
    read_progress,
    restore_checkpoint,
    save_checkpoint,
)
from likewise.training.events import Evaluated, Event, Saved, StepDone
from likewise.training.run_folder import MetricsFile
from training.small_runs import (
    Crash,
    Log,
    crash_after,
    make_fit,
    mnr,
    nli,
    pairs,
    ranking,
    same_weights,
    scored,
    series,
    softmax,
    weights,
    yes_or_no,
)

OPTIONS = {"epochs": 2.0, "checkpoint_every": 3, "evaluations": 4, "keep": "last"}
STEPS = 12  # 24 rows, 4 a batch, 2 epochs
VALUES = [0.1, 0.5, 0.4, 0.3]


def timeless(folder: Path) -> list[dict]:
    """`metrics.jsonl` without seconds, and without where the folder of the run is."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    for event in events:
        event.pop("seconds", None)
        event["path"] = Path(event.get("path", "")).name
    return events


def run(new_encoder, folder: Path, *, until: int | None = None, resume=False, **options):
    """Train with a softmax head in a folder of its own; `until` crashes after that step."""
    folder.mkdir(exist_ok=True)
    encoder = new_encoder()
    checkpoints = folder / "checkpoints"
    found = newest_checkpoint(checkpoints) if resume else None
    done = 0 if found is None else read_progress(found).step
    metrics = MetricsFile(folder, keep_until=done if found else None)
    left = VALUES[done * len(VALUES) // STEPS :]
    objective = softmax(encoder)
    fit = make_fit(
        encoder,
        checkpoints,
        observers=[metrics, *([crash_after(until)] if until else [])],
        evaluate=series(left),
        resume=resume,
        **(OPTIONS | options),
    )
    if until:
        with pytest.raises(Crash):
            fit(nli(24), objective)
    else:
        fit(nli(24), objective)
    return encoder, objective.head, fit


def training_tensors(folder: Path) -> dict[str, torch.Tensor]:
    newest = newest_checkpoint(folder / "checkpoints")
    return load_file(newest / "training.safetensors")


@pytest.mark.parametrize("keep", ["last", "best"])
def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(new_encoder, tmp_path: Path, keep):
    whole, head, _ = run(new_encoder, tmp_path / "whole", keep=keep)
    run(new_encoder, tmp_path / "cut", until=8, keep=keep)
    resumed, other, _ = run(new_encoder, tmp_path / "cut", resume=True, keep=keep)
    assert same_weights(weights(resumed), weights(whole))
    assert same_weights(other.state_dict(), head.state_dict())
    moments, expected = (training_tensors(tmp_path / name) for name in ("cut", "whole"))
    assert any(name.endswith("exp_avg_sq") for name in moments)
    assert any(name.startswith("head.") for name in moments)
    assert same_weights(moments, expected)
    assert timeless(tmp_path / "cut") == timeless(tmp_path / "whole")


def test_a_run_cut_off_before_its_first_checkpoint_starts_anew(new_encoder, tmp_path: Path):
    whole, _, _ = run(new_encoder, tmp_path / "whole")
    run(new_encoder, tmp_path / "cut", until=2)
    resumed, _, _ = run(new_encoder, tmp_path / "cut", resume=True)
    assert same_weights(weights(resumed), weights(whole))
    assert timeless(tmp_path / "cut") == timeless(tmp_path / "whole")


def test_the_best_weights_come_back_across_a_resume(new_encoder, tmp_path: Path):
    run(new_encoder, tmp_path / "cut", until=8, keep="best")  # the best was after step 6
    resumed, _, fit = run(new_encoder, tmp_path / "cut", resume=True, keep="best")
    assert (fit.progress.best_step, fit.progress.best_value) == (6, 0.5)
    best = load(tmp_path / "cut" / "checkpoints" / "best", device="cpu")
    assert same_weights(weights(resumed), weights(best))
    last, _, _ = run(new_encoder, tmp_path / "last", keep="last")
    assert not same_weights(weights(resumed), weights(last))


def test_a_finished_run_is_not_trained_again(new_encoder, tmp_path: Path):
    whole, _, _ = run(new_encoder, tmp_path / "whole")
    again, _, _ = run(new_encoder, tmp_path / "whole", resume=True)
    assert same_weights(weights(again), weights(whole))


@pytest.mark.parametrize("name", ["model.safetensors", "training.safetensors", "training.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    new_encoder, tmp_path: Path, name: str, damage: str, caplog: pytest.LogCaptureFixture
):
    run(new_encoder, tmp_path / "run", until=8)
    newest = newest_checkpoint(tmp_path / "run" / "checkpoints")
    assert newest.name == "step-00000006"
    file, content = newest / name, (newest / name).read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    else:
        middle = content.index(b"sha256") if name == "training.json" else len(content) // 2
        file.write_bytes(content[:middle] + b"\x07" + content[middle + 1 :])
    with caplog.at_level(logging.WARNING):
        assert newest_checkpoint(newest.parent).name == "step-00000003"
    assert "step-00000006" in caplog.text


def test_going_on_from_the_one_before_ends_the_same(new_encoder, tmp_path: Path):
    whole, _, _ = run(new_encoder, tmp_path / "whole")
    run(new_encoder, tmp_path / "cut", until=8)
    newest = newest_checkpoint(tmp_path / "cut" / "checkpoints")
    (newest / "model.safetensors").write_bytes(b"")
    resumed, _, _ = run(new_encoder, tmp_path / "cut", resume=True)
    assert same_weights(weights(resumed), weights(whole))
    assert timeless(tmp_path / "cut") == timeless(tmp_path / "whole")


def test_a_metrics_line_that_was_cut_off_is_written_again(new_encoder, tmp_path: Path):
    run(new_encoder, tmp_path / "whole")
    run(new_encoder, tmp_path / "cut", until=8)
    metrics = tmp_path / "cut" / "metrics.jsonl"
    metrics.write_text(metrics.read_text()[:-20])
    run(new_encoder, tmp_path / "cut", resume=True)
    assert timeless(tmp_path / "cut") == timeless(tmp_path / "whole")


def test_a_half_written_checkpoint_does_not_count(new_encoder, tmp_path: Path):
    run(new_encoder, tmp_path / "run", until=8)
    folder = tmp_path / "run" / "checkpoints"
    newest_checkpoint(folder).rename(folder / ".step-00000006.draft")
    assert newest_checkpoint(folder).name == "step-00000003"


def test_nothing_is_the_newest_of_nothing(tmp_path: Path):
    assert newest_checkpoint(tmp_path / "none") is None


def test_only_the_newest_are_kept(new_encoder, tmp_path: Path):
    encoder = new_encoder()
    trained = Trained(
        encoder=encoder, optimiser=torch.optim.AdamW(encoder.module.parameters(), lr=1e-3)
    )
    for step in (5, 10, 15):
        path = save_checkpoint(tmp_path, trained, Progress(step=step), kept=2)
        assert path.is_dir()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000010", "step-00000015"]


def test_a_checkpoint_is_a_model_that_loads(new_encoder, tmp_path: Path):
    encoder, _, _ = run(new_encoder, tmp_path / "run")
    loaded = load(newest_checkpoint(tmp_path / "run" / "checkpoints"), device="cpu")
    assert same_weights(weights(loaded), weights(encoder))


def test_progress_comes_back(new_encoder, tmp_path: Path):
    encoder = new_encoder()
    trained = Trained(
        encoder=encoder, optimiser=torch.optim.AdamW(encoder.module.parameters(), lr=1e-3)
    )
    progress = Progress(step=7, seconds=1.5, best_step=5, best_value=0.25)
    path = save_checkpoint(tmp_path, trained, progress)
    assert read_progress(path) == progress
    assert restore_checkpoint(path, trained) == progress


def test_ctrl_c_leaves_a_checkpoint_to_go_on_from(new_encoder, tmp_path: Path):
    import os
    import signal

    def interrupt(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 4:
            os.kill(os.getpid(), signal.SIGINT)

    whole = new_encoder()
    options = {"checkpoint_every": 100, "batch_size": 4}
    make_fit(whole, tmp_path / "whole", **options)(pairs(24), mnr())
    log, handler = Log(act=interrupt), signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted) as caught:
        make_fit(new_encoder(), tmp_path / "cut", observers=[log], **options)(pairs(24), mnr())
    assert caught.value.step == 4
    assert log.events[-1] == Saved(step=4, path=str(tmp_path / "cut" / "step-00000004"))
    assert signal.getsignal(signal.SIGINT) is handler
    resumed = new_encoder()
    make_fit(resumed, tmp_path / "cut", resume=True, **options)(pairs(24), mnr())
    assert same_weights(weights(resumed), weights(whole))


def test_evaluations_are_not_repeated_by_a_resume(new_encoder, tmp_path: Path):
    run(new_encoder, tmp_path / "run", until=8)
    log = Log()
    encoder = new_encoder()
    make_fit(
        encoder,
        tmp_path / "run" / "checkpoints",
        observers=[log],
        evaluate=series(VALUES[2:]),
        resume=True,
        **OPTIONS,
    )(nli(24), softmax(encoder))
    assert [e.step for e in log.events if isinstance(e, Evaluated)] == [9, 12]


@pytest.mark.parametrize(
    ("data", "objective"), [(scored, yes_or_no), (pairs, ranking)], ids=["pairs", "lists"]
)
def test_a_cross_encoder_that_was_cut_off_ends_as_if_it_had_not_been(
    new_cross, tmp_path: Path, data, objective
):
    """Its head and the negatives that it draws too."""
    whole, cut, resumed = new_cross(), new_cross(), new_cross()
    assert any(p > 0 for p in (getattr(m, "dropout", 0) for m in whole.module.modules()))
    make_fit(whole, tmp_path / "whole", **OPTIONS)(data(24), objective())
    with pytest.raises(Crash):
        make_fit(cut, tmp_path / "cut", observers=[crash_after(8)], **OPTIONS)(
            data(24), objective()
        )
    log = Log()
    make_fit(resumed, tmp_path / "cut", observers=[log], resume=True, **OPTIONS)(
        data(24), objective()
    )
    assert [step.step for step in log.steps] == list(range(7, 13))
    assert same_weights(weights(resumed), weights(whole))
    moments, expected = (
        load_file(newest_checkpoint(tmp_path / name) / "training.safetensors")
        for name in ("cut", "whole")
    )
    assert same_weights(moments, expected)


def test_a_checkpoint_of_a_cross_encoder_is_a_model_that_loads(new_cross, tmp_path: Path):
    cross = new_cross()
    make_fit(cross, tmp_path, **OPTIONS)(scored(24), yes_or_no())
    loaded = load_cross_encoder(newest_checkpoint(tmp_path), device="cpu")
    assert same_weights(weights(loaded), weights(cross))
