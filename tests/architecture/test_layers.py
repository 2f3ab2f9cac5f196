"""Imports follow the data, one way; import-linter knows the order."""

import subprocess
import sys
from pathlib import Path

import pytest

from architecture.source import ROOT, SOURCE, Module, modules


def test_every_import_points_downwards():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "module",
    [module for module in modules() if module.path != SOURCE / "__init__.py"],
    ids=lambda module: module.name,
)
def test_nobody_inside_imports_a_public_name_from_the_root(module: Module):
    from_root = [
        alias.name
        for node in module.import_froms()
        if node.module == "likewise"
        for alias in node.names
    ]
    assert set(from_root) <= {"__version__"}
    assert "likewise" not in module.plain_imports()
