"""What mined negatives are worth, and how many of them are right answers in truth.

    python bench/mined.py --out /tmp/mined [--sets scifact code] [--base minilm] [--seeds 3]
    python bench/mined.py --out /tmp/mined --rates [--sets scifact cisi]

Training: SciFact's training claims with the abstracts that they cite, and the demo's functions of
the standard library with their summaries. Each gets one negative a row, mined by the base model,
or drawn; `likewise compare` trains on each file for equally many steps, and measures nDCG@10 on
SciFact's test claims and the demo's held-out modules. What is finished in `--out` is not made
again.

Rates: of each query of ../shared/data one relevant document is shown to the miner, the others are
hidden; what share of the mined negatives do the judgements call relevant? Only queries with two
relevant documents or more are counted.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import likewise
from likewise.data.builtin import stdlib_code
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.derive import judged_to_pairs

SHARED = Path(__file__).parents[2] / "shared/data"
SPLITS = {"scifact": "train", "cisi": "test"}
KINDS = {
    "none": {},
    "random": {"hardness": "easy"},
    "semi-hard": {"hardness": "semi-hard"},
    "hard": {"hardness": "hard"},
}
NAIVE = {"suspicious": "keep", "relative_margin": 0.0, "near_duplicates": 1.01}
RATES = {
    "the top, as it comes": NAIVE,
    "no near-duplicates": {**NAIVE, "near_duplicates": 0.98},
    "below the positive": {"relative_margin": 0.0},
    "5 % below (hard)": {},
    "10 % below": {"relative_margin": 0.1},
    "semi-hard": {"hardness": "semi-hard"},
    "random": {"hardness": "easy"},
}
RECIPE = """data = "{data}"
dev = "{dev}"
base = "{base}"
method = "mnr"

[training]
epochs = 2
batch_size = 16
learning_rate = 2e-5
max_tokens = 128
evaluations = 0
keep = "last"
"""


def write_rows(data: Dataset, path: Path) -> Path:
    roles = ("anchor", "positive")
    rows = zip(*(data.texts(role) for role in roles), strict=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(dict(zip(roles, row, strict=True))) + "\n" for row in rows)
    return path


def write_folder(data: RetrievalSet, folder: Path) -> Path:
    """A retrieval set in the BEIR layout, for a process of its own."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, ids, texts in (
        ("queries", data.query_ids, data.queries),
        ("corpus", data.document_ids, data.documents),
    ):
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            for key, text in zip(ids, texts, strict=True):
                file.write(json.dumps({"_id": key, "text": text}) + "\n")
    lines = ["query-id\tcorpus-id\tscore"]
    for query, judged in data.judgements.items():
        lines += [f"{query}\t{document}\t{grade}" for document, grade in judged.items()]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def prepare(name: str, out: Path) -> tuple[Path, Sequence[str], Path]:
    """The pairs, further documents to mine from, and the dev data of a set."""
    if name == "code":
        found = stdlib_code()
        pairs = write_rows(found.train, out / "pairs.jsonl")
        return pairs, (), write_folder(found.test, out / "test")
    data = likewise.read(SHARED / name, split=SPLITS[name])
    pairs = write_rows(judged_to_pairs(data), out / "pairs.jsonl")
    return pairs, data.documents, SHARED / name


def compare(name: str, out: Path, base: str, seeds: int) -> int:
    out.mkdir(parents=True, exist_ok=True)
    pairs, corpus, dev = prepare(name, out)
    recipes = []
    for kind, options in KINDS.items():
        data = pairs if kind == "none" else out / f"{kind}.jsonl"
        if kind != "none" and not data.exists():
            rows, work = likewise.read(pairs), out / "work"
            mined = likewise.mine(base, rows, corpus=corpus, out=data, work=work, **options)
            print(f"{name}, {kind}:", *(f"  {note}" for note in mined.notes), sep="\n", flush=True)
        recipe = out / f"{kind}.toml"
        recipe.write_text(RECIPE.format(data=data, dev=dev, base=base))
        recipes.append(str(recipe))
    command = ["compare", *recipes, "--seeds", str(seeds), "--allow-leak"]
    command += ["--out", str(out / "compared")]
    return subprocess.run([sys.executable, "-m", "likewise", *command], check=False).returncode


def rates(name: str, out: Path, base: str) -> None:
    """Hide all relevant documents of a query but the first, mine, and look them up."""
    out.mkdir(parents=True, exist_ok=True)
    data = likewise.read(SHARED / name, split=SPLITS[name])
    text_of = dict(zip(data.document_ids, data.documents, strict=True))
    shown, hidden = [], []
    for key, query in zip(data.query_ids, data.queries, strict=True):
        right = [text_of[d] for d, grade in data.judgements[key].items() if grade > 0]
        if len(right) > 1:
            shown.append({"anchor": query, "positive": right[0]})
            hidden.append(set(right[1:]))
    file = out / "shown.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in shown), encoding="utf-8")
    pairs = likewise.read(file)
    print(f"{name}: {len(shown)} queries, {sum(map(len, hidden))} hidden relevant documents")
    for kind, options in RATES.items():
        found = likewise.mine(
            base, pairs, corpus=data.documents, work=out / "work", negatives=5, **options
        )
        lines = found.provenance.to_pylist()
        false = sum(line["negative"] in hidden[line["row"]] for line in lines)
        told = f"{len(lines):6,} negatives, {false:5,} relevant: {false / max(len(lines), 1):.1%}"
        print(f"  {kind:24} {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=["scifact", "cisi", "code"])
    parser.add_argument("--base", default="minilm")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rates", action="store_true")
    asked = parser.parse_args()
    code = 0
    for name in asked.sets or (["scifact", "cisi"] if asked.rates else ["scifact", "code"]):
        if asked.rates:
            rates(name, asked.out / f"{name}-rates", asked.base)
        else:
            code = code or compare(name, asked.out / name, asked.base, asked.seeds)
    sys.exit(code)


if __name__ == "__main__":
    main()
