"""Every block of code in README and docs runs, in the order in which it stands.

Python blocks are run as they are; lines that start with `$ likewise` are given to the command line.
Each page has a folder of its own with the files that its examples name.
"""

import csv
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from likewise.cli.main import main
from likewise.models.cross_encoder import from_encoder

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

THINGS = ("router", "parcel", "card", "invoice", "password", "camera", "ticket", "table", "lamp")
DOINGS = ("reset", "return", "replace", "clean", "repair", "register", "insure", "sell")


def run_commands(example: Example) -> None:
    """Run the `$ likewise …` lines of a block; each has to succeed."""
    for line in example.parsed.splitlines():
        if line.startswith("$ likewise "):
            words = shlex.split(line.removeprefix("$ likewise "), comments=True)
            with pytest.raises(SystemExit) as left:
                main(words)
            assert left.value.code == 0, line


def write_recipe(example: Example) -> None:
    """Write a block of TOML that begins with its file's name, as `# adapt.toml`."""
    first = example.parsed.splitlines()[0]
    if first.startswith("# "):
        Path(first.removeprefix("# ")).write_text(example.parsed, encoding="utf-8")


def write_csv(path: Path, header: str, rows: Iterator[tuple[object, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def questions() -> Iterator[tuple[str, str, str]]:
    """Doing, thing and the answer to how one does that to it."""
    for doing in DOINGS:
        for thing in THINGS:
            yield doing, thing, f"To {doing} a {thing}, ask the desk for help with the {thing}."


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The files that the pages name: small, and of the kind that each name says."""
    asked = list(questions())
    pairs = [(f"How do I {doing} my {thing}?", answer) for doing, thing, answer in asked]
    write_csv(tmp_path / "pairs.csv", "anchor,positive", iter(pairs))
    write_csv(tmp_path / "faq.csv", "title,body", iter(pairs))
    scored = [
        (f"They {asked[i][0]} the {asked[i][1]}.", f"The {asked[j][1]}: they {asked[j][0]} it.",
         2.5 * (asked[i][0] == asked[j][0]) + 2.5 * (asked[i][1] == asked[j][1]))
        for i, j in zip(range(60), [*range(20), *range(11, 51)], strict=True)
    ]  # fmt: skip
    write_csv(tmp_path / "dev.csv", "sentence1,sentence2,score", iter(scored))
    write_csv(tmp_path / "scored.csv", "sentence1,sentence2,score", iter(scored[::-1]))
    reviews = [(f"{answer} It went {'well' if len(thing) % 2 else 'badly'}.", thing, len(thing) % 2)
               for _, thing, answer in asked]  # fmt: skip
    write_csv(tmp_path / "reviews.csv", "text,domain,sentiment", iter(reviews))
    intents = [(f"How do I {doing} my {thing}?", doing) for doing, thing, _ in asked]
    write_csv(tmp_path / "intents.csv", "text,label", iter(intents[::2]))
    write_csv(tmp_path / "intents-test.csv", "text,label", iter(intents[1::2]))
    others = pairs[5:] + pairs[:5]
    triplets = [(*pair, other) for pair, (_, other) in zip(pairs, others, strict=True)]
    write_csv(tmp_path / "triplets.csv", "anchor,positive,negative", iter(triplets))
    write_csv(tmp_path / "mistakes.csv", "sentence1,sentence2,score", iter([("a", "b", "high")]))
    intents = [(f"Please {doing} my {thing}.", doing) for doing, thing, _ in asked]
    (tmp_path / "intents").mkdir()
    write_csv(tmp_path / "intents" / "train.csv", "text,label", iter(intents))
    write_csv(tmp_path / "intents" / "test.csv", "text,label", iter(intents[::3]))
    tmp_path.joinpath("texts.txt").write_text("".join(f"{answer}\n" for _, _, answer in asked))
    folder = tmp_path / "helpdesk"
    folder.joinpath("qrels").mkdir(parents=True)
    with (
        folder.joinpath("queries.jsonl").open("w") as queries,
        folder.joinpath("corpus.jsonl").open("w") as corpus,
        folder.joinpath("qrels", "test.tsv").open("w") as qrels,
    ):
        qrels.write("query-id\tcorpus-id\tscore\n")
        for i, (doing, thing, answer) in enumerate(asked):
            queries.write(json.dumps({"_id": f"q{i}", "text": f"{doing} my {thing}"}) + "\n")
            corpus.write(json.dumps({"_id": f"d{i}", "title": "", "text": answer}) + "\n")
            qrels.write(f"q{i}\td{i}\t1\n")
    from_encoder("minilm", classes=1, seed=0).save(tmp_path / "cross-encoder")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_block_of_a_page_runs(page: Path, files: Path):
    if page.name == "mteb.md":
        pytest.importorskip("mteb", reason="mteb is not installed")
    parsers = [
        PythonCodeBlockParser(),
        CodeBlockParser(language="console", evaluator=run_commands),
        CodeBlockParser(language="toml", evaluator=write_recipe),
    ]
    examples = list(Sybil(parsers=parsers).parse(page).examples())
    assert examples, f"{page.name} shows no code"
    with chdir(files):
        for example in examples:
            example.evaluate()


def test_the_two_commands_come_before_everything_else():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert [line.split()[1:3] for line in lines if line.startswith("$ ")][:2] == [
        ["make", "demo"],
        ["make", "test"],
    ]


def test_links_between_the_pages_lead_somewhere():
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
