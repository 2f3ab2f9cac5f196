"""MethodSpec: a way of making a model, and the data that it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Makes: TypeAlias = Literal["encoder", "cross-encoder"]
# of a kind of data and the method's options: the share of the rows whose labels are learned from
LabelledShare: TypeAlias = Callable[[str, Mapping[str, Any]], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSpec:
    """One entry of `METHODS`.

    Attributes:
        function: `train_x(fit, data, *, options)`; options are keyword-only.
        kinds: kinds of data that it takes, the one it suits best first.
        summary: one line on when to use it.
        makes: what comes of it: a model that embeds texts, or one that scores pairs of them.
        contrastive: other rows are the negatives, so that a batch needs two rows at least.
        from_nothing: the method makes a model of its own, and hands it over in `fit.encoder`; the
            base model is only measured.
        labelled_share: share of the rows whose labels, scores or pairs it learns from; None for
            all, or for none where it is made for plain texts.
        training: training options whose usual value is another one for this method.
    """

    function: Callable[..., None]
    kinds: tuple[str, ...]
    summary: str
    makes: Makes = "encoder"
    contrastive: bool = False
    from_nothing: bool = False
    labelled_share: LabelledShare | None = None
    training: Mapping[str, Any] = field(default_factory=dict)

    def labels_of(self, kind: str, options: Mapping[str, Any], rows: int) -> int:
        """Labels, scores or pairs that it learns from.

        Args:
            kind: of the data.
            options: of the method, those that were given.
            rows: of the data.
        """
        if kind == "texts":
            return 0
        if self.labelled_share is not None:
            return round(self.labelled_share(kind, options) * rows)
        return 0 if self.kinds[0] == "texts" else rows
