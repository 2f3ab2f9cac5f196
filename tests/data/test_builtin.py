import re
import sysconfig
from pathlib import Path

import pytest

from likewise.data.builtin import MIN_FUNCTIONS, python_code, stdlib_code
from likewise.data.clusters import normalise
from likewise.errors import InputError

FUNCTION = '''
def {name}(first, second=1):
    """Compute the {name} of both numbers. It takes long.

    More words.
    """
    # a comment
    return "{name}", first + second
'''


def module(prefix: str, n: int) -> str:
    return "".join(FUNCTION.format(name=f"{prefix}_{i}") for i in range(n))


@pytest.fixture
def folder(tmp_path):
    """Six modules of twelve functions, and what is to be passed."""
    for name in "abcdef":
        (tmp_path / f"{name}.py").write_text(module(name, 12))
    (tmp_path / "tests").mkdir()
    for passed in ("tests/more.py", "test_more.py", ".hidden.py"):
        (tmp_path / passed).write_text(module("passed", 12))
    return tmp_path


def everything(code):
    return [
        *zip(code.train.texts("anchor"), code.train.texts("positive"), strict=True),
        *zip(code.test.queries, code.test.documents, strict=True),
    ]


def test_a_summary_asks_for_signature_and_body_without_the_docstring(folder):
    found = dict(everything(python_code(folder)))
    assert len(found) == 72
    expected = 'def a_3(first, second=1):\n    # a comment\n    return "a_3", first + second'
    assert found["Compute the a_3 of both numbers."] == expected
    assert not any("passed" in code for code in found.values())


def test_a_module_is_never_on_both_sides(folder):
    for seed in range(5):
        code = python_code(folder, seed=seed)
        held = {place.split(":")[0] for place in code.functions}
        rest = {Path(code.train.where(i).path).name for i in range(len(code.train))}
        assert held
        assert rest
        assert not held & rest


def test_one_package_is_split_by_file(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    for name in "abcdef":
        (package / f"{name}.py").write_text(module(name, 12))
    code = python_code(tmp_path)
    assert len(code.test) == 12
    assert len({place.split(":")[0] for place in code.functions}) == 1


def test_places_lead_to_the_functions(folder):
    code = python_code(folder)
    for place, document in zip(code.functions, code.test.documents, strict=True):
        file, line, name = re.fullmatch(r"(.+):(\d+) (.+)", place).groups()
        text = (folder / file).read_text().splitlines()[int(line) - 1]
        assert text.startswith(f"def {name}(")
        assert document.startswith(text)
    where = code.train.where(0)
    assert Path(where.path).read_text().splitlines()[where.row - 1].startswith("def ")


def test_methods_are_named_with_their_class_and_dedented(folder):
    source = '''
class Outer:
    class Inner:
        @property
        def size(self):
            """Give the size in bytes."""
            return 1

    async def wait(self): "Wait until it is done."; return 2

    def only(self):
        """Say only this here."""

    def short(self):
        """Too short."""
        return 3
'''
    (folder / "a.py").write_text(source)
    found = dict(everything(python_code(folder)))
    assert found["Give the size in bytes."] == "def size(self):\n    return 1"
    for left_out in ("Wait until it is done.", "Say only this here.", "Too short."):
        assert left_out not in found


def test_repeats_of_a_summary_or_of_code_are_left_out(folder):
    twin = FUNCTION.format(name="b_1").replace("numbers.", "NUMBERS!")
    same_code = FUNCTION.format(name="b_2").replace("of both numbers", "of all numbers")
    (folder / "twins.py").write_text(twin + same_code)
    code = python_code(folder)
    assert len(everything(code)) == 72
    notes = {note.text: note.count for note in code.train.notes}
    assert notes["documented functions found"] == 74
    assert notes["repeats of a summary or of code left out"] == 2


def test_files_that_are_no_python_are_counted_and_never_fatal(folder):
    (folder / "broken.py").write_text("def f(:\n")
    (folder / "latin.py").write_bytes(b"x = '\xe9'\n")
    (folder / "null.py").write_bytes(b"x = '\x00'\n")
    notes = {note.text: note.count for note in python_code(folder).train.notes}
    assert notes["files that are not valid Python left out"] == 3


def test_a_coding_line_is_honoured(folder):
    text = "# coding: latin-1\n" + FUNCTION.format(name="größe")
    (folder / "latin.py").write_bytes(text.encode("latin-1"))
    assert any("größe" in summary for summary, _ in everything(python_code(folder)))


def test_too_few_functions_are_an_error_that_counts_them(tmp_path):
    (tmp_path / "a.py").write_text(module("a", 3))
    with pytest.raises(InputError, match="found 3 documented functions") as raised:
        python_code(tmp_path)
    assert f"at least {MIN_FUNCTIONS}" in str(raised.value)
    with pytest.raises(InputError, match="expected a folder"):
        python_code(tmp_path / "a.py")


def test_the_seed_decides_which_modules_are_held_out(folder):
    draws = {python_code(folder, seed=seed).functions[0][0] for seed in range(20)}
    assert len(draws) > 2


@pytest.fixture(scope="module")
def library():
    return stdlib_code()


def test_the_library_gives_thousands_of_pairs_and_hundreds_of_queries(library):
    assert 3500 < len(library.train) < 6500
    assert 600 < len(library.test) < 1200
    assert library.train.kind == "pairs"
    assert library.test.judgements == {key: {key: 1} for key in library.test.query_ids}
    assert len(library.functions) == len(library.test.documents)


def test_nothing_leaks_between_the_sides_of_the_library(library):
    for held, rest in (
        (library.test.queries, library.train.texts("anchor")),
        (library.test.documents, library.train.texts("positive")),
    ):
        held_texts = {normalise(text) for text in held}
        assert not held_texts & {normalise(text) for text in rest}
        assert len(held_texts) == len(held)
    root = Path(sysconfig.get_path("stdlib"))
    modules = [
        {Path(path).relative_to(root).parts[0] for path in paths}
        for paths in (library.train.sources, library.test.sources)
    ]
    assert not modules[0] & modules[1]


def test_no_docstring_is_left_in_the_code_of_the_library(library):
    for summary, code in everything(library):
        assert f'"""{summary}' not in code
        assert code.startswith(("def ", "async def "))


def test_the_library_is_the_same_every_time(library):
    again = stdlib_code()
    assert again.train.fingerprint == library.train.fingerprint
    assert again.test.fingerprint == library.test.fingerprint
