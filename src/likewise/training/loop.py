"""The training loop, top to bottom on one page."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from likewise.errors import Interrupted, NotFinite
from likewise.models.determinism import repeatable
from likewise.models.memory import Tide, give_back_memory
from likewise.training.batch import Batch
from likewise.training.checkpoint import (
    Progress,
    Trained,
    newest_checkpoint,
    restore_checkpoint,
    save_checkpoint,
)
from likewise.training.dropout import dropout_places
from likewise.training.events import Evaluated, Observer, Saved, StepDone
from likewise.training.feed import Feed
from likewise.training.grad_cache import backward
from likewise.training.objective import Objective
from likewise.training.optimiser import build_optimiser, rate_at
from likewise.training.options import TrainingOptions
from likewise.training.plan import Plan
from likewise.training.prefetch import Batches
from likewise.training.sampling import Sampling
from likewise.training.seeding import child_seed, torch_seed
from likewise.training.stopping import stop_asked
from likewise.training.trainable import Embeds, Trainable, restore_weights

Evaluate: TypeAlias = Callable[[Any], Evaluated]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One stage of training, ready to run.

    Attributes:
        encoder: trained in place; it embeds texts, or scores pairs.
        embed: a packed stream to what the loss takes.
        feed: the data: rows and step to a batch.
        objective: the loss and its head.
        sampling: which rows make a batch.
        options: of the run.
        plan: steps, evaluations, checkpoints.
        folder: of the run's checkpoints.
        evaluate: measures the dev data; None without.
        observers: told of every event.
    """

    encoder: Trainable
    embed: Embeds
    feed: Feed
    objective: Objective
    sampling: Sampling
    options: TrainingOptions
    plan: Plan
    folder: Path
    evaluate: Evaluate | None = None
    observers: Sequence[Observer] = ()

    def tell(self, event: StepDone | Evaluated | Saved) -> None:
        """Hand an event to every observer."""
        for observer in self.observers:
            observer(event)


def run_loop(work: Work, *, resume: bool = False) -> Progress:
    """Train until the plan or the clock ends it.

    Args:
        work: what to train on what; the encoder is changed in place.
        resume: go on from the newest good checkpoint, where there is one.

    Returns:
        Where the run ended. With `keep="best"` the encoder has the best evaluation's weights.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; a checkpoint was saved.
        NotFinite: the loss or a gradient is NaN or infinite; nothing of that step was kept.
    """
    encoder, objective, options, plan = work.encoder, work.objective, work.options, work.plan
    modules = nn.ModuleDict({"encoder": encoder.module})
    if objective.head is not None:
        modules["head"] = objective.head.to(encoder.device)
    parameters = [(n, p) for n, p in modules.named_parameters() if p.requires_grad]
    trained = Trained(
        encoder=encoder,
        optimiser=build_optimiser(parameters, options),
        head=objective.head,
    )
    trained.optimiser.zero_grad(set_to_none=True)  # what a failed run before this one left
    with (
        _dropout(modules, options.dropout),
        torch_seed(child_seed(options.seed, "dropout")),
        repeatable(encoder.device, asked=options.deterministic),
    ):
        found = newest_checkpoint(work.folder) if resume else None
        at = Progress() if found is None else restore_checkpoint(found, trained)
        give_back_memory()
        tide = Tide()
        batches = _batches(work)
        start = time.monotonic() - at.clock
        finished = _finished(at, plan, options)
        with stop_asked() as stopped:
            while not finished:
                before, began = at, time.monotonic()
                with batches.at(at.step) as batch:
                    modules.train()
                    done = _step(work, trained, batch, at, parameters, tide)
                now = time.monotonic()
                seconds = at.seconds + now - began
                at = replace(at, step=done.step, seconds=seconds, clock=now - start)
                work.tell(replace(done, seconds=at.seconds))
                tide.after_pass()
                finished = _finished(at, plan, options)
                if options.evaluations != 0 if finished else _due(before, at, plan, options):
                    at = _measure(work, modules, at)
                    at = replace(at, clock=time.monotonic() - start)
                if stopped() or at.step % plan.checkpoint_every == 0:
                    path = save_checkpoint(work.folder, trained, at)
                    work.tell(Saved(step=at.step, path=str(path)))
                    if stopped():
                        raise Interrupted(str(path), step=at.step)
    _restore_best(work, at)
    return at


