"""From vectors to scores with intervals, paired comparisons and a verdict."""

from likewise.evaluation.comparison import compare, conclude
from likewise.evaluation.differences import verdict
from likewise.evaluation.evaluators import EVALUATORS, evaluate, evaluate_baseline
from likewise.evaluation.result import Evaluation, Result, Score
from likewise.evaluation.schema import from_json, read_evaluation, to_json, write_evaluation
from likewise.evaluation.spec import EvaluatorSpec

__all__ = [
    "EVALUATORS",
    "Evaluation",
    "EvaluatorSpec",
    "Result",
    "Score",
    "compare",
    "conclude",
    "evaluate",
    "evaluate_baseline",
    "from_json",
    "read_evaluation",
    "to_json",
    "verdict",
    "write_evaluation",
]
