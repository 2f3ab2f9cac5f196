"""A tokenizer trained on texts: byte-level BPE, to which no script and no sign is unknown."""

from collections.abc import Iterable

from tokenizers import Regex, normalizers, pre_tokenizers
from tokenizers import Tokenizer as RustTokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

MOST_TOKENS = 30_522  # as many as BERT has
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")  # at 0 to 4
# What is learnt stays within one of these: an ideograph, as in BERT, since no spaces part them;
# letters with their marks, without which most words of India and Tibet would be torn, and with the
# joiners of Persian; digits; other signs. The space before them is theirs.
CUTS = (
    r" ?\p{Han}| ?(?:(?!\p{Han})[\p{L}\p{M}\u200c\u200d])+| ?\p{N}+"
    r"| ?[^ \p{L}\p{M}\p{N}\u200c\u200d]+| "
)


def train_tokenizer(
    texts: Iterable[str], *, most_tokens: int = MOST_TOKENS, lower_case: bool = False
) -> RustTokenizer:
    """Learn a vocabulary: pairs of pieces that stand together often become one (Sennrich 2016).

    The pieces are bytes at first (Radford et al. 2019), so that any text of any language can be
    spelt. The same texts give the same tokenizer, whatever their order.

    Args:
        texts: read once; each string of letters is kept once, with how often it stands there.
        most_tokens: of the vocabulary, 261 at least: the bytes and the special tokens.
        lower_case: lower the texts first.

    Raises:
        ValueError: too few tokens.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if most_tokens < len(alphabet) + len(SPECIAL):
        raise ValueError(f"a vocabulary needs {len(alphabet) + len(SPECIAL)} tokens at least")
    tokenizer = RustTokenizer(BPE())
    lowering = [normalizers.Lowercase()] if lower_case else []
    one_space = [normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    first_too = normalizers.Prepend(" ")  # so that a word is the same wherever it stands
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), *lowering, *one_space, first_too]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(CUTS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=most_tokens,
        min_frequency=2,
        special_tokens=list(SPECIAL),
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    ids = [(name, i) for i, name in enumerate(SPECIAL) if name in {"[CLS]", "[SEP]"}]
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids
    )
    return tokenizer
