"""A few seconds of the very steps that a run will make; nothing of them stays."""

import hashlib
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from likewise.errors import Interrupted, NotFinite
from likewise.models.memory import GROWTH, SLACK, give_back_memory
from likewise.text.packed import Packed
from likewise.training.batch import Batch
from likewise.training.cost import Cost, Load, fit_rates, fit_room, load_of, shape_of
from likewise.training.events import Event, StepDone
from likewise.training.loop import Work, run_loop
from likewise.training.seeding import torch_seed

LOOK_SECONDS = 0.5  # spent on batches that are only counted
MOST_LOOKED_AT = 512
SHARE_OF_RUN = 0.1  # that a probe may take
LARGEST_STEP = 0.25  # of the seconds of a probe; of a batch that takes longer, a part is tried
FEWEST, MOST = 2, 200  # steps that are timed
NEVER = 10**9
SWELLING = 10e6  # bytes a pass, until some is given back
SAMPLE_BYTES = 1 << 24
LIMIT = Path("/sys/fs/cgroup/memory.max")


class _Enough(Exception):
    """The probe has seen what it needs."""


def probe(
    work: Work, *, seconds: float, dev_tokens: int = 0, dev_seconds: float | None = None
) -> Cost | None:
    """Run a little of a stage, and say what all of it takes.

    The loop itself runs, on batches of this data, with this loss, precision and optimiser. After
    it weights, gradients, dropout and random state are what they were, bit for bit. The first
    step of each size, which has kernels to compile, is left out. Of a batch that takes too long a
    part is tried. What a mean step costs follows from how many tokens, and squares of lengths,
    the batches of an epoch have.

    Args:
        work: the stage; its folder is left alone.
        seconds: about so long, and no longer than a tenth of the run takes.
        dev_tokens: tokens that one measurement embeds; 0 without dev data.
        dev_seconds: what one is known to take; where None, a forward pass is timed.

    Returns:
        The cost; None where no step went well, which the run itself will tell of.

    Raises:
        KeyboardInterrupt: as it was stopped; nothing was saved.
    """
    looked = _look(work)
    with _as_it_was(work) as copied, _Peak(work.encoder.device) as peak:
        trial = _Trial(work=work, seconds=seconds, peak=peak)
        _run(work, trial)
        if dev_seconds is None:
            dev_seconds = dev_tokens * _forward_seconds(work, trial.packed) if dev_tokens else 0.0
        saved = _save_seconds(work)
    give_back_memory()
    if not trial.tried:
        return None
    shape = shape_of(work.encoder.contents.config)
    timed = trial.timed
    rates = fit_rates([t.load for t in timed], [t.seconds for t in timed], shape)
    ends = (trial.tried[0], trial.tried[-1])
    small, large = ((t.load, t.peak - copied) for t in ends)
    room = fit_room((small[0], large[0]), (small[1], large[1]), shape)
    largest = max(looked, key=room.bytes_of)
    swell = 0.0
    if work.encoder.device.type == "cpu":
        passes = max(1.0, 2 * (largest.tokens / largest.part_tokens - 1))
        most = (GROWTH - 1) * room.bytes_of(largest) + SLACK
        swell = min(most, SWELLING * passes * (work.plan.steps or NEVER))
    return Cost(
        step_seconds=float(np.mean([rates.seconds(load) for load in looked])),
        step_tokens=float(np.mean([load.tokens for load in looked])),
        dev_seconds=dev_seconds,
        save_seconds=saved,
        memory=int(room.bytes_of(largest) + swell),
        fixed_memory=int(room.fixed + swell),
        part_tokens=largest.part_tokens,
        free=_free(work.encoder.device),
    )


def _look(work: Work) -> list[Load]:
    """Count batches of the first epoch, evenly over it, for a while; one at least."""
    steps = _epoch(work)
    count = min(steps, MOST_LOOKED_AT)
    found: list[Load] = []
    began = time.monotonic()
    for i in range(count):
        step = i * steps // count
        packed = work.feed.collate(work.sampling.rows(step), step).packed
        found.append(load_of(packed.lengths.numpy(), work.options.micro_tokens))
        if time.monotonic() - began > LOOK_SECONDS:
            break
    return found


