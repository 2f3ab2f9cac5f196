import psutil

from likewise.training.memory import trim_memory


def test_freed_memory_goes_back_to_the_system():
    process = psutil.Process()
    blocks = [bytearray(64_000) for _ in range(4000)]  # below malloc's limit for own mappings
    kept = blocks[::50]
    full = process.memory_info().rss
    del blocks
    trim_memory(5)
    assert full - process.memory_info().rss > 100_000_000
    assert len(kept) == 80


def test_it_is_not_done_at_every_step():
    process = psutil.Process()
    blocks = [bytearray(64_000) for _ in range(4000)]
    kept = blocks[::50]
    full = process.memory_info().rss
    del blocks
    trim_memory(3)
    assert full - process.memory_info().rss < 100_000_000
    assert len(kept) == 80
    trim_memory(0)
