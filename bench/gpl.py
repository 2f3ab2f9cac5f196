"""SciFact without its labels: a teacher made of its corpus, then GPL and TSDAE, against MiniLM.

    python bench/gpl.py --out /tmp/gpl [--queries 1] [--only teacher gpl tsdae]
    python bench/gpl.py --out /tmp/gpl --against-peer 1600    TSDAE alone, on both sides

The teacher sees no claim and no judgement: it learns which premise of ../shared/data/nli entails a
hypothesis, beside four others, and then which abstract a title, or a last sentence, was taken out
of, beside two that MiniLM holds near and one of another row. Then `gpl` and `tsdae` train MiniLM
on the corpus, and all are measured by nDCG@10 on the 300 claims of the test split. What is finished
in `--out` is not made again, what was interrupted goes on.
"""

import argparse
import gzip
import json
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers.sentence_transformer.losses import DenoisingAutoEncoderLoss

import likewise
import machine
import peer
import unsupervised
from likewise.data.dataset import RetrievalSet
from likewise.evaluation import evaluate, read_evaluation
from likewise.mining.neighbours import search_cosine
from likewise.mining.sentences import sentence_spans
from likewise.models.source import resolve_model

SCIFACT = Path(__file__).parents[2] / "shared/data/scifact"
NLI = SCIFACT.parent / "nli/train.csv.gz"
NEGATIVES, NEAREST = 2, slice(2, 40)  # drawn from these ranks
RERANKED, ASKED, HELD = 20, 100, 30


def parts_of(document: dict[str, str]) -> tuple[str, str]:
    """A last sentence and what stands before it; the second is "" where there is no such thing."""
    spans = sentence_spans(document["text"])
    if len(spans) < 2:
        return "", ""
    start, end = spans[-1]
    return document["text"][start:end], document["text"][:start].rstrip()


def entailments(path: Path, rows: int) -> None:
    """Hypotheses with the premise that entails each."""
    data = likewise.read(NLI)
    pairs = zip(data.texts("premise"), data.texts("hypothesis"), data.labels(), strict=True)
    kept = [(premise, hypothesis) for premise, hypothesis, label in pairs if label == 0]
    chosen = random.Random(0).sample(kept, rows)
    with path.open("w") as file:
        for premise, hypothesis in chosen:
            file.write(json.dumps({"anchor": hypothesis, "positive": premise}) + "\n")


def teacher_rows(path: Path, encoder: likewise.Encoder, count: int) -> None:
    """A row for each of some abstracts: its title or last sentence, itself, and two near ones."""
    corpus = likewise.read(SCIFACT, split="test")
    vectors = encoder.encode(list(corpus.documents), normalize=True)
    own = np.arange(len(vectors))
    near = search_cosine(vectors, vectors, depth=NEAREST.stop, skipped=own).positions[:, NEAREST]
    documents = read_corpus()
    draw = random.Random(0)
    with path.open("w") as file:
        for place in draw.sample(range(len(documents)), min(count, len(documents))):
            document, by_title = documents[place], draw.random() < 0.5

            def shown(other: dict[str, str], by_title: bool = by_title) -> str:
                body = other["text"] if by_title else parts_of(other)[1]
                return body if by_title else f"{other['title']} {body}"

            query = document["title"] if by_title else parts_of(document)[0]
            if not query.strip() or not document["text"].strip():
                continue
            wrong = [documents[i] for i in draw.sample(near[place].tolist(), NEGATIVES)]
            row = {
                "anchor": query,
                "positive": shown(document),
                "negative": [shown(other) for other in wrong],
            }
            file.write(json.dumps(row) + "\n")


