"""`import likewise` and `likewise --help` cost nothing that they do not use."""

import json
import subprocess
import sys
import time

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
    """The quickest of five, as other work on the machine only ever adds."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize("code", [IMPORT, HELP], ids=["import", "help"])
def test_nothing_heavy_is_imported(code: str):
    assert loaded_by(code) & HEAVY == set()


def test_importing_takes_under_a_tenth_of_a_second():
    assert seconds("-c", IMPORT) - seconds("-c", "") < 0.1


def test_help_takes_under_three_tenths_of_a_second():
    assert seconds("-m", "likewise", "--help") < 0.3
