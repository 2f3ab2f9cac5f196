"""The example runs, on tiny data, and shows what it promises."""

import csv
import importlib.util
import sys
from pathlib import Path

import pytest

from conftest import NOUNS, TOPICS, VERBS

ROOT = Path(__file__).resolve().parents[2]
FORMS = (
    "how do people {} the {}",
    "a guide to {} any {} at home",
    "nobody can {} the {}",
    "someone does {} a {} every day",
)


@pytest.fixture
def steering():
    spec = importlib.util.spec_from_file_location("steering", ROOT / "examples" / "steering.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_reviews(path: Path, forms: tuple[str, ...]) -> str:
    """Texts about a noun (the topic) with a verb of one of two sorts (the sentiment)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "domain"])
        for form in forms:
            for verb, noun in TOPICS:
                if noun in NOUNS[:4]:
                    writer.writerow([form.format(verb, noun), VERBS.index(verb) % 2, noun])
    return str(path)


def near(results, model: str, side: str) -> float:
    result = results[model][side]
    return result.scores[result.primary].value


def test_the_same_texts_are_near_by_what_they_were_trained_on(steering, tiny_folder, tmp_path):
    train = write_reviews(tmp_path / "train.csv", FORMS[:3])
    dev = write_reviews(tmp_path / "dev.csv", FORMS[3:])
    base = str(tiny_folder)
    found = steering.steer(
        train,
        dev,
        base=base,
        out=tmp_path / "runs",
        epochs=12,
        batch_size=16,
        learning_rate=1e-3,
        seed=1,
    )
    assert near(found, "by topic", "topic") > near(found, base, "topic") + 0.1
    assert near(found, "by sentiment", "sentiment") > near(found, base, "sentiment") + 0.1
    assert near(found, "by topic", "topic") > near(found, "by sentiment", "topic") + 0.2
    assert near(found, "by sentiment", "sentiment") > near(found, "by topic", "sentiment") + 0.1


def test_the_table_names_both_sides(steering, tiny_folder, tmp_path, capsys, monkeypatch):
    train = write_reviews(tmp_path / "train.csv", FORMS[:1])
    dev = write_reviews(tmp_path / "dev.csv", FORMS[3:])
    words = [train, dev, "--base", str(tiny_folder), "--out", str(tmp_path / "o"), "--minutes"]
    monkeypatch.setattr(sys, "argv", ["steering.py", *words, "0.002"])
    steering.main()
    lines = capsys.readouterr().out.splitlines()
    assert "topic" in lines[0]
    assert "sentiment" in lines[0]
    assert len(lines) == 4
