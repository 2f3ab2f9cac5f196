"""Only rooms that hold something, under names that say what."""

import ast
import re
from pathlib import Path

import pytest

from architecture.source import ROOT, SOURCE, Module, modules

SAYS_NOTHING = {"utils", "util", "common", "helpers", "helper", "types", "manager", "misc", "core"}


def folders(top: Path) -> list[Path]:
    return [
        path for path in sorted(top.rglob("*")) if path.is_dir() and "__pycache__" not in path.parts
    ]


@pytest.mark.parametrize("top", [SOURCE, ROOT / "tests", ROOT / "docs"], ids=lambda path: path.name)
def test_no_folder_is_empty(top: Path):
    held = [
        folder
        for folder in folders(top)
        if not any(p.is_file() and "__pycache__" not in p.parts for p in folder.rglob("*"))
    ]
    assert held == []


def test_a_folder_of_modules_is_a_package_and_holds_more_than_its_front_door():
    for folder in [SOURCE, *folders(SOURCE)]:
        inside = {path.name for path in folder.glob("*.py")}
        if inside:
            assert "__init__.py" in inside, f"{folder} has modules and no __init__.py"
            assert inside != {"__init__.py"}, f"{folder} holds nothing"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_name_says_what_the_module_knows(module: Module):
    words = {word for part in module.name.split(".") for word in part.split("_")}
    assert words & SAYS_NOTHING == set()


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_nothing_is_printed(module: Module):
    calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    printed = [c.lineno for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"]
    assert printed == []


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_rich_is_imported_where_things_are_drawn(module: Module):
    named = [*module.plain_imports(), *(str(node.module) for node in module.import_froms())]
    uses = any(re.match(r"rich(\.|$)", name) for name in named)
    # a bar for any long work, what commands print, and the bar of a training run
    drawn = {"likewise.progress", "likewise.cli.console", "likewise.cli.watch"}
    assert not uses or module.name in drawn


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_no_error_is_swallowed_unnamed_and_no_assert_guards_a_user(module: Module):
    nodes = list(ast.walk(module.tree))
    assert [n.lineno for n in nodes if isinstance(n, ast.Assert)] == []
    assert [n.lineno for n in nodes if isinstance(n, ast.ExceptHandler) and n.type is None] == []


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_module_level_names_that_could_change_are_constants(module: Module):
    """A dict, list or set at the top is a table: in capitals, or private and in capitals."""
    mutable = ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp
    found = []
    for node in module.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        if targets and isinstance(getattr(node, "value", None), mutable):
            found += [target.id for target in targets if isinstance(target, ast.Name)]
    assert [name for name in found if name != "__all__" and name != name.upper()] == []
    assert [n.lineno for n in ast.walk(module.tree) if isinstance(n, ast.Global)] == []
