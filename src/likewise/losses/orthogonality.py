"""Global orthogonal regularisation: random texts are as far apart as random directions."""

import torch
import torch.nn.functional as F
from torch import Tensor


def orthogonality(
    embeddings: Tensor, *, mean_weight: float = 1.0, second_moment_weight: float = 1.0
) -> Tensor:
    """Spread embeddings over the sphere (Zhang et al. 2017).

    The mean cosine of random directions is 0 and that of its square 1 / D. To be added to a loss;
    the texts should not belong together.

    Args:
        embeddings: [S, D], any float dtype and any length; of texts in one role.
        mean_weight: of the squared mean cosine.
        second_moment_weight: of what the mean squared cosine has above 1 / D.

    Returns:
        [] float32 or wider; 1 + (1 - 1 / D) where all embeddings are equal and the weights 1.

    Raises:
        ValueError: there are no two embeddings, or both weights are zero.

    >>> round(orthogonality(torch.ones(3, 2)).item(), 4)
    1.5
    """
    if len(embeddings) < 2:
        raise ValueError("orthogonality needs two embeddings or more")
    if mean_weight == 0 and second_moment_weight == 0:
        raise ValueError("orthogonality needs a weight that is not zero")
    count, width = embeddings.shape
    wide = torch.promote_types(embeddings.dtype, torch.float32)
    with torch.autocast(embeddings.device.type, enabled=False):
        unit = F.normalize(embeddings.to(wide), dim=-1)
        cosines = (unit @ unit.T).masked_fill(
            torch.eye(count, dtype=torch.bool, device=unit.device), 0.0
        )
        pairs = count * (count - 1)
        mean = (cosines.sum() / pairs).square()
        spread = F.relu(cosines.square().sum() / pairs - 1 / width)
        return mean_weight * mean + second_moment_weight * spread
