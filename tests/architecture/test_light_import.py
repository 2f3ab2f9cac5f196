"""`import likewise` and `likewise --help` cost nothing that they do not use."""

import json
import resource
import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "transformers",
    "pyarrow",
    "sklearn",
    "scipy",
    "numpy",
    "pydantic",
    "rich",
    "plotly",
}

IMPORT = "import likewise"
HELP = """
from likewise.cli.main import main
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["--help"])
"""


def loaded_by(code: str) -> set[str]:
    listing = f"{code}\nimport json, sys; print(json.dumps([m.split('.')[0] for m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def seconds(*command: str) -> float:
    """Processor time of a command, the least of five: waiting for other work does not count."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


@pytest.mark.parametrize("code", [IMPORT, HELP], ids=["import", "help"])
def test_nothing_heavy_is_imported(code: str):
    assert loaded_by(code) & HEAVY == set()


def test_importing_takes_under_a_tenth_of_a_second():
    assert seconds("-c", IMPORT) - seconds("-c", "") < 0.1


def test_help_takes_under_three_tenths_of_a_second():
    assert seconds("-m", "likewise", "--help") < 0.3