def _batches(work: Work) -> Batches:
    """Rows to batches; where a GPU computes, the next one meanwhile."""
    return Batches(
        lambda step: work.feed.collate(work.sampling.rows(step), step),
        ahead=work.encoder.device.type == "cuda",
        last=work.plan.steps,
    )


def _step(
    work: Work,
    trained: Trained,
    batch: Batch,
    at: Progress,
    parameters: list[tuple[str, nn.Parameter]],
    tide: Tide,
) -> StepDone:
    """Rows to embeddings to loss to gradients to new weights, for one batch."""
    options, plan = work.options, work.plan
    rate = rate_at(_share(at, plan, options), options)
    for group in trained.optimiser.param_groups:
        group["lr"] = rate
    # the only time that a step waits for the device
    loss, norm = torch.stack(_learn(work, batch, rate, parameters, tide)).tolist()
    for what, value in (("the loss", loss), ("the gradient", norm)):
        if not math.isfinite(value):
            rows = [str(work.feed.where(int(row))) for row in batch.rows]
            raise NotFinite(what, step=at.step + 1, rows=rows, rate=rate)
    if work.objective.update is None:
        trained.optimiser.step()
        trained.optimiser.zero_grad(set_to_none=True)
    return StepDone(
        step=at.step + 1,
        loss=loss,
        rate=rate,
        gradient_norm=norm,
        rows=len(batch.rows),
        texts=len(batch.packed),
        tokens=len(batch.packed.ids),
        masked=batch.masked,
        seconds=at.seconds,
    )


def _learn(
    work: Work,
    batch: Batch,
    rate: float,
    parameters: list[tuple[str, nn.Parameter]],
    tide: Tide,
) -> tuple[Tensor, Tensor]:
    """The loss of a batch, and the norm of its gradients, which the weights have now."""
    options = work.options
    if work.objective.update is not None:
        return torch.tensor(work.objective.update(batch, rate)), torch.zeros(())
    loss = backward(
        lambda packed: work.embed(packed, dtype=work.plan.hardware.dtype),
        batch.packed,
        lambda embeddings: work.objective.loss(embeddings, batch),
        options.micro_tokens,
        after_part=tide.after_pass,
    )
    kept = [parameter for _, parameter in parameters]
    return loss, nn.utils.clip_grad_norm_(kept, options.clip or math.inf)


def _share(at: Progress, plan: Plan, options: TrainingOptions) -> float:
    """How much of the run lies behind when the next step is half done: never 0, never 1."""
    if plan.steps is None:
        return min(at.clock / plan.clock_seconds(options) + 1e-3, 1.0)
    return (at.step + 0.5) / plan.steps


def _due(before: Progress, at: Progress, plan: Plan, options: TrainingOptions) -> bool:
    """Whether the dev data is to be measured now: by steps, or evenly over the minutes."""
    if plan.steps is not None or not plan.evaluations:
        return at.step in plan.evaluate_after
    every = plan.clock_seconds(options) / plan.evaluations
    return int(before.clock / every) < int(at.clock / every)


def _finished(at: Progress, plan: Plan, options: TrainingOptions) -> bool:
    """Whether the steps are done, or another would end later than the clock allows."""
    if options.minutes:
        step = at.seconds / max(at.step, 1)
        return at.step > 0 and at.clock + step / 2 >= plan.clock_seconds(options)
    return at.step >= (plan.steps or 0)


def _measure(work: Work, modules: nn.Module, at: Progress) -> Progress:
    """Evaluate on the dev data; the best weights so far are put aside."""
    if work.evaluate is None:
        return at
    modules.eval()
    found = replace(work.evaluate(work.encoder), step=at.step)
    work.tell(found)
    if math.isnan(found.value) or (at.best_value is not None and found.value <= at.best_value):
        return at
    if work.options.keep == "best":
        work.encoder.save(work.folder / "best", overwrite=True)
    return replace(at, best_step=at.step, best_value=found.value)


def _restore_best(work: Work, at: Progress) -> None:
    best = work.folder / "best"
    if work.options.keep == "best" and at.best_step not in {None, at.step} and best.is_dir():
        restore_weights(work.encoder, best)


@contextmanager
def _dropout(modules: nn.Module, probability: float | None) -> Iterator[None]:
    """Set every dropout probability for the run; after it put the model's own back, and rest."""
    own = dropout_places(modules)
    try:
        if probability is not None:
            for module, name, _ in own:
                setattr(module, name, probability)
        yield
    finally:
        modules.eval()  # however the run ends, the encoder is ready for use
        for module, name, value in own:
            setattr(module, name, value)
