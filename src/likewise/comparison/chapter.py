"""The set-ups of the chapter "Creating Text Embedding Models", as rows on the user's own data.

Alammar & Grootendorst 2024, "Hands-On Large Language Models", chapter 10: Pearson correlation on
STS-B dev, from bert-base-uncased where no other model is named, 50,000 rows of MultiNLI.
"""

from typing import Any

from likewise.comparison.rows import Row, make_row, untouched_row

NAME = "chapter"
WHERE = "compare chapter"
MINILM = "minilm"
GOLD = 0.2  # of the labels that Augmented SBERT sees
QUICK_ROWS = 3200
TRAINING = {"epochs": 1.0, "batch_size": 32, "evaluations": 0, "keep": "last"}

# method, what of its training and options is its own, the chapter's Pearson
LABELLED: tuple[tuple[str, dict[str, Any], dict[str, Any], str], ...] = (
    ("softmax", {}, {}, "0.59"),
    ("cosine", {}, {}, "0.72"),
    ("mnr", {"batch_size": 64}, {}, "0.80"),
)
PLAIN: tuple[tuple[str, dict[str, Any], dict[str, Any], str], ...] = (
    ("tsdae", {"batch_size": 16, "learning_rate": 3e-5}, {}, "0.70"),
    ("simcse", {"batch_size": 64, "learning_rate": 3e-5}, {"views": "dropout"}, ""),
    ("contrastive-tension", {"batch_size": 64, "learning_rate": 3e-5}, {}, ""),
)


def chapter_rows(
    nli: str,
    sts: str,
    *,
    base: str = MINILM,
    rows: int | None = None,
    quick: bool = False,
    vectors: str | None = None,
    learning_rate: float | None = None,
) -> list[Row]:
    """The chapter's six rows, and what they are to be held against.

    Supervised rows learn from the labels of the NLI rows, `mnr` from entailments with
    contradictions as hard negatives, Augmented SBERT from a fifth of the labels; the others from
    premises and hypotheses alone.

    Args:
        nli: rows of premise, hypothesis and label.
        sts: scored pairs to measure on.
        base: the model that all but one row start from; best one that never saw sentence pairs.
        rows: of the NLI data, drawn at random by the seed; None for all.
        quick: 3,200 rows where `rows` does not say.
        vectors: a file of word vectors, for a row of their plain means; None for none.
        learning_rate: of all rows that start from `base`: a small one that was trained from
            nothing wants more (Turc et al. 2019 found 3e-4 for the smallest); None for the usual.
    """
    chosen = {} if learning_rate is None else {"learning_rate": learning_rate}
    count = rows or (QUICK_ROWS if quick else None)
    found = [
        untouched_row("base-mean", f"mean:{base}", sts, where=WHERE),
        untouched_row("base-cls", f"cls:{base}", sts, where=WHERE),
        untouched_row("minilm-untouched", MINILM, sts, where=WHERE),
    ]
    if vectors:
        found.append(untouched_row("word-vectors", f"static:{vectors}", sts, where=WHERE))

    def trained(
        name: str,
        method: str,
        training: dict[str, Any],
        options: dict[str, Any],
        reference: str,
        start: str | None = None,
    ) -> Row:
        stage: dict[str, Any] = {"name": name, "method": method, "data": nli, "options": options}
        if count is not None:
            stage["rows"] = count
        tables = {
            "base": start or base,
            "dev": sts,
            "training": {**TRAINING, **training, **({} if start else chosen)},
            "stages": [stage],
        }
        return make_row(name, tables, where=WHERE, reference=reference)

    found += [trained(method, method, own, options, ref) for method, own, options, ref in LABELLED]
    gentle = {"batch_size": 128, "learning_rate": 2e-5}
    found.append(trained("minilm-mnr", "mnr", gentle, {}, "0.85, from MiniLM", MINILM))
    few = {"gold_fraction": GOLD, "sampling": "given"}
    found.append(trained("augmented", "augmented", {}, few, "0.71"))
    return found + [
        trained(method, method, own, options, ref) for method, own, options, ref in PLAIN
    ]