def _epoch(work: Work) -> int:
    """Steps of the first epoch that the run will make."""
    return min(work.plan.steps or NEVER, work.sampling.steps_per_epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    rows: int
    load: Load
    seconds: float
    peak: int


@dataclass(kw_only=True)
class _Trial:
    """Feeds the loop with batches of growing size, and watches it; batches may be made ahead."""

    work: Work
    seconds: float
    peak: "_Peak"
    tried: list[_Tried] = field(default_factory=list)
    packed: Packed | None = None
    _rows: int = 0
    _asked: dict[int, tuple[int, Load]] = field(default_factory=dict)
    _before: float = 0.0
    _began: float = field(default_factory=time.monotonic)

    def collate(self, _: NDArray[np.int64], step: int) -> Batch:
        """Rows of a real batch, some of them at first."""
        work = self.work
        of_run = step % _epoch(work)
        rows = work.sampling.rows(of_run)
        if not self._rows:
            self._rows = min(max(work.sampling.smallest, 2), len(rows))
        batch = work.feed.collate(rows[: self._rows], of_run)
        load = load_of(batch.packed.lengths.numpy(), work.options.micro_tokens)
        self._asked[step] = self._rows, load
        self.packed = batch.packed
        return batch

    def __call__(self, event: Event) -> None:
        """Note what a step took, and choose the next one."""
        if not isinstance(event, StepDone):
            return
        rows, load = self._asked.pop(event.step - 1)
        took, self._before = event.seconds - self._before, event.seconds
        self.tried.append(_Tried(rows=rows, load=load, seconds=took, peak=self.peak.take()))
        same = sum(t.rows == self._rows for t in self.tried)
        if rows < self._rows or (same < FEWEST and took < self.seconds):
            return
        whole = len(self.work.sampling.rows(0))
        self._rows = self._grow(took, whole)
        if self._rows == rows and (took >= self.seconds or self._is_enough(took, whole, same)):
            raise _Enough

    def _grow(self, took: float, whole: int) -> int:
        """How many rows a step may have: eight times more, while that is quick, up to the batch."""
        affordable = int(self._rows * LARGEST_STEP * self.seconds / max(took, 1e-9))
        wanted = min(whole, 8 * self._rows, affordable)
        return wanted if wanted == whole or wanted >= 2 * self._rows else self._rows

    def _is_enough(self, took: float, whole: int, same: int) -> bool:
        """Whether there is time for no more, of which a short run grants a share of its own."""
        options = self.work.options
        steps = self.work.plan.steps or NEVER
        run = 60 * options.minutes if options.minutes else steps * took * whole / self._rows
        is_late = time.monotonic() - self._began > min(self.seconds, SHARE_OF_RUN * run)
        return same > FEWEST and (same >= MOST or is_late)

    @property
    def timed(self) -> list[_Tried]:
        """All but the first of each size; or all, where there is no other."""
        seen: set[int] = set()
        later = [t for t in self.tried if t.rows in seen or seen.add(t.rows)]  # type: ignore[func-returns-value]  # add gives None
        return later or self.tried


def _run(work: Work, trial: _Trial) -> None:
    """The loop, until the trial has enough; its steps have a rate of almost nothing."""
    plan = replace(
        work.plan, steps=NEVER, evaluate_after=frozenset(), checkpoint_every=NEVER, minutes=None
    )
    with tempfile.TemporaryDirectory() as folder:  # where Ctrl-C would save
        own = replace(
            work,
            feed=replace(work.feed, collate=trial.collate),
            options=replace(work.options, minutes=None),
            plan=plan,
            folder=Path(folder),
            evaluate=None,
            observers=(trial,),
        )
        try:
            run_loop(own)
        except (_Enough, NotFinite):
            pass
        except Interrupted:
            raise KeyboardInterrupt from None


@contextmanager
def _as_it_was(work: Work) -> Iterator[int]:
    """Put weights, gradients and modes back after; gives the bytes that the copies need."""
    modules = nn.ModuleList([work.encoder.module])
    if work.objective.head is not None:
        modules.append(work.objective.head.to(work.encoder.device))
    held = modules.state_dict().values()
    own = {(tensor.data_ptr(), tensor.shape): tensor for tensor in held}  # shared ones once
    copies = {place: tensor.clone() for place, tensor in own.items()}
    gradients = [(parameter, parameter.grad) for parameter in modules.parameters()]
    training = [(module, module.training) for module in modules.modules()]
    for parameter, _ in gradients:
        parameter.grad = None
    try:
        yield sum(tensor.nbytes for tensor in copies.values())
    finally:
        with torch.no_grad():
            for place, tensor in own.items():
                tensor.copy_(copies[place])
        for parameter, gradient in gradients:
            parameter.grad = gradient
        for module, was in training:
            module.training = was


class _Peak:
    """The most memory since it was last asked; a context manager."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._process = psutil.Process()
        self._most = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._stop.wait(0.01):
            self._most = max(self._most, self._process.memory_info().rss)

    def take(self) -> int:
        """Bytes at the peak since the last call."""
        if self._device.type == "cuda":
            most = torch.cuda.max_memory_allocated(self._device)
            torch.cuda.reset_peak_memory_stats(self._device)
            return most
        most, self._most = max(self._most, self._process.memory_info().rss), 0
        return most

    def __enter__(self) -> "_Peak":
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()


def _forward_seconds(work: Work, packed: Packed | None) -> float:
    """Of a token, without gradients, as evaluation has them."""
    if packed is None:
        return 0.0
    stream = Packed(ids=packed.ids, starts=packed.starts, segments=packed.segments)
    work.encoder.module.eval()
    took = []
    with torch.inference_mode(), torch_seed(0):
        for _ in range(FEWEST):
            began = time.monotonic()
            vectors: Tensor = work.encoder.embed(stream, dtype=work.plan.hardware.dtype)
            float(vectors.sum())  # waits for the device
            took.append(time.monotonic() - began)
    return min(took) / len(stream.ids)


def _save_seconds(work: Work) -> float:
    """Of a checkpoint: weights and two moments are written, hashed and written again as a model."""
    sample = bytes(SAMPLE_BYTES)
    began = time.monotonic()
    with tempfile.TemporaryFile() as file:
        file.write(sample)
        file.flush()
    hashlib.sha256(sample)
    rate = (time.monotonic() - began) / SAMPLE_BYTES
    modules = nn.ModuleList([work.encoder.module])
    if work.objective.head is not None:
        modules.append(work.objective.head)
    return rate * sum(3 * parameter.nbytes for parameter in modules.parameters())


def _free(device: torch.device) -> int:
    """Bytes that this process may have, with those that it has, on the device or the machine."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device)
    rss = psutil.Process().memory_info().rss
    free = psutil.virtual_memory().available + rss
    try:
        return min(free, int(LIMIT.read_text()))  # of a container
    except (OSError, ValueError):
        return free
