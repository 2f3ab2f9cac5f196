"""mteb takes our models as they are, and finds the scores that it finds for the peer's.

Each task is of a real class of mteb, with a `load_data` that reads rows of ours; the peer's model
is the same folder, in mteb's own wrapper.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from conftest import NOUNS, TOPICS, answer, question
from likewise.data.dataset import Dataset
from likewise.data.reading import read
from likewise.evaluation.mteb_bridge import evaluate_mteb, open_mteb
from likewise.models import load, load_cross_encoder
from likewise.models.cross_encoder import from_encoder
from likewise.models.encoder import Encoder

mteb = pytest.importorskip("mteb", reason="mteb is not installed")
SHARED = Path(__file__).parents[3] / "shared" / "data"
TOLERANCE = 1e-4
pytestmark = [
    pytest.mark.filterwarnings("ignore:::mteb"),  # the wrapper of the peer's models warns of itself
    pytest.mark.filterwarnings("ignore:Precision is ill-defined"),  # a class that is never guessed
]


def rows_of(columns: list[dict]):
    import datasets

    return datasets.Dataset.from_list(columns)


class LocalIntents(mteb.abstasks.AbsTaskClassification):
    metadata = mteb.get_task("Banking77Classification.v2").metadata
    samples_per_label = 4
    n_experiments = 3

    def load_data(self, **kwargs):
        rows = [{"text": question(*t), "label": NOUNS.index(t[1])} for t in TOPICS]
        others = [{"text": answer(*t), "label": NOUNS.index(t[1])} for t in TOPICS[::3]]
        self.dataset = {"train": rows_of(rows), "test": rows_of(others)}
        self.data_loaded = True


class LocalScores(mteb.abstasks.AbsTaskSTS):
    metadata = mteb.get_task("STS12").metadata

    def load_data(self, **kwargs):
        rows = [
            {
                "sentence1": question(*left),
                "sentence2": answer(*right),
                "score": 2.5 * sum(a == b for a, b in zip(left, right, strict=True)),
            }
            for left, right in itertools.pairwise(TOPICS)
        ]
        self.dataset = {"test": rows_of(rows)}
        self.data_loaded = True


class LocalSearch(mteb.abstasks.AbsTaskRetrieval):
    metadata = mteb.get_task("NFCorpus").metadata
    top_ranked = None

    def load_data(self, **kwargs):
        corpus = [{"id": f"d{i}", "title": t[1], "text": answer(*t)} for i, t in enumerate(TOPICS)]
        queries = [{"id": f"q{i}", "text": question(*TOPICS[i])} for i in range(0, 64, 5)]
        split = {
            "corpus": rows_of(corpus),
            "queries": rows_of(queries),
            "relevant_docs": {q["id"]: {f"d{q['id'][1:]}": 1} for q in queries},
            "top_ranked": self.top_ranked,
        }
        self.dataset = {"default": {"test": split}}
        self.data_loaded = True


class LocalReranking(LocalSearch):
    metadata = mteb.get_task("AskUbuntuDupQuestions").metadata
    top_ranked = {f"q{i}": [f"d{j}" for j in range(i, i + 4)] for i in range(0, 61, 5)}  # noqa: RUF012


def scores(model, task) -> dict[str, float]:
    (found,) = mteb.evaluate(
        model, task, cache=None, co2_tracker=False, show_progress_bar=False
    ).task_results
    (entry,) = found.scores["test"]
    return {name: value for name, value in entry.items() if isinstance(value, float)}


def hold(ours: dict[str, float], peers: dict[str, float]) -> None:
    assert ours.keys() == peers.keys()
    assert "main_score" in ours
    for name, value in ours.items():
        assert value == pytest.approx(peers[name], abs=TOLERANCE, nan_ok=True), name


@pytest.fixture
def prompted(tiny_folder: Path) -> Path:
    """With prompts, and one of them that only the first of mteb's rules finds."""
    prompts = {
        "query": "people here ",
        "document": "any guide ",
        "NFCorpus-query": "how do people ",
        "STS": "the ",
        "Banking77Classification.v2": "every day ",
    }
    settings = {"prompts": prompts, "similarity_fn_name": "dot"}
    (tiny_folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    return tiny_folder


@pytest.mark.parametrize("task", [LocalIntents, LocalScores, LocalSearch, LocalReranking])
@pytest.mark.parametrize("kind", ["tiny_folder", "prompted"])
def test_a_task_finds_the_scores_of_the_peer_s_model(kind, task, request):
    from sentence_transformers import SentenceTransformer

    folder = request.getfixturevalue(kind)
    ours = scores(load(folder, device="cpu"), task())
    hold(ours, scores(SentenceTransformer(str(folder), device="cpu"), task()))


def test_a_prompt_matters_here(tiny_folder, request):
    plain = scores(load(tiny_folder, device="cpu"), LocalSearch())
    prompted = scores(load(request.getfixturevalue("prompted"), device="cpu"), LocalSearch())
    assert plain != prompted


def test_a_cross_encoder_finds_the_scores_of_the_peer_s(tiny_encoder, tmp_path):
    from sentence_transformers import CrossEncoder

    from_encoder(tiny_encoder, classes=1).save(tmp_path / "cross")
    ours = scores(load_cross_encoder(tmp_path / "cross"), LocalReranking())
    hold(ours, scores(CrossEncoder(str(tmp_path / "cross"), device="cpu"), LocalReranking()))


@pytest.mark.shared
@pytest.mark.slow
def test_eight_texts_a_label_come_to_what_mteb_says_on_banking77():
    """The draws are others, so the means of ten of them differ a little."""
    folder = SHARED / "banking77"
    if not folder.is_dir():
        pytest.skip(f"the shared data is not in {SHARED}")
    model = load("minilm", device="cpu")
    train, test = read(folder / "train.csv.gz"), read(folder / "test.csv.gz")
    found = accuracy_of_eight_texts(model, train, test)
    opened = open_mteb(f"mteb:Banking77Classification={folder}")
    theirs = evaluate_mteb(model, opened, name="minilm")
    assert found == pytest.approx(theirs.accuracy, abs=0.005)


def accuracy_of_eight_texts(model: Encoder, train: Dataset, test: Dataset) -> float:
    """Logistic regression on eight texts a label, the mean of ten draws."""
    from sklearn.linear_model import LogisticRegression

    texts, labels = np.array(train.texts("text")), np.array(train.labels())
    asked, gold = model.encode(test.texts("text")), np.array(test.labels())
    classes = [np.flatnonzero(labels == name) for name in np.unique(labels)]
    found = []
    for seed in range(10):
        draw = np.random.default_rng(seed)
        rows = np.concatenate([draw.choice(places, 8, replace=False) for places in classes])
        learned = model.encode(texts[rows].tolist())
        classifier = LogisticRegression(max_iter=100).fit(learned, labels[rows])
        found.append(classifier.score(asked, gold))
    return float(np.mean(found))
