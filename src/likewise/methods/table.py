"""The methods by name; for each kind of data, `auto` takes the first that suits it."""

from likewise.losses import LOSSES
from likewise.methods.any_loss import method_of
from likewise.methods.augmented import share_of_gold, train_augmented
from likewise.methods.contrastive_tension import train_contrastive_tension
from likewise.methods.conversions import with_convertible
from likewise.methods.cosine import train_cosine
from likewise.methods.cross_encoder import train_cross_encoder
from likewise.methods.distillation import train_distillation
from likewise.methods.gpl import train_gpl
from likewise.methods.mlm import train_mlm
from likewise.methods.mnr import train_mnr
from likewise.methods.simcse import learns_from_pairs, train_simcse
from likewise.methods.softmax import train_softmax
from likewise.methods.spec import MethodSpec
from likewise.methods.tsdae import train_tsdae
from likewise.methods.word2vec import USUAL as WORD2VEC_USUAL
from likewise.methods.word2vec import train_word2vec
from likewise.registry import Table

# every loss that is not here is a method too, by its own name
METHODS: Table[MethodSpec] = Table(
    "likewise.methods",
    {
        "mnr": MethodSpec(
            function=train_mnr,
            kinds=with_convertible(("pairs",)),
            summary="pairs that belong together; other rows of the batch are the negatives",
            contrastive=True,
        ),
        "cosine": MethodSpec(
            function=train_cosine,
            kinds=with_convertible(("scored",)),
            summary="pairs with a score; NLI labels count as scores",
        ),
        "softmax": MethodSpec(
            function=train_softmax,
            kinds=("nli", "pair-labels"),
            summary="NLI labels through a classifier; the oldest recipe, for comparison",
        ),
        "augmented": MethodSpec(
            function=train_augmented,
            kinds=("scored", "pair-labels", "nli", "pairs", "labelled", "texts"),
            summary="few labels: a cross-encoder learns them and labels more pairs",
            labelled_share=share_of_gold,
        ),
        "distillation": MethodSpec(
            function=train_distillation,
            kinds=with_convertible(("distilled", "pairs", "texts")),
            summary="a better or larger model teaches: by its vectors, or by its scores",
        ),
        "cross-encoder": MethodSpec(
            function=train_cross_encoder,
            kinds=("scored", "pair-labels", "nli", "pairs", "reranking"),
            summary="a model that scores pairs: slower and more accurate; reranks and labels",
            makes="cross-encoder",
        ),
        "simcse": MethodSpec(
            function=train_simcse,
            kinds=with_convertible(("texts",)),
            summary="plain texts: two views of each, by dropout or crops; or pairs themselves",
            contrastive=True,
            labelled_share=learns_from_pairs,
        ),
        "contrastive-tension": MethodSpec(
            function=train_contrastive_tension,
            kinds=with_convertible(("texts",)),
            summary="plain texts: two encoders agree on each text and disagree on any two",
            contrastive=True,
        ),
        "tsdae": MethodSpec(
            function=train_tsdae,
            kinds=with_convertible(("texts",)),
            summary="plain texts: words are taken away and written back from the vector",
        ),
        "mlm": MethodSpec(
            function=train_mlm,
            kinds=with_convertible(("texts",)),
            summary="plain texts: words are hidden and guessed; makes a base for other methods",
            training={"keep": "last"},
        ),
        "word2vec": MethodSpec(
            function=train_word2vec,
            kinds=with_convertible(("texts",)),
            summary="plain texts: a vector a word, from the words around it; the fastest model",
            from_nothing=True,
            training=WORD2VEC_USUAL,
        ),
        "gpl": MethodSpec(
            function=train_gpl,
            kinds=with_convertible(("texts",)),
            summary="a corpus to be searched: queries are made for it, a cross-encoder labels them",
        ),
    },
    derived=(LOSSES, method_of),
)
