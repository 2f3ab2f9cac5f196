"""Command lines run in this process or in one of their own, and more data to train on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from conftest import TOPICS, answer, question, write_lines
from likewise.cli.main import main

Ran: TypeAlias = tuple[int, str, str]  # exit code, stdout, stderr


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `likewise …` in this process."""

    def ran(*arguments: object) -> Ran:
        capfd.readouterr()  # what fixtures have printed
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err

    return ran


@pytest.fixture
def start(tmp_path: Path):
    """Start `likewise …` as a process of its own, in `tmp_path`."""
    started: list[subprocess.Popen[str]] = []

    def begun(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "likewise", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            # as from a terminal: a job in the background would inherit that Ctrl-C is ignored
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(process)
        return process

    yield begun
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def small(tiny_folder: Path) -> tuple[object, ...]:
    """Options of a run that takes a second."""
    return ("--base", tiny_folder, "--epochs", 1, "--batch-size", 16)


@pytest.fixture
def many_pairs_file(tmp_path: Path) -> Path:
    """256 pairs, four wordings of 64 topics: enough that some are held out."""
    rows = [
        {
            "anchor": f"{question(*topic)} {place}",
            "positive": f"{answer(*topic)} {place}",
        }
        for place in ("here", "at home", "every day", "can")
        for topic in TOPICS
    ]
    return write_lines(tmp_path / "many.jsonl", rows)


@pytest.fixture
def dev_pairs_file(tmp_path: Path) -> Path:
    """32 pairs that are worded unlike all others."""
    rows = (
        {"anchor": f"can people {verb} a {noun}", "positive": f"someone does {verb} the {noun}"}
        for verb, noun in TOPICS[::2]
    )
    return write_lines(tmp_path / "dev-pairs.jsonl", rows)
