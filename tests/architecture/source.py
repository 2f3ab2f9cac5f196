"""The source tree as the architecture tests read it: parsed, never imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "likewise"
TESTS = ROOT / "tests"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    path: Path

    @property
    def name(self) -> str:
        """Dotted, as it is imported."""
        parts = self.path.relative_to(SOURCE.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def n_lines(self) -> int:
        return len(self.path.read_text(encoding="utf-8").splitlines())

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Every function of the module with its name inside it: `Table.pick`, `_outer.inner`."""
        yield from _functions(self.tree, ())

    def public(self) -> Iterator[tuple[str, Function | ast.ClassDef]]:
        """Public functions and classes, and the public methods of public classes."""
        for node in self.tree.body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, node
                if isinstance(node, ast.ClassDef):
                    for part in node.body:
                        if isinstance(part, Function) and not part.name.startswith("_"):
                            yield f"{node.name}.{part.name}", part

    def import_froms(self) -> list[ast.ImportFrom]:
        """Every `from … import …`, deferred and type-only ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.ImportFrom)]

    def plain_imports(self) -> list[str]:
        """Every module named in an `import …`."""
        found = [node for node in ast.walk(self.tree) if isinstance(node, ast.Import)]
        return [alias.name for node in found for alias in node.names]


def _functions(node: ast.AST, inside: tuple[str, ...]) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            name = (*inside, child.name)
            if isinstance(child, Function):
                yield ".".join(name), child
            yield from _functions(child, name)
        else:
            yield from _functions(child, inside)


def modules() -> list[Module]:
    return [Module(path) for path in sorted(SOURCE.rglob("*.py"))]
