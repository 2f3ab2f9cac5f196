"""Recipes to compare."""

from pathlib import Path

import pytest

from comparison.recipe_files import write_recipes


@pytest.fixture
def recipes(tiny_folder: Path, pairs_file: Path, texts_file: Path, tmp_path: Path) -> list[Path]:
    return write_recipes(tmp_path, tiny_folder, pairs_file, texts_file)