def read_corpus() -> list[dict[str, str]]:
    with gzip.open(SCIFACT / "corpus.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def rerank(teacher: likewise.CrossEncoder, encoder: likewise.Encoder) -> dict[str, float]:
    """nDCG@10 of MiniLM's twenty best for some train claims, in its order and in the teacher's."""
    data = likewise.read(SCIFACT, split="train")
    chosen = np.random.default_rng(0).permutation(len(data.queries))[:ASKED]
    documents = encoder.encode(list(data.documents), normalize=True)
    asked = encoder.encode([data.queries[i] for i in chosen], normalize=True)
    found = search_cosine(asked, documents, depth=RERANKED)
    pairs = [
        (data.queries[i], data.documents[place])
        for i, row in zip(chosen, found.positions, strict=True)
        for place in row
    ]
    scores = teacher.predict(pairs, activation="identity").reshape(found.positions.shape)
    both = scores / scores.std() + found.scores / found.scores.std()
    return {
        name: ndcg(data, chosen, np.take_along_axis(found.positions, np.argsort(-by, 1), 1))
        for name, by in (("MiniLM", found.scores), ("the teacher", scores), ("both", both))
    }


def ndcg(data: RetrievalSet, chosen: np.ndarray, ranked: np.ndarray) -> float:
    gains = 1 / np.log2(np.arange(2, 12))
    values = []
    for row, i in zip(ranked, chosen, strict=True):
        right = {d for d, grade in data.judgements[data.query_ids[i]].items() if grade > 0}
        hits = [data.document_ids[place] in right for place in row[:10]]
        values.append((gains * hits).sum() / gains[: len(right)].sum())
    return float(np.mean(values))


def train(name: str, out: Path, base: Any, data: Any, **settings: Any) -> float:
    """Make a run once; its minutes."""
    if (out / name / "model").exists():
        return 0.0
    began = time.perf_counter()
    existing = "resume" if (out / name / "checkpoints").exists() else "refuse"
    settings |= {"out": out / name, "existing": existing, "keep": "last", "evaluations": 0}
    likewise.train(base, data, checkpoint_every=50, **settings)
    return (time.perf_counter() - began) / 60


def make_teacher(asked: argparse.Namespace) -> dict[str, Any]:
    """Two stages, the minutes of each, and what the teacher makes of MiniLM's order."""
    encoder, out = likewise.load("minilm"), asked.out
    rows, held, pairs = out / "teacher.jsonl", out / "held.jsonl", out / "nli.jsonl"
    if not held.exists():
        teacher_rows(rows, encoder, asked.abstracts)
        lines = rows.read_text().splitlines(keepends=True)
        held.write_text("".join(lines[:HELD]))  # few: a cross-encoder is slow to measure
        rows.write_text("".join(lines[HELD:]))
    entailments(pairs, asked.pairs)
    shared = {"method": "cross-encoder", "loss": "mnr", "learning_rate": 5e-5, "epochs": 1}
    minutes = {"nli": train("nli", out, "minilm", pairs, negatives=4, batch_size=32, **shared)}
    shared |= {"max_tokens": asked.tokens, "batch_size": 16, "negatives": 1, "dev": held}
    minutes["teacher"] = train("teacher", out, str(out / "nli/model"), rows, **shared)
    reranked = rerank(likewise.load_cross_encoder(str(out / "teacher/model")), encoder)
    print({name: round(value, 4) for name, value in reranked.items()}, flush=True)
    return {"minutes": minutes, "reranked": reranked}


def tsdae_against_peer(asked: argparse.Namespace, test: RetrievalSet) -> dict[str, Any]:
    """nDCG@10 of the base, of the peer's TSDAE and of ours, by the mean and by the first token."""
    base, texts = likewise.load("minilm"), list(test.documents)
    texts = random.Random(0).sample(texts, asked.against_peer)
    path = asked.out / "passages.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    shared = {"learning_rate": 3e-5, "weight_decay": 0.0, "seed": 1}
    theirs, _ = peer.train(
        str(resolve_model("minilm")), unsupervised.damaged(texts), DenoisingAutoEncoderLoss,
        batch=16, max_tokens=asked.tokens, warmup_steps=0, **shared,
    )  # fmt: skip
    models = {"base": base, "sentence-transformers": lambda texts, role=None: theirs.encode(texts)}
    for pooling in ("model", "cls"):
        models[f"likewise, {pooling}"] = likewise.train(
            "minilm", path, method="tsdae", pooling=pooling, epochs=1, batch_size=16, warmup=0.0,
            max_tokens=asked.tokens, evaluations=0, keep="last", precision="float32",
            out=asked.out / f"tsdae-{pooling}", existing="replace", **shared,
        ).model  # fmt: skip
    results = [
        evaluate(model, test, name=name, precision="float32") for name, model in models.items()
    ]
    scores = {result.model: result.scores["ndcg@10"] for result in results}
    for name, s in scores.items():
        print(f"{name:24} {s.value:.4f} ({s.low:.4f} to {s.high:.4f})", flush=True)
    return {name: [s.value, s.low, s.high] for name, s in scores.items()}


def measured(out: Path) -> dict[str, Any]:
    """What each run found on the test claims: base, trained, the difference with its interval."""
    found: dict[str, Any] = {}
    for name in ("gpl", "tsdae"):
        path = out / name / "evaluation.json"
        if not path.exists():
            continue
        evaluation = read_evaluation(path)
        scores = {result.model: result.scores["ndcg@10"] for result in evaluation.results}
        (apart,) = (
            d for d in evaluation.differences if d.metric == "ndcg@10" and d.against == "minilm"
        )
        found[name] = {model: [s.value, s.low, s.high] for model, s in scores.items()}
        found[name]["difference"] = [apart.value, apart.low, apart.high]
        for model, score in scores.items():
            print(f"{name:8} {model:10} {score.value:.4f} ({score.low:.4f} to {score.high:.4f})")
        print(f"{name:8} {apart.value:+.4f} ({apart.low:+.4f} to {apart.high:+.4f})")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=1, help="of each passage, for GPL")
    parser.add_argument("--tokens", type=int, default=112, help="of a pair or a passage")
    parser.add_argument("--pairs", type=int, default=12_800, help="of NLI, for the teacher")
    parser.add_argument("--abstracts", type=int, default=2600, help="that the teacher learns")
    parser.add_argument("--against-peer", type=int, help="passages of TSDAE on both sides")
    parser.add_argument("--only", nargs="+", default=["teacher", "gpl", "tsdae"])
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    test = likewise.read(SCIFACT, split="test")
    if asked.against_peer:
        found = tsdae_against_peer(asked, test)
        (machine.RESULTS / "tsdae-passages.json").write_text(json.dumps(found, indent=2) + "\n")
        return
    found = make_teacher(asked) if "teacher" in asked.only else {"minutes": {}}
    shared = {"dev": test, "epochs": 1, "max_tokens": asked.tokens}
    if "gpl" in asked.only:
        found["minutes"]["gpl"] = train(
            "gpl", asked.out, "minilm", SCIFACT, method="gpl",
            teacher=str(asked.out / "teacher/model"), queries_per_passage=asked.queries,
            miners="base,bm25", batch_size=32, learning_rate=2e-5, **shared,
        )  # fmt: skip
    if "tsdae" in asked.only:
        found["minutes"]["tsdae"] = train(
            "tsdae", asked.out, "minilm", SCIFACT, method="tsdae", pooling="model",
            batch_size=16, learning_rate=3e-5, **shared,
        )  # fmt: skip
    found |= measured(asked.out)
    minutes = {name: round(value, 1) for name, value in found["minutes"].items() if value}
    print(minutes, "minutes, where made now")
    (machine.RESULTS / "gpl.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
