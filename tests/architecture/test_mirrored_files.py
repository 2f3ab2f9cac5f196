"""Every module with something public to test has its test file, and no test file is an orphan."""

from pathlib import Path

import pytest

from architecture.source import SOURCE, TESTS, Module, modules

# source module: the file that tests it, where that is not its mirror, and why
ELSEWHERE = {
    "likewise": "architecture/test_public_names.py",  # the public face has tests of its own
}

# test folders and files that mirror nothing
OWN = {"architecture", "examples", "parity"}
ACROSS = {"cli/test_bad_input.py"}  # every command, and every mistake of a user


def mirror(module: Module) -> Path:
    if module.name in ELSEWHERE:
        return TESTS / ELSEWHERE[module.name]
    relative = module.path.relative_to(SOURCE)
    return TESTS / relative.with_name(f"test_{relative.name}")


def has_public_functions(module: Module) -> bool:
    return any(True for _ in module.public())


@pytest.mark.parametrize(
    "module",
    [module for module in modules() if has_public_functions(module)],
    ids=lambda module: module.name,
)
def test_a_module_with_public_functions_has_its_test_file(module: Module):
    assert mirror(module).is_file(), f"write {mirror(module).relative_to(TESTS.parent)}"


@pytest.mark.parametrize(
    "path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: str(path.relative_to(TESTS))
)
def test_a_test_file_tests_a_module_or_a_table(path: Path):
    relative = path.relative_to(TESTS)
    mirrored = SOURCE / relative.with_name(relative.name.removeprefix("test_"))
    folder = SOURCE / relative.parent
    of_a_table = relative.name.startswith("test_every_") and folder.is_dir()
    of_a_folder = relative.parent != Path() and (folder / path.stem.removeprefix("test_")).is_dir()
    about_the_repository = relative.name in {"test_readme.py", "test_contributing.py"}
    assert (
        relative.parts[0] in OWN
        or relative.as_posix() in ACROSS
        or mirrored.is_file()
        or of_a_table
        or of_a_folder
        or about_the_repository
    ), f"{relative} mirrors no module: move it, or name it after the module that it tests"
