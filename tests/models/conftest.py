"""What the tests of models share."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What transformers says of a folder that it reads: of weights too many or too few, say."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    listener, logger = Listener(level=logging.WARNING), logging.getLogger("transformers")
    logger.addHandler(listener)
    yield heard
    logger.removeHandler(listener)
