"""Modules, functions and parameter lists stay small enough to read in one sitting."""

import ast

import pytest

from architecture.source import Function, Module, modules

MODULE_LINES = 400
FUNCTION_LINES = 50
PARAMETERS = 8

# "module" or "module:function": why it may be larger; a kernel names the benchmark that pays for it
ALLOWED: dict[str, str] = {}


def is_command(module: Module) -> bool:
    """A command's signature is its options, however many there are; its body is like any other."""
    return module.name.startswith("likewise.cli.")


def lines(function: Function, *, of_its_body: bool) -> int:
    """Without its docstring and its decorators; `of_its_body` leaves out the signature too."""
    first = function.body[0]
    start = first.lineno if of_its_body else function.lineno
    total = (function.end_lineno or start) - start + 1
    if ast.get_docstring(function) is not None:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def parameters(function: Function) -> list[str]:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [parameter.arg for parameter in named if parameter.arg not in {"self", "cls"}]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_module_and_its_functions_stay_within_the_limits(module: Module):
    too_large = {}
    if module.n_lines > MODULE_LINES:
        too_large[module.name] = f"{module.n_lines} lines, at most {MODULE_LINES}"
    for name, function in module.functions():
        n_lines = lines(function, of_its_body=is_command(module))
        if n_lines > FUNCTION_LINES:
            too_large[f"{module.name}:{name}"] = f"{n_lines} lines, at most {FUNCTION_LINES}"
        if len(parameters(function)) > PARAMETERS and not is_command(module):
            too_large[f"{module.name}:{name}"] = f"{len(parameters(function))} parameters"
    assert {name: why for name, why in too_large.items() if name not in ALLOWED} == {}


def test_the_allow_list_names_only_what_exists():
    here = {module.name for module in modules()}
    here |= {f"{module.name}:{name}" for module in modules() for name, _ in module.functions()}
    assert set(ALLOWED) <= here
