"""Small files of every format, written where a test asks."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write text, bytes or records (as JSONL) under a name; gzip where the name ends in .gz."""

    def write_file(name: str, content: str | bytes | list[dict[str, Any]]) -> Path:
        if isinstance(content, list):
            content = "".join(json.dumps(record) + "\n" for record in content)
        raw = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return path

    return write_file
