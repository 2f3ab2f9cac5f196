"""What the kind of negatives is worth: SciFact's claims by mnr with easy, semi-hard and hard ones.

    python bench/negatives.py --out /tmp/negatives [--base minilm] [--seeds 3]

The training claims of ../shared/data with the abstracts that they cite; hard negatives are drawn
from the ten abstracts that BM25 ranks highest and nobody cited. Then `likewise compare` trains and
measures nDCG@10 on the test claims. What is finished in `--out` is not made again.
"""

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

import likewise
from likewise.mining.lexical import search_bm25

SCIFACT = Path(__file__).parents[2] / "shared/data/scifact"
KINDS = ("none", "easy", "semi-hard", "hard")
DEPTH = 10  # of BM25's ranking
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

[options]
negatives = "{kind}"
"""


def rows() -> list[dict[str, str]]:
    """A row for each citation: claim, abstract, and an abstract that only shares its words."""
    claims = likewise.read(SCIFACT, split="train")
    place = {name: i for i, name in enumerate(claims.document_ids)}
    found = search_bm25(claims.queries, claims.documents, depth=2 * DEPTH).positions
    draw, made = random.Random(0), []
    for i, (name, claim) in enumerate(zip(claims.query_ids, claims.queries, strict=True)):
        right = {place[d] for d, grade in claims.judgements[name].items() if grade > 0}
        wrong = [p for p in found[i].tolist() if p >= 0 and p not in right][:DEPTH]
        for p in sorted(right):
            texts = {"anchor": claim, "positive": claims.documents[p]}
            made.append({**texts, "negative": claims.documents[draw.choice(wrong)]})
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--base", default="minilm")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    data = asked.out / "claims.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    recipes = []
    for kind in KINDS:
        recipe = asked.out / f"{kind}.toml"
        recipe.write_text(RECIPE.format(data=data, dev=SCIFACT, base=asked.base, kind=kind))
        recipes.append(str(recipe))
    command = ["compare", *recipes, "--seeds", str(asked.seeds), "--allow-leak"]
    command += ["--out", str(asked.out / "compared")]
    done = subprocess.run([sys.executable, "-m", "likewise", *command], check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
