import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from likewise.models.build import load
from likewise.models.memory import KERNELS_KEPT, Tide, give_back_memory, settle_memory


def holes() -> list[bytearray]:
    """A quarter of a gigabyte is freed, and every fiftieth block stays: no block to hand back."""
    blocks = [bytearray(64_000) for _ in range(4000)]
    return blocks[::50]


def test_freed_memory_goes_back_to_the_system():
    kept = holes()
    full = psutil.Process().memory_info().rss
    give_back_memory()
    assert full - psutil.Process().memory_info().rss > 100_000_000
    assert len(kept) == 80


def test_it_goes_back_when_the_process_has_grown_by_more_than_a_tenth():
    tide = Tide()
    before = psutil.Process().memory_info().rss
    assert not tide.after_pass()
    assert not tide.after_pass()
    grown = bytearray(os.urandom(1)) * (before // 2)
    assert tide.after_pass()
    assert not tide.after_pass()  # what is needed right after is the new measure
    assert not tide.after_pass()
    assert len(grown) == before // 2


def test_a_model_settles_it_before_anything_is_computed(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    for given, expected in ((None, "128"), ("7", "7")):  # the user's own
        settle_memory.cache_clear()
        monkeypatch.delenv(KERNELS_KEPT, raising=False)
        if given is not None:
            monkeypatch.setenv(KERNELS_KEPT, given)
        load(tiny_folder)
        assert os.environ[KERNELS_KEPT] == expected


FAULTS = """
import resource, torch
from likewise.models.memory import settle_memory
if {kept}:
    settle_memory()
torch.set_num_threads(1)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    torch.ones(25_000_000)
before = faults()
for _ in range(20):
    torch.ones(25_000_000)
print(faults() - before)
"""


def faults(*, kept: bool, **environment: str) -> int:
    found = subprocess.run(
        [sys.executable, "-c", FAULTS.format(kept=kept)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return int(found.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_the_memory_of_a_freed_tensor_is_used_again():
    plain = faults(kept=False)
    assert plain > 1000  # 100 MB twenty times over, in pages
    # What else the process asks for may break a block now and then, and the next is new again.
    assert faults(kept=True) < plain / 2
    assert faults(kept=True, MALLOC_MMAP_THRESHOLD_="131072") > 0.9 * plain  # the user's own
