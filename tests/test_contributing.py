"""The worked additions of CONTRIBUTING, installed as the package that it describes, and used."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import likewise
from likewise.data.kinds import KINDS
from likewise.evaluation import EVALUATORS, EvaluatorSpec, Result
from likewise.losses import LOSSES, LossSpec
from likewise.methods import METHODS, MethodSpec
from likewise.registry import Table

ROOT = Path(__file__).resolve().parents[1]
TABLES: dict[str, Table] = {
    "losses": LOSSES,
    "evaluators": EVALUATORS,
    "kinds": KINDS,
    "methods": METHODS,
}
SPECS = {"LossSpec": LossSpec, "EvaluatorSpec": EvaluatorSpec, "MethodSpec": MethodSpec}


def blocks(language: str) -> list[str]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def titled(start: str) -> dict[str, str]:
    """Python blocks by what their first line, a comment, says after `start`."""
    found = (block.partition("\n") for block in blocks("python"))
    return {
        title.removeprefix(f"# {start}"): code
        for title, _, code in found
        if title.startswith(f"# {start}")
    }


def entry_points() -> dict[str, dict[str, str]]:
    (toml,) = blocks("toml")
    return tomllib.loads(toml)["project"]["entry-points"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install `my_package` as pip would, with the files that CONTRIBUTING shows."""
    home = tmp_path / "site"
    for title, code in titled("").items():
        if title.endswith(".py"):
            path = home / "my_package" / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code, encoding="utf-8")
    info = home / "my_package-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    sections = (
        "\n".join([f"[{group}]", *(f"{name} = {place}" for name, place in names.items())])
        for group, names in entry_points().items()
    )
    info.joinpath("entry_points.txt").write_text("\n".join(sections) + "\n")
    monkeypatch.syspath_prepend(home)
    yield home
    for name in [name for name in sys.modules if name.split(".")[0] == "my_package"]:
        del sys.modules[name]


def test_each_of_the_four_tables_has_its_worked_addition(package: Path):
    for group, names in entry_points().items():
        table = TABLES[group.removeprefix("likewise.")]
        assert set(names) < set(table)


def test_the_line_in_the_table_says_what_the_plug_in_says(package: Path):
    lines = titled("in ")
    assert set(lines) == {"LOSSES", "EVALUATORS", "KINDS", "METHODS"}
    for title, code in lines.items():
        names = {}
        for file in (title for title in titled("") if title.endswith(".py")):
            module = file.removesuffix(".py").replace("/", ".")
            names |= vars(importlib.import_module(f"my_package.{module}"))
        ((name, spec),) = eval(f"{{{code}}}", {**names, **SPECS}).items()
        assert TABLES[title.lower()][name] == spec


def test_the_worked_loss_passes_the_battery_of_losses(package: Path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "huber"]
    done = subprocess.run(
        [*command, "tests/losses/test_every_loss.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{package}:{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"\b\d\d passed", done.stdout)


def test_the_worked_loss_is_half_the_cosine_loss_where_errors_are_small(package: Path):
    draw = torch.Generator().manual_seed(0)
    u, v = torch.randn(2, 9, 4, generator=draw)
    scores = torch.nn.functional.cosine_similarity(u, v) + 0.01
    huber, cosine = (
        LOSSES[name].function(u, v, scores.clamp(-1, 1)) for name in ("huber", "cosine")
    )
    torch.testing.assert_close(huber, cosine / 2)


def by_first_letter(texts: list[str], *, role: str | None = None) -> np.ndarray:
    """Texts of one first letter point the same way."""
    return np.eye(26, dtype=np.float32)[[ord(text[0]) - ord("a") for text in texts]]


def labelled(folder: Path, labels: str) -> Path:
    path = folder / "intents.csv"
    rows = zip(("ab", "ac", "ad", "ae", "af", "ba", "bc", "bd", "be", "bf"), labels, strict=True)
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return path


def nearest(folder: Path, labels: str) -> Result:
    data = likewise.read(labelled(folder, labels))
    return likewise.evaluate(by_first_letter, data, evaluator="nearest-neighbour")


def test_the_worked_evaluator_is_chosen_by_its_name_and_gives_the_top_score(
    package: Path, tmp_path: Path
):
    right = nearest(tmp_path, "xxxxxyyyyy")
    assert (right.evaluator, right.accuracy, right.interval) == ("nearest-neighbour", 1.0, (1, 1))
    # the nearest of ab is ac, of every other a-text ab, of ba it is bc, of every other b-text ba
    wrong = nearest(tmp_path, "xxyzwstuvq")
    assert wrong.accuracy == pytest.approx(2 / 10)


def test_the_worked_evaluator_refuses_what_every_model_gets_right(package: Path, tmp_path: Path):
    with pytest.raises(likewise.InputError, match="one label"):
        nearest(tmp_path, "xxxxxxxxxx")


def chat(folder: Path) -> Path:
    things = ("router", "parcel", "card", "invoice", "password", "camera", "ticket", "table")
    rows = [(f"Where is my {thing}?", f"Your {thing} is at the desk.") for thing in things]
    path = folder / "chat.csv"
    path.write_text("message,reply\n" + "".join(f"{turn},{reply}\n" for turn, reply in rows))
    return path


def test_the_worked_kind_is_recognised_by_its_columns_and_named_in_errors(
    package: Path, tmp_path: Path
):
    data = likewise.read(chat(tmp_path))
    assert (data.kind, data.columns) == ("dialogue", {"turn": "message", "reply": "reply"})
    tmp_path.joinpath("empty.csv").write_text("turn,reply\nhello,\n")
    with pytest.raises(likewise.InputError, match=r'empty\.csv, row 2, column "reply"'):
        likewise.read(tmp_path / "empty.csv")


def test_the_worked_method_is_chosen_for_its_kind_and_moves_the_weights(
    package: Path, tmp_path: Path
):
    model = likewise.load("minilm")
    texts = ["Where is my parcel?", "Your parcel is at the desk."]
    before = model.encode(texts)
    run = likewise.train(model, likewise.read(chat(tmp_path)), out=tmp_path / "run", scale=10.0)
    assert run.evaluation is None
    assert np.abs(run.model.encode(texts) - before).max() > 0
    assert 'method = "replies"' in (tmp_path / "run" / "recipe.toml").read_text()
    assert "scale = 10.0" in (tmp_path / "run" / "recipe.toml").read_text()
