"""Code search from documented Python: a docstring's summary asks for the code below it."""

import ast
import re
import sysconfig
import textwrap
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.clusters import cluster_ids
from likewise.data.dataset import Dataset, Note, RetrievalSet
from likewise.errors import InputError, Where

HELD_OUT = 0.16
MIN_FUNCTIONS = 50
MIN_WORDS = 3
SKIPPED = frozenset(
    {
        "__pycache__", "build", "config", "dist", "ensurepip", "idlelib", "lib2to3", "node_modules",
        "pydoc_data", "site-packages", "test", "tests", "turtledemo", "venv",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One documented function.

    Attributes:
        place: "file:line name", with the class before the name of a method.
        group: what it must not be split from: its top-level module.
        path: of its file.
        line: of its `def`, from 1.
        summary: first sentence of its docstring.
        code: its source, dedented, without the docstring.
    """

    place: str
    group: str
    path: str
    line: int
    summary: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSet:
    """Training pairs, and a search task on modules that none of them is from.

    Attributes:
        train: pairs of summary (anchor) and code (positive).
        test: one query a held-out function; its documents are the held-out functions.
        functions: the place, "file:line name", of each document of `test`, in order.
    """

    train: Dataset
    test: RetrievalSet
    functions: tuple[str, ...]


def stdlib_code(*, seed: int = 0) -> CodeSet:
    """The documented functions of the running Python's standard library.

    Args:
        seed: of the draw of held-out modules.

    Returns:
        About 4,300 pairs and 850 queries on Python 3.11; the same for the same Python.

    Raises:
        InputError: the library's source is not installed.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    return _code_set(folder, name="stdlib-code-search", seed=seed)


def python_code(folder: str | Path, *, seed: int = 0) -> CodeSet:
    """The documented functions below a folder.

    Split by its top-level modules, or by file where there is only one of them.

    Args:
        folder: searched with its subfolders; tests, environments and hidden folders are passed.
        seed: of the draw of held-out modules.

    Raises:
        InputError: no such folder, or fewer than 50 documented functions in it.
    """
    path = Path(folder)
    if not path.is_dir():
        problem = "expected a folder of Python files"
        mend = "give the folder that holds your code: likewise demo --code src"
        raise InputError(problem, where=Where(path=str(folder)), mend=mend)
    return _code_set(path, name=f"{path.resolve().name}-code-search", seed=seed)


def _code_set(folder: Path, *, name: str, seed: int) -> CodeSet:
    found, unread = _functions(folder)
    functions = _distinct(found)
    groups = _groups(functions)
    if len(functions) < MIN_FUNCTIONS or len(set(groups)) < 2:
        problem = (
            f"found {len(functions)} documented functions in {len(set(groups))} modules; a code "
            f"search needs at least {MIN_FUNCTIONS} in 2"
        )
        mend = f"give a larger folder, or write docstrings of {MIN_WORDS} words or more"
        raise InputError(problem, where=Where(path=str(folder)), mend=mend)
    held_out = _held_out(groups, seed)
    notes = [
        Note(text="documented functions found", count=len(found)),
        Note(text="repeats of a summary or of code left out", count=len(found) - len(functions)),
    ]
    if unread:
        notes.append(Note(text="files that are not valid Python left out", count=unread))
    rest = [f for f, out in zip(functions, held_out, strict=True) if not out]
    test = [f for f, out in zip(functions, held_out, strict=True) if out]
    return CodeSet(
        train=_pairs(rest, notes),
        test=_task(test, name),
        functions=tuple(f.place for f in test),
    )


def _functions(folder: Path) -> tuple[list[Function], int]:
    """Every documented function below a folder, by path and line; and the files not parsed."""
    functions: list[Function] = []
    unread = 0
    for path in _files(folder):
        try:
            with tokenize.open(path) as file:  # honours a coding line
                source = file.read()
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, OSError):
            unread += 1
            continue
        functions += _documented(tree, source.splitlines(), path.relative_to(folder), path)
    return functions, unread


def _files(folder: Path) -> Iterator[Path]:
    """Python files in a fixed order, without tests, environments and hidden folders."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in SKIPPED or entry.name.startswith("config-"):
            continue
        if entry.is_dir() and not entry.is_symlink():
            if not (entry / "pyvenv.cfg").exists():
                yield from _files(entry)
        elif entry.suffix == ".py" and not entry.name.startswith("test_"):
            yield entry


def _documented(
    tree: ast.Module, lines: Sequence[str], relative: Path, path: Path
) -> Iterator[Function]:
    for owner, node in _definitions(tree, ""):
        docstring = node.body[0]
        text = ast.get_docstring(node)
        if not text or len(node.body) < 2 or node.body[1].lineno <= (docstring.end_lineno or 0):
            continue
        summary = _summary(text)
        if len(summary.split()) < MIN_WORDS:
            continue
        kept = [
            *lines[node.lineno - 1 : docstring.lineno - 1],
            *lines[docstring.end_lineno : node.end_lineno],
        ]
        yield Function(
            place=f"{relative.as_posix()}:{node.lineno} {owner}{node.name}",
            group=relative.parts[0].removesuffix(".py"),
            path=str(path),
            line=node.lineno,
            summary=summary,
            code=textwrap.dedent("\n".join(kept)).strip(),
        )


def _definitions(
    node: ast.AST, owner: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Functions and methods, not those inside another function, with their class's name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield owner, child
        elif isinstance(child, ast.ClassDef):
            yield from _definitions(child, f"{owner}{child.name}.")
        elif isinstance(child, ast.If | ast.Try | ast.With):
            yield from _definitions(child, owner)


def _summary(docstring: str) -> str:
    """The first sentence of the first paragraph, on one line."""
    paragraph = re.split(r"\n\s*\n", docstring.strip(), maxsplit=1)[0]
    line = " ".join(paragraph.split())
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", line, maxsplit=1)[0]


def _distinct(functions: Sequence[Function]) -> list[Function]:
    """The first of all that share a summary, and then of all that share their code."""
    once = _first_of_each(functions, [f.summary for f in functions])
    return _first_of_each(once, [f.code for f in once])


def _first_of_each(functions: Sequence[Function], texts: Sequence[str]) -> list[Function]:
    _, first = np.unique(cluster_ids(texts), return_index=True)
    return [functions[i] for i in sorted(first.tolist())]


def _groups(functions: Sequence[Function]) -> list[str]:
    """Top-level modules; files where there is only one such module."""
    groups = [f.group for f in functions]
    return groups if len(set(groups)) > 1 else [f.path for f in functions]


def _held_out(groups: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """[n] True for whole groups, drawn until about a sixth of the functions is held out."""
    sizes = {name: groups.count(name) for name in sorted(set(groups))}
    names = list(sizes)
    room = round(HELD_OUT * len(groups))
    chosen: set[str] = set()
    for i in np.random.default_rng(seed).permutation(len(names)):
        if sizes[names[i]] <= room:
            chosen.add(names[i])
            room -= sizes[names[i]]
    if not chosen:  # two or three large modules: the smallest is held out
        chosen.add(min(names, key=lambda name: sizes[name]))
    return np.array([group in chosen for group in groups])


def _pairs(functions: Sequence[Function], notes: Sequence[Note]) -> Dataset:
    paths = {path: i for i, path in enumerate(dict.fromkeys(f.path for f in functions))}
    table = pa.table(
        {
            "anchor": pa.array([f.summary for f in functions], type=pa.large_string()),
            "positive": pa.array([f.code for f in functions], type=pa.large_string()),
        }
    )
    return Dataset(
        kind="pairs",
        table=table,
        sources=tuple(paths),
        source=np.array([paths[f.path] for f in functions], dtype=np.int32),
        row=np.array([f.line for f in functions], dtype=np.int64),
        columns={"anchor": "docstring", "positive": "code"},
        notes=tuple(notes),
    )


def _task(functions: Sequence[Function], name: str) -> RetrievalSet:
    ids = tuple(f.place for f in functions)
    return RetrievalSet(
        name=name,
        split="test",
        query_ids=ids,
        queries=tuple(f.summary for f in functions),
        document_ids=ids,
        documents=tuple(f.code for f in functions),
        judgements={key: {key: 1} for key in ids},
        sources=tuple(dict.fromkeys(f.path for f in functions)),
    )
