"""SimCSE: two views of a text belong together, and the other texts of the batch apart."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.losses import LOSSES
from likewise.losses.weighted_negatives import weighted_mnr
from likewise.methods.conversions import as_kind
from likewise.methods.plain_texts import distinct_texts
from likewise.methods.pooling_choice import Choice, choose_pooling
from likewise.methods.refusals import refuse_unfit
from likewise.registry import Positive
from likewise.training.batch import Batch
from likewise.training.crops import Shares, count_single_words
from likewise.training.dropout import highest_dropout
from likewise.training.feed import FeedOf
from likewise.training.fit import Fit
from likewise.training.objective import Objective, objective_of
from likewise.training.seeding import child_seed, torch_seed
from likewise.training.text_views import crop_feed, twice_feed

Views: TypeAlias = Literal["auto", "dropout", "crop"]
PAIRED = frozenset({"pairs", "nli"})
INITIAL_STD = 0.02  # of a new layer, as in BERT


def train_simcse(
    fit: Fit[Any],
    data: Dataset,
    *,
    views: Views = "auto",
    scale: Positive = 20.0,
    pooling: Choice = "model",
    mlp: bool = False,
    min_share: Annotated[float, Field(gt=0, le=1)] = 0.3,
    negative_weight: Positive = 1.0,
) -> None:
    """Train on two views of each text (Gao et al. 2021), or on pairs as its supervised variant.

    A text goes through the encoder twice, with two masks of dropout; it finds its other view among
    those of the batch. Near-duplicates are no negatives of one another.

    Args:
        fit: the encoder, and how to train it.
        data: any texts; or pairs or NLI rows, whose pairs are the views.
        views: "dropout": all texts of the data, each twice; "crop": two random stretches of each
            (Izacard et al. 2022), which need no dropout. "auto": the data's own pairs where it
            has any, with its negatives (of NLI rows the contradictions), as the method mnr does;
            else "dropout".
        scale: inverse temperature of the cosines; the paper's is 20.
        pooling: "model" leaves it as it is, "cls" is the paper's, for a base that was not yet
            trained to embed; the model keeps what is chosen.
        mlp: of texts, put a dense layer with tanh behind the vectors, which is trained with them
            and then dropped: the paper's choice without labels, for a bare BERT.
        min_share: the least share of its words that a crop keeps; the most is 1 - min_share, or
            min_share itself from a half on.
        negative_weight: of pairs, how often an anchor's own negatives count (equation 8).

    Raises:
        InputError: dropout is 0, so that both views are equal; all texts are the same; numbers out
            of range; a choice that does not go with the model or the data.
    """
    shares = Shares(least=min_share, most=max(1 - min_share, min_share))
    if learns_from_pairs(data.kind, {"views": views}):
        choose_pooling(fit, pooling)
        return _train_pairs(fit, data, scale=scale, weight=negative_weight)
    if negative_weight != 1.0:
        problem = "negative_weight is about pairs with negatives, and texts have none"
        raise InputError(problem, mend="leave out negative_weight")
    texts = distinct_texts(fit, data)
    feed = _crops(fit, texts, shares) if views == "crop" else _twice(fit)
    if mlp and fit.options.matryoshka:
        problem = "matryoshka does not go with a dense layer behind the vectors"
        raise InputError(problem, mend="--set mlp=false, or leave out --matryoshka")
    choose_pooling(fit, pooling)
    head = _dense(fit) if mlp else None
    return fit(texts, simcse_objective(feed, scale=scale, head=head))


def simcse_objective(feed: FeedOf, *, scale: float, head: nn.Module | None = None) -> Objective:
    """InfoNCE between two views of each text.

    Args:
        feed: of views, as `twice_feed` and `crop_feed` make it.
        scale: inverse temperature.
        head: put behind the vectors while training.
    """
    contrast = objective_of(LOSSES["mnr"], scale=scale)

    def loss(embeddings: Tensor, batch: Batch) -> Tensor:
        return contrast.loss(embeddings if head is None else head(embeddings), batch)

    return replace(contrast, loss=loss, feed=feed, head=head)


def _twice(fit: Fit[Any]) -> FeedOf:
    if highest_dropout(fit.encoder.module, fit.options.dropout) > 0:
        return twice_feed()
    own = highest_dropout(fit.encoder.module, 0.1)
    problem = "dropout is 0, so that both views of a text would be equal"
    mend = "use --dropout 0.1, or crops: --set views=crop" if own else "crops: --set views=crop"
    raise InputError(problem, mend=mend)


def _crops(fit: Fit[Any], texts: Dataset, shares: Shares) -> FeedOf:
    drops = highest_dropout(fit.encoder.module, fit.options.dropout) > 0
    if shares.least == 1 and not drops:
        problem = "min_share is 1 and dropout 0, so that both crops of a text would be equal"
        raise InputError(problem, mend="--set min_share=0.3 is usual")
    whole = count_single_words(texts)
    if whole == len(texts) and not drops:
        problem = f"all {whole:,} texts are one word, so that both crops of each would be equal"
        raise InputError(problem, mend="give longer texts", where=texts.file)
    if whole:
        fit.note(f"texts of one word have nothing to crop, both views are the word: {whole:,}")
    return crop_feed(shares)


def _dense(fit: Fit[Any]) -> nn.Module:
    """The layer that the paper trains behind the vectors and then drops."""
    width = fit.encoder.dimensions
    with torch_seed(child_seed(fit.options.seed, "mlp")):
        layer = nn.Linear(width, width)
        nn.init.normal_(layer.weight, std=INITIAL_STD)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, nn.Tanh())


def learns_from_pairs(kind: str, options: Mapping[str, Any]) -> bool:
    """Whether the data's own pairs are the views."""
    return kind in PAIRED and options.get("views", "auto") == "auto"


