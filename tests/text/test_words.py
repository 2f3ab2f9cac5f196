import numpy as np
import pytest
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE, Unigram, WordLevel, WordPiece
from tokenizers.processors import TemplateProcessing

from likewise.text.noise import find_words
from likewise.text.words import Pieces, read_pieces

SPECIAL = ["<s>", "</s>", "<unk>", "<mask>"]


def finish(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in SPECIAL[:2]],
    )
    return tokenizer


def word_piece(*pieces: str) -> Tokenizer:
    vocabulary = {piece: i for i, piece in enumerate([*SPECIAL, *pieces])}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return finish(tokenizer)


def unigram(*pieces: str) -> Tokenizer:
    scored = [(name, 0.0) for name in SPECIAL] + [
        (piece, -float(len(piece) < 2)) for piece in pieces
    ]
    tokenizer = Tokenizer(Unigram(scored, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return finish(tokenizer)


def byte_level(*words: str) -> Tokenizer:
    """Byte-level BPE trained on these words, so that each is one piece where it stands alone."""
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(words, trainer)
    return finish(tokenizer)


def older_bpe(*pieces: str) -> Tokenizer:
    vocabulary = {piece: i for i, piece in enumerate([*SPECIAL, *pieces])}
    return finish(Tokenizer(BPE(vocabulary, [], unk_token="<unk>", end_of_word_suffix="</w>")))


def words_of(tokenizer: Tokenizer, text: str) -> list[str]:
    """The text cut where `find_words` sees words, special tokens left out."""
    encoding = tokenizer.encode(text)
    ids = np.array(encoding.ids, dtype=np.int64)
    found = find_words(ids, np.array([0, len(ids)]), read_pieces(tokenizer)).words
    spans: dict[int, list[tuple[int, int]]] = {}
    for word, span in zip(found.tolist(), encoding.offsets, strict=True):
        spans.setdefault(word, []).append(span)
    return [text[s[0][0] : s[-1][1]].strip() for word, s in sorted(spans.items()) if word >= 0]


def test_pieces_of_wordpiece_that_go_on_belong_to_the_word_before():
    tokenizer = word_piece("token", "##isation", "##s", ",", "go", "on")
    assert words_of(tokenizer, "tokenisations , go on") == ["tokenisations", ",", "go", "on"]


def test_pieces_of_sentencepiece_begin_a_word_where_a_space_was():
    tokenizer = unigram("▁token", "isation", "s", ",", "▁go", "▁on", ".")
    assert words_of(tokenizer, "tokenisations, go on.") == ["tokenisations", ",", "go", "on", "."]


def test_pieces_of_byte_level_bpe_begin_a_word_where_a_space_was():
    tokenizer = byte_level("go on", "the")
    text = "tokens, go (on) naïve Ωmega"
    assert words_of(tokenizer, text) == ["tokens", ",", "go", "(", "on", ")", "naïve", "Ωmega"]


def test_letters_of_several_bytes_are_never_torn():
    tokenizer = byte_level("a")
    assert words_of(tokenizer, "привет мир") == ["привет", "мир"]


def test_a_mark_over_a_letter_parts_no_word():
    tokenizer = unigram("▁हिन", "्", "दी", "▁में")
    assert words_of(tokenizer, "हिन्दी में") == ["हिन्दी", "में"]


def test_pieces_of_an_older_bpe_end_a_word():
    tokenizer = older_bpe("a", "b</w>", "c</w>")
    pieces = read_pieces(tokenizer)
    ids = np.array([tokenizer.token_to_id(p) for p in ("a", "b</w>", "c</w>", "a", "c</w>")])
    assert find_words(ids, np.array([0, 5]), pieces).words.tolist() == [0, 0, 1, 2, 2]


def test_in_a_script_without_spaces_every_piece_is_a_word():
    assert words_of(unigram("▁", "東京", "へ", "行く"), "東京へ行く") == ["東京", "へ", "行く"]
    assert words_of(word_piece("カ", "##メ", "##ラ"), "カメラ") == ["カ", "メ", "ラ"]


def test_without_marks_every_token_is_a_word():
    tokenizer = Tokenizer(WordLevel({"<unk>": 0, "one": 1, "two": 2}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    assert words_of(tokenizer, "one two one") == ["one", "two", "one"]


@pytest.mark.parametrize("make", [word_piece, unigram, byte_level])
def test_special_tokens_are_no_words_but_what_stands_for_an_unknown_word_is(make):
    tokenizer = make("go")
    pieces = read_pieces(tokenizer)
    assert isinstance(pieces, Pieces)
    assert len(pieces) == tokenizer.get_vocab_size()
    special = {name: bool(pieces.special[tokenizer.token_to_id(name)]) for name in SPECIAL}
    assert special == {"<s>": True, "</s>": True, "<unk>": False, "<mask>": True}
    assert pieces.mask_id == tokenizer.token_to_id("<mask>")


def test_a_vocabulary_may_have_no_mask():
    tokenizer = Tokenizer(WordLevel({"<unk>": 0, "one": 1}, unk_token="<unk>"))
    assert read_pieces(tokenizer).mask_id is None
