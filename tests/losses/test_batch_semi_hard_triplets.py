import math

import pytest
import torch

from likewise.losses import batch_semi_hard

LINE = torch.tensor([[0.0], [1.0], [4.0], [6.0], [9.0]])  # embeddings of one dimension
OF_LINE = torch.tensor([0, 0, 0, 1, 1])


def semi_hard_gaps():
    """Of each pair of a label on the line: to the nearest negative beyond, or the farthest."""
    x, label = LINE.flatten().tolist(), OF_LINE.tolist()
    gaps = []
    for a in range(len(x)):
        far = [abs(x[a] - x[n]) for n in range(len(x)) if label[n] != label[a]]
        for p in range(len(x)):
            if p != a and label[p] == label[a]:
                near = abs(x[a] - x[p])
                gaps.append(near - min((d for d in far if d > near), default=max(far)))
    return gaps


def test_each_pair_takes_the_nearest_negative_that_is_farther():
    gaps = semi_hard_gaps()
    loss = batch_semi_hard(LINE, OF_LINE, margin=1.0).item()
    assert loss == pytest.approx(sum(max(0, gap + 1) for gap in gaps) / len(gaps))


def test_a_soft_margin_never_stops_pulling():
    costs = [math.log1p(math.exp(gap)) for gap in semi_hard_gaps()]
    loss = batch_semi_hard(LINE, OF_LINE, soft_margin=True).item()
    assert loss == pytest.approx(sum(costs) / len(costs))


def test_a_negative_as_far_as_the_positive_is_not_beyond_it():
    line = torch.tensor([[0.0], [2.0], [-2.0], [-5.0]])
    labels = torch.tensor([0, 0, 1, 2])
    # from 0 to 2: of the negatives at 2 and 5, the one at 5; from 2 to 0: at 4 and 7, the one at 4
    loss = batch_semi_hard(line, labels, margin=4.0).item()
    assert loss == pytest.approx(((2 - 5 + 4) + (2 - 4 + 4)) / 2)