def _train_pairs(fit: Fit[Any], data: Dataset, *, scale: float, weight: float) -> None:
    """SimCSE's supervised variant: entailments as positives, contradictions as hard negatives."""
    pairs = refuse_unfit(
        fit, as_kind(fit, data, LOSSES["mnr"].kinds), LOSSES["mnr"], method="simcse"
    )
    objective = objective_of(LOSSES["mnr"], scale=scale)
    fit.note(
        "the data has pairs: trained as SimCSE's supervised variant, which is mnr with the "
        "negatives of the data; --set views=dropout takes the texts alone"
    )
    if weight == 1.0:
        return fit(pairs, objective)
    if "negative" not in pairs.roles or not any(pairs.text_lists("negative")):
        problem = "negative_weight is about pairs with negatives, and no row has any"
        raise InputError(problem, mend="leave out negative_weight, or fill in the column negative")
    counts = {
        role: np.array([len(texts) for texts in pairs.text_lists(role)])
        for role in ("positive", "negative")
    }
    return fit(pairs, _weighted(objective, counts, scale=scale, weight=weight))


def _weighted(
    objective: Objective, counts: dict[str, NDArray[np.int64]], *, scale: float, weight: float
) -> Objective:
    def loss(embeddings: Tensor, batch: Batch) -> Tensor:
        if "negative" not in batch.picks or batch.tells_nothing_apart:
            return objective.loss(embeddings, batch)
        rows = np.arange(len(batch.rows))
        anchors, negatives = (
            torch.from_numpy(np.repeat(rows, counts[role][batch.rows])).to(embeddings.device)
            for role in ("positive", "negative")
        )
        own = anchors[:, None] == negatives[None, :]  # [B, N]
        a, p, n = (embeddings[batch.picks[role]] for role in ("anchor", "positive", "negative"))
        return weighted_mnr(a, p, n, batch.collides, own, scale=scale, weight=weight)

    return replace(objective, loss=loss)
