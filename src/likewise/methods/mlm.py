"""MLM: words are hidden, and guessed from what stands around them."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from likewise.data.dataset import Dataset
from likewise.data.splits import split
from likewise.errors import InputError
from likewise.methods.plain_texts import distinct_texts
from likewise.models.architectures.mlm_heads import MlmHead
from likewise.models.checkpoint_weights import fingerprint_weights
from likewise.models.device import choose_hardware
from likewise.models.encoder import Encoder
from likewise.models.folder.tokenizer_files import parse_tokenizer, unknown_id
from likewise.models.mlm_head import HEAD_FILE, family_of, find_head, load_head, with_head
from likewise.text.masking import Vocabulary, read_vocabulary
from likewise.training.examples import prompt_of
from likewise.training.fit import Fit
from likewise.training.masked_batch import (
    Guesses,
    Masking,
    count_rows,
    embed_marked,
    masked_feed,
    masked_loss,
    measure_guesses,
)
from likewise.training.objective import Objective
from likewise.training.seeding import child_seed
from likewise.training.text_rows import ROLE, TextRows, tokenise_texts
from likewise.training.wrappers import wrap

SHARE_HELD_OUT: Final = 0.05  # at the most
FEWEST_TEXTS: Final = 100  # below this, a part held out shows nothing
FEWEST_PIECES: Final = 2  # of one alone nothing stands around it
MANY_UNKNOWN: Final = 0.1  # of all tokens
OWN_VOCABULARY: Final = (
    "start from nothing with a vocabulary of your texts: --base scratch:small:own"
)


def train_mlm(
    fit: Fit[Any],
    data: Dataset,
    *,
    probability: Annotated[float, Field(gt=0, lt=1)] = 0.15,
    whole_words: bool = True,
    held_out: Annotated[int, Field(ge=0)] = 500,
) -> None:
    """Train on plain texts by hiding words and guessing them (Devlin et al. 2019, section 3.1).

    1. Of each text 15 % of the tokens are chosen, other ones every time. 2. Of these, 80 % are
    hidden, 10 % become another token, 10 % stay. 3. From the states of the chosen tokens a head
    guesses what stood there. The head is the checkpoint's own where it has one, and is saved
    beside the model, so that another run can go on.

    What comes of it knows the language of the texts, and is a base for a method that makes it
    embed them; by itself it is no better at that.

    Args:
        fit: the encoder, and how to train it.
        data: any texts; of other data the texts of all columns.
        probability: share of a text's tokens that is to be guessed.
        whole_words: hide all pieces of a word together, so that none gives the others away.
        held_out: texts kept out of training, a twentieth at the most, to see how many of their
            hidden tokens are guessed before and after; 0 for none.

    Raises:
        InputError: the base is static, or of a family without such a head, or its vocabulary has
            no mask token; no text has two tokens that could be hidden.
    """
    encoder: Encoder = fit.encoder
    family_of(encoder.contents)
    masking = _masking(encoder, probability, whole_words)
    texts, measured = _hold_out(fit, distinct_texts(fit, data), held_out)
    rows = tokenise_texts(encoder, texts, max_tokens=fit.options.max_tokens)
    used = _worth_training(fit, rows, masking)
    head = _head(fit)
    dtype = choose_hardware(encoder.device, fit.options.precision).dtype
    objective = Objective(
        loss=masked_loss(encoder, head, dtype),
        feed=masked_feed(rows, used, masking),
        head=head,
        embed=embed_marked,
        nests=False,
    )
    wrap(objective, fit.options, encoder)  # refuses what goes around vectors alone
    fit.begin()
    progress = _Progress(fit=fit, head=head, masking=masking, texts=measured)
    before = progress.measure()
    progress.keep_with_best()
    fit(texts, objective)
    progress.go_back()
    progress.tell(before)
    body = fingerprint_weights(encoder.backbone.state_dict())
    encoder.contents = with_head(encoder.contents, head, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    """What a run's encoder and head have learnt, and that the two stay together.

    Attributes:
        fit: of the encoder.
        head: trained with it.
        masking: how texts are hidden.
        texts: held out; None without.
    """

    fit: Fit[Any]
    head: MlmHead
    masking: Masking
    texts: Dataset | None

    def measure(self) -> Guesses | None:
        """How well the tokens of the held-out texts are guessed now."""
        if self.texts is None:
            return None
        options, encoder = self.fit.options, self.fit.encoder
        return measure_guesses(
            encoder,
            self.head,
            tokenise_texts(encoder, self.texts, max_tokens=options.max_tokens),
            self.masking,
            seed=options.seed,
            dtype=choose_hardware(encoder.device, options.precision).dtype,
        )

    def tell(self, before: Guesses | None) -> None:
        """Say what was learnt."""
        after = self.measure()
        if self.texts is None or before is None or after is None:
            return
        told = f"{len(self.texts):,} held-out texts, {after.tokens:,} tokens to guess"
        self.fit.note(f"{told}: {before} before training; {after} after it")

    def keep_with_best(self) -> None:
        """Save the head with each encoder that is put aside as the best so far."""
        evaluate = self.fit.evaluate
        if evaluate is None:
            return

        def measure(encoder: Encoder) -> Any:
            encoder.contents = with_head(encoder.contents, self.head)
            return evaluate(encoder)

        self.fit.evaluate = measure

    def go_back(self) -> None:
        """Where the loop went back to the best encoder, take the head that belongs to it."""
        at, best = self.fit.progress, self.fit.folder / "best"
        if at is None or self.fit.options.keep != "best" or at.best_step in {None, at.step}:
            return
        if (best / HEAD_FILE).is_file():
            load_head(self.head, self.fit.encoder.contents, best)
            self.fit.note(f"the head too is that of step {at.best_step:,}, as the encoder is")


def _masking(encoder: Encoder, probability: float, whole_words: bool) -> Masking:
    """How the texts will be hidden.

    Raises:
        InputError: the vocabulary has no mask token.
    """
    files = encoder.contents.files
    vocabulary: Vocabulary | None = read_vocabulary(
        parse_tokenizer(files, where="the model"), unknown_id(files, where="the model")
    )
    if vocabulary is None:
        problem = "the vocabulary of this model has no token that hides another, such as [MASK]"
        mend = f"take another base, or {OWN_VOCABULARY}; or use --method tsdae"
        raise InputError(problem, mend=mend)
    prompt = prompt_of(encoder, ROLE, "texts")
    front = encoder.tokenizer.tokenize([""], prompt=prompt).prompt_tokens
    return Masking(
        vocabulary=vocabulary, probability=probability, whole_words=whole_words, front=front
    )


def _hold_out(fit: Fit[Any], texts: Dataset, wanted: int) -> tuple[Dataset, Dataset | None]:
    """Texts to train on, and texts to measure on that share none with them."""
    if wanted == 0:
        return texts, None
    if len(texts) < FEWEST_TEXTS:
        fit.note(f"{len(texts):,} texts are too few to hold some out and see what was learnt")
        return texts, None
    share = min(SHARE_HELD_OUT, wanted / len(texts))
    try:
        return split(texts, fraction=share, seed=child_seed(fit.options.seed, "held-out"))
    except InputError as error:
        fit.note(f"no texts could be held out to see what was learnt: {error.problem}")
        return texts, None


def _worth_training(fit: Fit[Any], rows: TextRows, masking: Masking) -> NDArray[np.int64]:
    """The texts of two pieces or more that could be hidden; the others are counted.

    Raises:
        InputError: there is none.
    """
    counts = count_rows(rows, masking)
    used = np.flatnonzero(counts.pieces >= FEWEST_PIECES)
    unknown = counts.unknown / len(rows.tokens)
    told = f"{unknown:.0%} of the tokens are unknown to the vocabulary of this model"
    if not len(used):
        problem = f"none of {len(rows):,} texts has two tokens, one to hide and one to guess it by"
        is_foreign = unknown > MANY_UNKNOWN
        raise InputError(
            f"{problem}: {told}" if is_foreign else problem,
            mend=OWN_VOCABULARY if is_foreign else "give whole sentences",
            where=rows.data.file,
        )
    if unknown > MANY_UNKNOWN:
        fit.note(f"{told}: they are never guessed. To mend it, {OWN_VOCABULARY}")
    if len(used) < len(rows):
        left = len(rows) - len(used)
        fit.note(f"texts without two tokens that could be hidden are left out: {left:,}")
    return used


def _head(fit: Fit[Any]) -> MlmHead:
    """The model's own head, or a new one; says which."""
    encoder: Encoder = fit.encoder
    found = find_head(encoder.contents, seed=child_seed(fit.options.seed, "mlm head"))
    if found.is_fresh:
        fit.note("the base has no masked-language head: a new one is trained with it")
    elif found.body in {None, fingerprint_weights(encoder.backbone.state_dict())}:
        fit.note("the base brings its masked-language head, and training goes on with it")
    else:
        fit.note(
            "the base brings a masked-language head, but was itself trained on since: training "
            "starts with the head as it was"
        )
    return found.head.to(encoder.device)
