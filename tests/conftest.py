"""What many tests share, made here: a tiny tokenizer, a tiny encoder, data of each kind."""

import itertools
import json
import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.reading import read
from likewise.models.build import load
from likewise.models.encoder import Encoder

NOUNS = ("apple", "river", "engine", "letter", "planet", "garden", "violin", "bridge")
VERBS = ("paint", "repair", "describe", "measure", "carry", "compare", "clean", "forget")
TOPICS = tuple(itertools.product(VERBS, NOUNS))  # 64 of them
OTHER_WORDS = "how do people the a guide to any at home nobody can someone does every day here"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
TINY_LIMIT = 32  # tokens a text
SHARED = Path(__file__).parents[2] / "shared" / "data"


def question(verb: str, noun: str) -> str:
    return f"How do people {verb} the {noun}"


def answer(verb: str, noun: str) -> str:
    return f"a guide to {verb} any {noun} at home"


def make_tokenizer() -> Tokenizer:
    """WordPiece over the words of the data here; any other word is spelt in letters."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,?!'-"
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters)]
    pieces += dict.fromkeys([*OTHER_WORDS.split(), *NOUNS, *VERBS])
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")


def write_lines(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return path


def make_folder(folder: Path, *, width: int = 32) -> Path:
    """A model folder as sentence-transformers 2 wrote it: BERT with two layers, mean pooling."""
    import transformers

    tokenizer = make_tokenizer()
    config = transformers.BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * width,
        max_position_embeddings=2 * TINY_LIMIT,
        pad_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = transformers.BertModel(config)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    special = dict(zip(("pad", "unk", "cls", "sep", "mask"), SPECIAL, strict=True))
    named = {f"{name}_token": piece for name, piece in special.items()}
    limits = {"tokenizer_class": "BertTokenizer", "model_max_length": 2 * TINY_LIMIT}
    write_json(folder / "tokenizer_config.json", {**limits, "do_lower_case": True, **named})
    write_json(folder / "special_tokens_map.json", named)
    write_json(
        folder / "sentence_bert_config.json",
        {"max_seq_length": TINY_LIMIT, "do_lower_case": False},
    )
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
    write_json(folder / "1_Pooling" / "config.json", pooling)
    kinds = (("Transformer", ""), ("Pooling", "1_Pooling"))
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(kinds)
    ]
    write_json(folder / "modules.json", modules)
    return folder


@pytest.fixture(scope="session")
def tiny_tokenizer() -> Tokenizer:
    return make_tokenizer()


@pytest.fixture(scope="session")
def _tiny_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def tiny_folder(_tiny_original: Path, tmp_path: Path) -> Path:
    """A model folder of this test's own, free to be damaged: width 32, at most 32 tokens a text."""
    return Path(shutil.copytree(_tiny_original, tmp_path / "tiny"))


@pytest.fixture
def tiny_encoder(_tiny_original: Path) -> Encoder:
    """The model of `tiny_folder`, fresh for every test, on the CPU."""
    return load(_tiny_original, device="cpu")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data; tests that ask for it are passed over where it is not there."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared data is not in {SHARED}")
    return SHARED


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    """64 pairs, one a topic."""
    rows = ({"anchor": question(*topic), "positive": answer(*topic)} for topic in TOPICS)
    return write_lines(tmp_path / "pairs.jsonl", rows)


@pytest.fixture
def scored_file(tmp_path: Path) -> Path:
    """60 pairs scored 0 to 5: 5 for the same topic, 3 for one word in common, else 0."""
    draw = random.Random(2)
    rows = []
    for i in range(60):
        left = TOPICS[draw.randrange(len(TOPICS))]
        right = left if i % 3 == 0 else TOPICS[draw.randrange(len(TOPICS))]
        shared = sum(a == b for a, b in zip(left, right, strict=True))
        score = (0.0, 3.0, 5.0)[shared]
        rows.append({"sentence1": question(*left), "sentence2": answer(*right), "score": score})
    return write_lines(tmp_path / "scored.jsonl", rows)


@pytest.fixture
def nli_file(tmp_path: Path) -> Path:
    """96 rows: an entailment, a neutral row and a contradiction of each of 32 premises."""
    rows = []
    for verb, noun in TOPICS[::2]:
        hypotheses = {
            "entailment": f"someone does {verb} a {noun}",
            "neutral": f"people {verb} the {noun} every day",
            "contradiction": f"nobody can {verb} the {noun}",
        }
        for label, hypothesis in hypotheses.items():
            premise = f"people {verb} the {noun} here"
            rows.append({"premise": premise, "hypothesis": hypothesis, "label": label})
    return write_lines(tmp_path / "nli.jsonl", rows)


@pytest.fixture
def pair_labels_file(tmp_path: Path) -> Path:
    """64 pairs labelled 1 for the same topic, else 0."""
    rows = []
    for i, topic in enumerate(TOPICS):
        other = topic if i % 2 == 0 else TOPICS[(i + 9) % len(TOPICS)]
        label = int(other == topic)
        rows.append({"sentence1": question(*topic), "sentence2": answer(*other), "label": label})
    return write_lines(tmp_path / "pair-labels.jsonl", rows)


@pytest.fixture
def labelled_file(tmp_path: Path) -> Path:
    """64 texts in 8 classes: the noun that they are about."""
    rows = ({"text": question(verb, noun), "label": noun} for verb, noun in TOPICS)
    return write_lines(tmp_path / "labelled.jsonl", rows)


@pytest.fixture
def texts_file(tmp_path: Path) -> Path:
    """64 plain texts, one a line."""
    path = tmp_path / "texts.txt"
    path.write_text("".join(f"{answer(*topic)}\n" for topic in TOPICS), encoding="utf-8")
    return path


@pytest.fixture
def retrieval_folder(tmp_path: Path) -> Path:
    """64 documents in the BEIR layout, and 16 questions that each have one right answer."""
    folder = tmp_path / "retrieval"
    corpus = (
        {"_id": f"d{i}", "title": "", "text": answer(*topic)} for i, topic in enumerate(TOPICS)
    )
    write_lines(folder / "corpus.jsonl", corpus)
    asked = [(i, TOPICS[i]) for i in range(0, len(TOPICS), 4)]
    queries = ({"_id": f"q{i}", "text": question(*topic)} for i, topic in asked)
    write_lines(folder / "queries.jsonl", queries)
    judged = "".join(f"q{i}\td{i}\t1\n" for i, _ in asked)
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    return folder


@pytest.fixture
def pairs(pairs_file: Path) -> Dataset | RetrievalSet:
    return read(pairs_file)


@pytest.fixture
def scored(scored_file: Path) -> Dataset | RetrievalSet:
    return read(scored_file)


@pytest.fixture
def nli(nli_file: Path) -> Dataset | RetrievalSet:
    return read(nli_file)


@pytest.fixture
def labelled(labelled_file: Path) -> Dataset | RetrievalSet:
    return read(labelled_file)


@pytest.fixture
def texts(texts_file: Path) -> Dataset | RetrievalSet:
    return read(texts_file)


@pytest.fixture
def retrieval(retrieval_folder: Path) -> Dataset | RetrievalSet:
    return read(retrieval_folder)
