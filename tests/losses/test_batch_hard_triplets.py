import math

import pytest
import torch
from sentence_transformers.sentence_transformer.losses import BatchHardTripletLoss

from likewise.losses import batch_hard

LINE = torch.tensor([[0.0], [1.0], [4.0], [6.0], [9.0]])  # embeddings of one dimension
OF_LINE = torch.tensor([0, 0, 0, 1, 1])


def test_each_row_takes_its_hardest_triplet():
    """Farthest positive 4, 3, 4, 3, 3 and nearest negative 6, 5, 2, 2, 5 along the line."""
    costs = [max(0, gap + 1) for gap in (4 - 6, 3 - 5, 4 - 2, 3 - 2, 3 - 5)]
    assert batch_hard(LINE, OF_LINE, margin=1.0).item() == pytest.approx(sum(costs) / 5)


def test_where_the_peer_is_the_margin_alone_labels_are_refused(
    embeddings_only, peer_loss, draw_embeddings
):
    """One label only: the peer takes the farthest positive for the negative too."""
    rows, target = draw_embeddings(5), torch.zeros(5).long()
    assert math.isclose(peer_loss(BatchHardTripletLoss(embeddings_only), rows, target).item(), 5.0)
    with pytest.raises(ValueError, match="batch_hard needs a label with two rows"):
        batch_hard(*rows, target)
