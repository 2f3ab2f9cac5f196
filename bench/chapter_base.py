"""A base that never saw a pair: MLM from nothing on the plain text of ../shared/data.

    python bench/chapter_base.py --out runs/base [--minutes 120] [--base scratch:small]
        [--learning-rate 5e-4]

The sentences of all texts, each once, but of those that stand in a dev or test file, go into
`OUT/texts.txt`; then `likewise train` runs on them. The same command goes on where it stopped. At
1e-3 scratch:small never leaves the plateau of guessing each word by its frequency; scratch:mini
does.
"""

import argparse
import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from likewise.mining.sentences import sentence_spans

SHARED = Path(__file__).parents[2] / "shared/data"
OTHER = {"label", "score", "source", "domain", "_id", "metadata"}
MEASURED = ("dev", "test", "queries")  # how the name of a file with texts to measure on begins
FEWEST_WORDS = 3


def texts_of(path: Path) -> Iterator[str]:
    """All texts of one file, whatever their column."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = csv.DictReader(file) if ".csv" in path.name else map(json.loads, file)
        for row in rows:
            yield from (text for column, text in row.items() if column not in OTHER and text)


def sentences(path: Path) -> Iterator[str]:
    """The sentences of one file, with single spaces."""
    for text in texts_of(path):
        for start, end in sentence_spans(text):
            yield " ".join(text[start:end].split())


def plain_texts() -> Iterator[str]:
    """Sentences of the training files and corpora, each once, none of what is measured on."""
    files = [p for p in sorted(SHARED.glob("*/*.gz")) if not p.name.startswith("qrels")]
    measured = [p for p in files if p.name.startswith(MEASURED)]
    seen = {sentence for path in measured for sentence in sentences(path)}
    for path in files:
        if path in measured:
            continue
        for sentence in sentences(path):
            if sentence not in seen and len(sentence.split()) >= FEWEST_WORDS:
                seen.add(sentence)
                yield sentence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--base", default="scratch:small")
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    asked = parser.parse_args()
    file, run = asked.out / "texts.txt", asked.out / "run"
    if not file.exists():
        asked.out.mkdir(parents=True, exist_ok=True)
        found = list(plain_texts())
        draft = file.with_suffix(".draft")
        draft.write_text("\n".join(found) + "\n", encoding="utf-8")
        draft.rename(file)
        print(f"{len(found):,} sentences, {sum(len(s.split()) for s in found):,} words: {file}")
    command = ["train", str(file), "--method", "mlm", "--base", asked.base, "--out", str(run)]
    command += ["--learning-rate", str(asked.learning_rate), "--warmup", "0.05", "--dropout", "0"]
    command += ["--max-tokens", "128", "--minutes", str(asked.minutes)]
    command += ["--resume"] if run.exists() else []
    done = subprocess.run([sys.executable, "-m", "likewise", *command], check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
