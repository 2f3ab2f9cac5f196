"""Classification: what does a linear classifier learn from frozen vectors, and from how few?"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.evaluation.baselines import search_tfidf, tfidf_vectors
from likewise.evaluation.class_splits import ClassSplits, split_classes
from likewise.evaluation.measures import items_of, score_items
from likewise.evaluation.nearest import NEAREST, vote
from likewise.evaluation.result import Items, Result
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name
from likewise.mining.neighbours import Ranking, search_cosine
from likewise.mining.vectors import Embed, checked_vectors

STEPS = 1000  # of L-BFGS on all texts; it converges in far fewer
FEW_STEPS = 100  # on few texts, as MTEB has it
FEW = 8  # texts a label, likewise
DRAWS = 10  # of few texts, likewise
MOST = 1024  # texts a label at the end of the curve; more is nearly all there is

Search: TypeAlias = Callable[..., Ranking]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How well few texts a label are enough to learn from.

    Attributes:
        shots: [S] texts a label, ascending.
        values: [S, n] share of the draws that tell the class of each text.
        accuracies: [S, 10] of each draw.
    """

    shots: NDArray[np.int64]
    values: NDArray[np.float64]
    accuracies: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    """What learning from all texts gives for each of the n measured ones.

    Attributes:
        predictions: [n] class by the classifier.
        voted: [n] class by the nearest texts.
        usual: [n] class that is most frequent among those learnt from.
        margins: [n] how far the classifier is for the second of two classes; 0 with more.
        converged: the solver came to an end in every split.
    """

    predictions: NDArray[np.int64]
    voted: NDArray[np.int64]
    usual: NDArray[np.int64]
    margins: NDArray[np.float64]
    converged: bool


