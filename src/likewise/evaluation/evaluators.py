"""The table of evaluators, and the evaluation of a model by the kind of the data."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import InputError
from likewise.evaluation.baselines import (
    evaluate_bm25,
    evaluate_bm25_pairs,
    evaluate_tfidf,
    evaluate_tfidf_neighbours,
    evaluate_tfidf_pair_labels,
)
from likewise.evaluation.bitext import evaluate_bitext, evaluate_tfidf_bitext
from likewise.evaluation.candidates import (
    evaluate_candidates,
    evaluate_tfidf_candidates,
    predict_candidates,
)
from likewise.evaluation.classification import (
    evaluate_classification,
    evaluate_tfidf_classification,
)
from likewise.evaluation.clustering import evaluate_clustering, evaluate_tfidf_clustering
from likewise.evaluation.geometry import measure_geometry
from likewise.evaluation.nearest import evaluate_neighbours
from likewise.evaluation.nli_classification import evaluate_majority, predict_nli
from likewise.evaluation.pair_classification import (
    evaluate_pair_classification,
    predict_pair_labels,
)
from likewise.evaluation.pairs import evaluate_pairs
from likewise.evaluation.predictions import ScoresPairs, TimedPredict
from likewise.evaluation.reranking import rerank_corpus, rerank_pairs
from likewise.evaluation.result import Result
from likewise.evaluation.retrieval import evaluate_retrieval
from likewise.evaluation.similarity import FEWEST, evaluate_similarity, predict_similarity
from likewise.evaluation.spec import EvaluatorSpec
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.triplets import (
    evaluate_tfidf_triplets,
    evaluate_triplets,
    predict_triplets,
)
from likewise.mining.vectors import Embed, Encodes, TimedEmbed
from likewise.registry import Table, option_parameters

EVALUATORS: Table[EvaluatorSpec] = Table(
    "likewise.evaluators",
    {
        "similarity": EvaluatorSpec(
            kinds=("scored",),
            function=evaluate_similarity,
            pair_function=predict_similarity,
            baseline=evaluate_tfidf,
        ),
        "pair-classification": EvaluatorSpec(
            kinds=("pair-labels",),
            function=evaluate_pair_classification,
            pair_function=predict_pair_labels,
            baseline=evaluate_tfidf_pair_labels,
        ),
        "nli-classification": EvaluatorSpec(
            kinds=("nli",), pair_function=predict_nli, baseline=evaluate_majority
        ),
        "retrieval": EvaluatorSpec(
            kinds=("retrieval",),
            function=evaluate_retrieval,
            pair_function=rerank_corpus,
            baseline=evaluate_bm25,
            baseline_shown=True,
        ),
        "pairs": EvaluatorSpec(
            kinds=("pairs", "distilled"),
            function=evaluate_pairs,
            pair_function=rerank_pairs,
            baseline=evaluate_bm25_pairs,
            baseline_shown=True,
        ),
        "reranking": EvaluatorSpec(
            kinds=("reranking", "pairs"),
            function=evaluate_candidates,
            pair_function=predict_candidates,
            baseline=evaluate_tfidf_candidates,
            baseline_shown=True,
        ),
        "neighbours": EvaluatorSpec(
            kinds=("labelled",), function=evaluate_neighbours, baseline=evaluate_tfidf_neighbours
        ),
        "clustering": EvaluatorSpec(
            kinds=("labelled",), function=evaluate_clustering, baseline=evaluate_tfidf_clustering
        ),
        "classification": EvaluatorSpec(
            kinds=("labelled",),
            function=evaluate_classification,
            baseline=evaluate_tfidf_classification,
        ),
        "triplets": EvaluatorSpec(
            kinds=("pairs", "distilled"),
            function=evaluate_triplets,
            pair_function=predict_triplets,
            baseline=evaluate_tfidf_triplets,
        ),
        "bitext": EvaluatorSpec(
            kinds=("pairs",), function=evaluate_bitext, baseline=evaluate_tfidf_bitext
        ),
    },
)

# first text roles that rows may share: what is counted is what is asked
ASKING = {"anchor": "distinct anchors", "query": "distinct queries"}


def evaluate(
    model: Encodes | ScoresPairs | Embed,
    data: Dataset | RetrievalSet,
    *,
    name: str | None = None,
    evaluator: str | None = None,
    precision: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: bool = False,
    **options: Any,
) -> Result:
    """Evaluate a model on data; the task follows from the kind of the data.

    Args:
        model: an `Encoder` or anything with `encode` and `prompts` (those called "query" and
            "document" are used where they exist), or a bare `embed(texts, *, role) -> [n, D]`;
            or a `CrossEncoder` or anything with `predict(pairs) -> [n]`.
        data: as `likewise.read` gives it.
        name: of the model, for tables; "model" where None.
        evaluator: a name in `EVALUATORS`, where the kind alone should not decide.
        precision: handed to `encode` or `predict`: "auto", "float32" or "bfloat16".
        resamples: bootstrap draws behind the 95 % intervals.
        seed: of those draws; results to be compared need the same one.
        progress: handed on likewise: show a bar.
        options: the evaluator's own, such as `train`, labelled data to learn from, of
            "classification", or `metrics` of "retrieval".

    Returns:
        Scores with intervals, and how many distinct texts were embedded, or pairs scored, a second.

    Raises:
        InputError: no evaluator takes this kind of data, the evaluator takes no such option, the
            data has nothing to measure, or fewer than ten items.
        LikewiseError: what the model answers is not finite.
    """
    options = {**options, "resamples": resamples, "seed": seed}
    if isinstance(model, ScoresPairs) and not isinstance(model, Encodes):
        chosen = evaluator_for(data, evaluator, scores_pairs=True, options=options)
        _refuse_few_items(data)
        predict = TimedPredict(model, precision=precision, progress=progress)
        result = _function(chosen, scores_pairs=True)(predict, data, **options)
        result = replace(result, pairs_per_second=_speed(predict.pairs, predict.seconds))
    else:
        chosen = evaluator_for(data, evaluator, options=options)
        _refuse_few_items(data)
        embed = TimedEmbed(model, precision=precision, progress=progress)
        result = _function(chosen, scores_pairs=False)(embed, data, **options)
        result = _priced(result, embed, seed)
    return replace(
        result, model=name or "model", evaluator=chosen, model_bytes=_weights_bytes(model)
    )


def _priced(result: Result, embed: TimedEmbed, seed: int) -> Result:
    """With what the vectors cost, and how they lie."""
    vectors = embed.vectors
    return replace(
        result,
        texts_per_second=_speed(embed.texts, embed.seconds),
        tokens_per_second=_speed(embed.tokens or 0, embed.seconds) or None,
        dimensions=vectors.shape[1] or None,
        geometry=measure_geometry(vectors, result.details, seed=seed),
    )


def _weights_bytes(model: object) -> int | None:
    """Of a model of ours, or one that shows its `module` likewise."""
    module: Any = getattr(model, "module", None)
    if not hasattr(module, "state_dict"):
        return None
    return sum(int(tensor.nbytes) for tensor in module.state_dict().values())


def evaluate_baseline(
    data: Dataset | RetrievalSet,
    *,
    evaluator: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    **options: Any,
) -> Result | None:
    """The plain baseline of this kind of data (BM25, TF-IDF, the majority), None if there is none.

    With the same data, resamples and seed it can be compared to a model's result, pair by pair.

    Args:
        data: as for `evaluate`.
        evaluator: likewise; also one that only models of pairs have.
        resamples: likewise.
        seed: likewise.
        options: likewise.

    Raises:
        InputError: as there.
    """
    options = {**options, "resamples": resamples, "seed": seed}
    chosen = evaluator_for(data, evaluator, options=options)
    _refuse_few_items(data)
    baseline = EVALUATORS[chosen].baseline
    if baseline is None:
        return None
    return replace(baseline(data, **options), evaluator=chosen)


def evaluator_for(
    data: Dataset | RetrievalSet,
    evaluator: str | None = None,
    *,
    scores_pairs: bool = False,
    options: Iterable[str] = (),
) -> str:
    """The name in `EVALUATORS` for this data, or the given one if it takes the data's kind.

    Args:
        data: to be measured on.
        evaluator: a name in `EVALUATORS`; None to find one.
        scores_pairs: for a model that scores pairs, and embeds nothing.
        options: names of those that the evaluator is going to be given.

    Raises:
        InputError: there is none, and it says which kinds can be evaluated; or it takes no such
            option.
    """
    chosen = _chosen(data, evaluator, scores_pairs=scores_pairs)
    for option in options:
        if not _takes(EVALUATORS[chosen], option):
            others = [name for name, spec in EVALUATORS.items() if _takes(spec, option)]
            mend = "leave it out"
            if others:
                mend += f", or choose an evaluator that takes it: {', '.join(others)}"
            raise InputError(f'the evaluator "{chosen}" takes no option "{option}"', mend=mend)
    return chosen


def _chosen(data: Dataset | RetrievalSet, evaluator: str | None, *, scores_pairs: bool) -> str:
    if evaluator is not None:
        spec = EVALUATORS.pick(evaluator, what="evaluator")
        if data.kind in spec.kinds:
            return evaluator
        problem = f'the evaluator "{evaluator}" takes no data of kind "{data.kind}"'
        raise InputError(problem, mend=f"give data of kind {' or '.join(spec.kinds)}")
    able = {
        name: spec
        for name, spec in EVALUATORS.items()
        if (spec.pair_function if scores_pairs else spec.function) is not None
    }
    for name, spec in able.items():
        if data.kind in spec.kinds:
            return name
    kinds = ", ".join(sorted({kind for spec in able.values() for kind in spec.kinds}))
    what = "a model that scores pairs" if scores_pairs else "a model that embeds texts"
    problem = f'data of kind "{data.kind}" cannot be evaluated with {what}'
    raise InputError(problem, mend=f"give data of kind {kinds}; or choose another with --kind")


def _takes(spec: EvaluatorSpec, option: str) -> bool:
    """Whether the evaluator's signature, where options are declared, has this one."""
    function = spec.function or spec.pair_function
    return function is not None and any(p.name == option for p in option_parameters(function))


def _refuse_few_items(data: Dataset | RetrievalSet) -> None:
    """Stop before anything is embedded where an interval would say nothing."""
    if isinstance(data, RetrievalSet):
        n = sum(max(grades.values(), default=0) > 0 for grades in data.judgements.values())
        what = "queries with a relevant document"
    elif (first := data.text_roles()[0]) in ASKING:
        n, what = len(set(data.texts(first))), ASKING[first]
    else:
        n, what = len(data), "rows"
    if 0 < n < FEWEST:  # of none each evaluator says why
        problem = f"{n} {what}: an evaluation needs {FEWEST} or more"
        raise InputError(problem, mend="give more of them", where=data.file)


def _function(name: str, *, scores_pairs: bool) -> Callable[..., Result]:
    spec = EVALUATORS[name]
    found = spec.pair_function if scores_pairs else spec.function
    if found is None:
        what = "embeds texts" if scores_pairs else "scores pairs"
        problem = f'the evaluator "{name}" needs a model that {what}'
        raise InputError(problem, mend="give another model, or leave the evaluator out")
    return found


def _speed(n: int, seconds: float) -> float | None:
    return n / seconds if seconds > 0 else None
