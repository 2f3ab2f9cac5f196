import pytest

from likewise.errors import Where
from likewise.training.feed import Feed


def test_nothing_cannot_be_trained_on():
    with pytest.raises(ValueError, match="no row"):
        Feed(
            rows=0,
            texts=0,
            row_tokens=0.0,
            collate=lambda rows, step: None,
            where=lambda row: Where("memory.jsonl", row),
            cut={},
        )
