"""Which method to try first on which data, and what that rests on: one table.

Figures are those of the papers, on bases that were not yet trained to embed: a model like MiniLM,
which was, may lose by what helps them. Every run measures its base, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Length: TypeAlias = Literal["phrases", "sentences", "passages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One method for one sort of data.

    Attributes:
        method: a name in `METHODS`.
        reason: why here, with its source where there is one.
        needs: what the data alone does not bring; empty where nothing is missing.
        options: of the command line, that go with it.
    """

    method: str
    reason: str
    needs: str = ""
    options: str = ""


# what a choice may need
TEACHER = "a cross-encoder, by --set teacher=FOLDER"
STAGE = "labelled data to train on after it, in a recipe with [[stages]]"

# by kind of data, the best first
LABELLED: Final[Mapping[str, tuple[Choice, ...]]] = MappingProxyType(
    {
        "pairs": (
            Choice(method="mnr", reason="the answers to all other rows of a batch are negatives"),
        ),
        "nli": (
            Choice(
                method="mnr",
                reason="of a BERT on NLI rows 0.80 on STS-B, cosine 0.72, softmax 0.59",
            ),
        ),
        "scored": (Choice(method="cosine", reason="the cosine learns what people scored"),),
        "pair-labels": (
            Choice(
                method="online-contrastive",
                reason="learns from the hard pairs of each batch: on MRPC an average precision of "
                "0.928, contrastive 0.926, cosent 0.924",
            ),
        ),
        "reranking": (
            Choice(method="mnr", reason="documents judged wrong are hard negatives of their query"),
        ),
        "labelled": (
            Choice(
                method="mnr",
                reason="rows of one label become pairs, others negatives: on topics of questions "
                "a precision@10 of 0.871, batch-hard-soft 0.864",
            ),
        ),
        "distilled": (Choice(method="distillation", reason="a teacher's scores are there"),),
    }
)

# of plain texts, by their length. Sentences: a BERT adapted to the domain and then trained on
# labelled pairs, average of four tasks, 52.3 without (TSDAE: Wang et al. 2021, and the domain
# adaptation table of sentence-transformers). Passages: nDCG@10, average of six corpora, 45.2
# without (GPL: Wang et al. 2022).
TEXTS: Final[Mapping[Length, tuple[Choice, ...]]] = MappingProxyType(
    {
        "phrases": (
            Choice(
                method="simcse",
                reason="reads each text whole; of so few words TSDAE would leave nothing",
            ),
            Choice(method="contrastive-tension", reason="reads each text whole too"),
            Choice(method="word2vec", reason="a fast baseline, though little stands around a word"),
        ),
        "sentences": (
            Choice(
                method="tsdae",
                reason="adapts best of four methods: 56.5 on average over four tasks, 52.3 without",
            ),
            Choice(method="contrastive-tension", reason="53.0 on the same tasks"),
            Choice(method="simcse", reason="52.4 on the same tasks; the fastest of these"),
            Choice(method="word2vec", reason="a baseline without a transformer: seconds to train"),
            Choice(method="mlm", reason="55.9 on the same tasks, as a first stage", needs=STAGE),
            Choice(method="gpl", reason="for search, and made for passages", needs=TEACHER),
        ),
        "passages": (
            Choice(
                method="gpl",
                reason="adapts search best: nDCG@10 51.4 on average over six corpora, 52.4 after "
                "TSDAE, 45.2 without",
                needs=TEACHER,
            ),
            Choice(method="tsdae", reason="49.2 on the same corpora, before labelled pairs"),
            Choice(
                method="simcse",
                reason="45.0 on the same corpora by dropout, no gain; two stretches of a passage "
                "are better views",
                options="--set views=crop",
            ),
            Choice(method="contrastive-tension", reason="44.0 on the same corpora, a loss"),
            Choice(method="word2vec", reason="a baseline without a transformer"),
            Choice(method="mlm", reason="46.7 on the same corpora, as a first stage", needs=STAGE),
        ),
    }
)
