"""The public face: complete, sorted, lazy, documented."""

import ast
import importlib
import subprocess
import sys
import tomllib

import pytest

import likewise
from architecture.source import ROOT, SOURCE, Module, modules

PACKAGES = [module for module in modules() if module.is_package]


def type_checking_names() -> set[str]:
    """What the root offers to editors: the names under `if TYPE_CHECKING`."""
    root = Module(SOURCE / "__init__.py")
    (block,) = [node for node in root.tree.body if isinstance(node, ast.If)]
    return {
        alias.asname or alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_editors_and_the_interpreter_see_the_same_names():
    assert type_checking_names() | {"__version__"} == set(likewise.__all__)


def test_every_name_of_the_root_resolves_to_what_editors_are_told():
    root = Module(SOURCE / "__init__.py")
    (block,) = [node for node in root.tree.body if isinstance(node, ast.If)]
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        module = importlib.import_module(str(node.module))
        for alias in node.names:
            assert getattr(likewise, alias.name) is getattr(module, alias.name)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        likewise.trian  # noqa: B018


def test_dir_lists_the_public_names_without_importing_them():
    listed = "set(likewise.__all__) <= set(dir(likewise))"
    code = f"import sys, likewise; print({listed}, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_the_version_is_the_one_of_the_distribution():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert likewise.__version__ == project["version"]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda module: module.name)
def test_all_is_sorted_and_every_name_of_it_exists(package: Module):
    module = importlib.import_module(package.name)
    names = list(getattr(module, "__all__", ()))
    assert names == sorted(names)
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(module, name)] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda module: module.name)
def test_a_package_that_offers_names_lists_them(package: Module):
    offered = {
        (alias.asname or alias.name).split(".")[0]
        for node in package.tree.body
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("likewise.")
        for alias in node.names
    }
    if offered and package.name != "likewise":
        assert hasattr(importlib.import_module(package.name), "__all__")


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_every_public_function_and_class_has_a_docstring(module: Module):
    assert [name for name, node in module.public() if ast.get_docstring(node) is None] == []
    if any(True for _ in module.public()):
        assert ast.get_docstring(module.tree) is not None
