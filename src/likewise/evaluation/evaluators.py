"""The table of evaluators, and the evaluation of a model by the kind of the data."""

from dataclasses import replace

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import InputError
from likewise.evaluation.baselines import evaluate_bm25, evaluate_bm25_pairs, evaluate_tfidf
from likewise.evaluation.pairs import evaluate_pairs
from likewise.evaluation.result import Result
from likewise.evaluation.retrieval import evaluate_retrieval
from likewise.evaluation.similarity import evaluate_similarity
from likewise.evaluation.spec import EvaluatorSpec
from likewise.evaluation.statistics import RESAMPLES
from likewise.mining.vectors import Embed, Encodes, TimedEmbed
from likewise.registry import Table

EVALUATORS: Table[EvaluatorSpec] = Table(
    "likewise.evaluators",
    {
        "similarity": EvaluatorSpec(
            function=evaluate_similarity, kinds=("scored",), baseline=evaluate_tfidf
        ),
        "retrieval": EvaluatorSpec(
            function=evaluate_retrieval,
            kinds=("retrieval",),
            baseline=evaluate_bm25,
            baseline_shown=True,
        ),
        "pairs": EvaluatorSpec(
            function=evaluate_pairs,
            kinds=("pairs",),
            baseline=evaluate_bm25_pairs,
            baseline_shown=True,
        ),
    },
)


def evaluate(
    model: Encodes | Embed,
    data: Dataset | RetrievalSet,
    *,
    name: str | None = None,
    evaluator: str | None = None,
    precision: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: bool = False,
) -> Result:
    """Evaluate a model on data; the task follows from the kind of the data.

    Args:
        model: an `Encoder` or anything with `encode` and `prompts` (those called "query" and
            "document" are used where they exist), or a bare `embed(texts, *, role) -> [n, D]`.
        data: as `likewise.read` gives it.
        name: of the model, for tables; "model" where None.
        evaluator: a name in `EVALUATORS`, where the kind alone should not decide.
        precision: handed to `encode`: "auto", "float32" or "bfloat16".
        resamples: bootstrap draws behind the 95 % intervals.
        seed: of those draws; results to be compared need the same one.
        progress: handed to `encode`: show a bar.

    Returns:
        Scores with intervals, and how many distinct texts were embedded a second.

    Raises:
        InputError: no evaluator takes this kind of data, or the data has nothing to measure.
        LikewiseError: the model's vectors are not finite.
    """
    chosen = evaluator_for(data, evaluator)
    embed = TimedEmbed(model, precision=precision, progress=progress)
    result = EVALUATORS[chosen].function(embed, data, resamples=resamples, seed=seed)
    speed = embed.texts / embed.seconds if embed.seconds > 0 else None
    return replace(result, model=name or "model", evaluator=chosen, texts_per_second=speed)


def evaluate_baseline(
    data: Dataset | RetrievalSet,
    *,
    evaluator: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result | None:
    """The plain baseline of this kind of data (BM25, TF-IDF), None where there is none.

    With the same data, resamples and seed it can be compared to a model's result, pair by pair.
    """
    chosen = evaluator_for(data, evaluator)
    baseline = EVALUATORS[chosen].baseline
    if baseline is None:
        return None
    return replace(baseline(data, resamples=resamples, seed=seed), evaluator=chosen)


def evaluator_for(data: Dataset | RetrievalSet, evaluator: str | None = None) -> str:
    """The name in `EVALUATORS` for this data, or the given one if it takes the data's kind.

    Raises:
        InputError: there is none; says which kinds can be evaluated.
    """
    kinds = {kind for spec in EVALUATORS.values() for kind in spec.kinds}
    if evaluator is not None:
        spec = EVALUATORS.pick(evaluator, what="evaluator")
        if data.kind in spec.kinds:
            return evaluator
        problem = f'the evaluator "{evaluator}" takes no data of kind "{data.kind}"'
        raise InputError(problem, mend=f"give data of kind {' or '.join(spec.kinds)}")
    for name, spec in EVALUATORS.items():
        if data.kind in spec.kinds:
            return name
    problem = f'data of kind "{data.kind}" cannot be evaluated'
    mend = f"give data of kind {', '.join(sorted(kinds))}; or choose another kind with --kind"
    raise InputError(problem, mend=mend)