def evaluate_classification(
    embed: Embed,
    data: Dataset,
    *,
    train: Dataset | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """Logistic regression on the vectors as they come, neither scaled nor centred.

    Args:
        embed: called once with all the texts.
        data: of kind "labelled"; repeats count once, and of more than 5,000 texts a sample is
            measured.
        train: of the same kind, to learn from; texts that stand in both are not measured on. None
            to measure each fifth of `data` after learning from the other four.
        resamples: bootstrap draws of measured texts behind the 95 % intervals.
        seed: of the sample and of those draws; folds and draws of few texts are always the same.

    Returns:
        "accuracy", which leads; "f1", the mean F1 of the labels that are measured; "knn", whether
        the vote of the ten nearest texts learnt from, by cosine, is the label; "accuracy@8-shot",
        the accuracy after learning from eight texts a label (or all of a label that has fewer), a
        mean over ten draws and 100 steps of the solver, as MTEB has it (Muennighoff et al. 2023);
        the same for 1, 2, 4 … texts, up to as many as the median label has and 1,024 at the most;
        and where there are two labels, "average_precision" of the one that sorts last. In folds,
        each draw of few texts is measured on one fifth. Details hold `values` (metric to one a
        text, where a mean over texts is what it is), `shots` [S] and `shot_accuracies` [S, 10],
        the curve of each draw; `gold` and `predictions` [n] as places in `labels`; and `chance`,
        the accuracy of always answering the label most frequent among the texts learnt from.

    Raises:
        InputError: `train` is of another kind; one label only; fewer than ten texts to be measured
            on, or fewer than two labels that can be learnt.
        LikewiseError: the vectors are not finite.
    """
    splits = split_classes(data, train, seed=seed)
    vectors = checked_vectors(embed, splits.texts)
    return _score(vectors, search_cosine, splits, data, resamples=resamples, seed=seed)


def evaluate_tfidf_classification(
    data: Dataset, *, train: Dataset | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """The same of TF-IDF vectors, weighed by all the texts, without a model.

    Args:
        data: of kind "labelled".
        train: as for `evaluate_classification`.
        resamples: likewise.
        seed: likewise.
    """
    splits = split_classes(data, train, seed=seed)
    vectors = tfidf_vectors(splits.texts)
    result = _score(vectors, search_tfidf, splits, data, resamples=resamples, seed=seed)
    return replace(result, model="TF-IDF")


def learn_from_few(features: Any, splits: ClassSplits, shots: NDArray[np.int64]) -> Curve:
    """The accuracy of classifiers that learn from few texts a label, drawn ten times.

    The texts of a smaller number of shots are among those of a larger one, draw by draw.

    Args:
        features: [m, D] of the texts of the splits, float64, dense or sparse.
        splits: the draws go through them in turn.
        shots: [S] texts a label; a label that has fewer gives all.
    """
    right = np.zeros((len(shots), len(splits.texts)))
    asked = np.zeros(len(splits.texts))
    accuracies = np.empty((len(shots), DRAWS))
    for draw in range(DRAWS):
        split = splits.splits[draw % len(splits.splits)]
        asked[split.measured] += 1
        place = _places(splits.classes[split.learnt], draw)
        for i, k in enumerate(shots):
            some = split.learnt[place < k]
            model = _fit(features[some], splits.classes[some], FEW_STEPS)
            hits = model.predict(features[split.measured]) == splits.classes[split.measured]
            right[i, split.measured] += hits
            accuracies[i, draw] = hits.mean()
    values = right[:, splits.measured] / asked[splits.measured]
    return Curve(shots=shots, values=values, accuracies=accuracies)


def shots_of(splits: ClassSplits) -> NDArray[np.int64]:
    """Eight, and the powers of two up to as many texts as the median label has to learn from."""
    enough = min(MOST, float(np.median(splits.available[splits.available > 0])))
    powers = 2 ** np.arange(MOST.bit_length())
    return np.union1d(powers[powers <= enough], [FEW])


def _score(
    vectors: Any, search: Search, splits: ClassSplits, data: Dataset, *, resamples: int, seed: int
) -> Result:
    features = vectors.astype(np.float64)
    answers = _learn(features, search, splits)
    gold, n = splits.classes[splits.measured], len(splits.measured)
    curve = learn_from_few(features, splits, shots_of(splits))
    by_shots = {f"accuracy@{k}-shot": v for k, v in zip(curve.shots, curve.values, strict=True)}
    right = (answers.predictions == gold).astype(np.float64)
    values = {"accuracy": right, "knn": (answers.voted == gold).astype(np.float64), **by_shots}
    items = _items(values, answers, gold, splits)
    scores, draws = score_items(items, resamples=resamples, seed=seed)
    return Result(
        task=task_name(data),
        evaluator="classification",
        primary="accuracy",
        scores=scores,
        draws=draws,
        items=items,
        n=n,
        data=splits.fingerprint,
        seed=seed,
        notes=(*splits.notes, *_notes(splits, answers, curve)),
        details={
            "values": values,
            "shots": curve.shots,
            "shot_accuracies": curve.accuracies,
            "gold": gold,
            "predictions": answers.predictions,
            "labels": splits.labels,
            "chance": float((answers.usual == gold).mean()),
        },
    )


def _items(
    values: dict[str, NDArray[np.float64]],
    answers: _Answers,
    gold: NDArray[np.int64],
    splits: ClassSplits,
) -> dict[str, Items]:
    """Every metric, in the order in which tables show them."""
    means = {name: items_of("mean", value) for name, value in values.items()}
    few = f"accuracy@{FEW}-shot"
    found = {
        "accuracy": means["accuracy"],
        "f1": items_of("macro_f1", answers.predictions, gold),
        "knn": means["knn"],
        few: means[few],
    }
    if len(splits.labels) == 2:
        found["average_precision"] = items_of("average_precision", answers.margins, gold)
    return {**found, **means}


def _learn(features: Any, search: Search, splits: ClassSplits) -> _Answers:
    m = len(splits.texts)
    predictions, voted, usual = (np.zeros(m, dtype=np.int64) for _ in range(3))
    margins = np.zeros(m)
    steps = []
    for split in splits.splits:
        learnt, asked = features[split.learnt], features[split.measured]
        classes = splits.classes[split.learnt]
        model = _fit(learnt, classes, STEPS)
        steps.append(int(model.n_iter_.max()))
        predictions[split.measured] = model.predict(asked)
        found = search(asked, learnt, depth=min(NEAREST, len(classes))).positions
        voted[split.measured] = vote(classes[found])
        usual[split.measured] = np.bincount(classes).argmax()
        if len(splits.labels) == 2:
            margins[split.measured] = model.decision_function(asked)
    return _Answers(
        predictions=predictions[splits.measured],
        voted=voted[splits.measured],
        usual=usual[splits.measured],
        margins=margins[splits.measured],
        converged=max(steps) < STEPS,
    )


def _fit(features: Any, classes: NDArray[np.int64], steps: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # of many classes in few texts, and of steps that ran out: a note says it where it matters
        warnings.simplefilter("ignore", UserWarning)
        return LogisticRegression(max_iter=steps).fit(features, classes)


def _places(classes: NDArray[np.int64], draw: int) -> NDArray[np.int64]:
    """[m] the place of each text among those of its class, from 0, in an order drawn at random."""
    order = np.random.default_rng(draw).permutation(len(classes))
    by_class = order[np.argsort(classes[order], kind="stable")]
    sizes = np.bincount(classes)
    places = np.empty(len(classes), dtype=np.int64)
    places[by_class] = np.arange(len(classes)) - (np.cumsum(sizes) - sizes)[classes[by_class]]
    return places


def _notes(splits: ClassSplits, answers: _Answers, curve: Curve) -> list[str]:
    notes = []
    most = int(curve.shots[-1])
    poor = int(((splits.available > 0) & (splits.available < most)).sum())
    if poor:
        notes.append(
            f"{poor:,} labels have fewer than {most:,} texts to learn from: where a draw of few "
            "asks for more, it takes all of them"
        )
    if len(splits.labels) == 2:
        notes.append(f"average precision is that of the label {splits.labels[1]}")
    if not answers.converged:
        notes.append(f"the classifier had not converged after {STEPS:,} steps")
    return notes
