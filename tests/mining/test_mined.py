"""Mining from end to end: what never becomes a negative, and where each is from."""

import tracemalloc
import zlib
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import TOPICS, answer, question
from data.derive.conftest import dataset
from likewise import mine, read
from likewise.data.clusters import normalise
from likewise.data.derive import labelled_to_pairs
from likewise.errors import InputError, LikewiseError
from likewise.mining import mined, neighbours
from likewise.models import load
from likewise.models.cross_encoder import from_encoder


def embed(texts, *, role=None) -> np.ndarray:
    """A vector for each text, the same whatever its case and punctuation."""
    seeds = [zlib.crc32(normalise(text).encode()) for text in texts]
    return np.stack([np.random.default_rng(seed).normal(size=5) for seed in seeds]).astype(
        np.float32
    )


def cosine(a: str, b: str) -> float:
    one, two = embed([a, b]).astype(np.float64)
    return round(float(one @ two / np.linalg.norm(one) / np.linalg.norm(two)), 10)


def in_words(number: int, kind: str, style: int) -> str:
    """A text in one of three spellings that normalise to the same."""
    return (f"{kind} {number}", f"{kind.upper()}  {number}!", f"({kind}) {number}.")[style]


TEXT = st.builds(in_words, st.integers(0, 6), st.sampled_from(["a", "b"]), st.integers(0, 2))
DATA = st.lists(
    st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3), st.lists(TEXT, max_size=2)),
    min_size=1,
    max_size=6,
)


def known_of(rows, anchor: str) -> set[str]:
    key, found = normalise(anchor), {normalise(anchor)}
    for asked, right, _ in rows:
        answers = {normalise(text) for text in right}
        found |= answers if normalise(asked) == key else set()
        found |= {normalise(asked)} if key in answers else set()
    return found


@given(
    DATA,
    st.lists(TEXT, max_size=8),
    st.fixed_dictionaries(
        {
            "hardness": st.sampled_from(["hard", "semi-hard", "easy"]),
            "negatives": st.integers(1, 3),
            "relative_margin": st.sampled_from([0.0, 0.05, 0.3]),
            "absolute_margin": st.sampled_from([0.0, 0.1]),
            "min_score": st.sampled_from([None, -0.2]),
            "max_score": st.sampled_from([None, 0.4]),
            "near_duplicates": st.sampled_from([0.7, 0.98, 1.01]),
            "suspicious": st.sampled_from(["drop", "list"]),
        }
    ),
    st.sampled_from(["top", "uniform", "rank", "temperature"]),
)
@settings(deadline=None, max_examples=25)
def test_no_negative_is_known_and_floors_ceilings_margins_and_ranks_hold(
    rows, corpus, options, sampling
):
    columns = zip(
        ("anchor", "positive", "negative"), map(list, zip(*rows, strict=True)), strict=True
    )
    pairs = dataset("pairs", **dict(columns))
    corpus = [*corpus, *(f"filler {i}" for i in range(6))]
    is_ranked = options["hardness"] != "easy"
    window = {"from_rank": 2, "to_rank": 5, "sampling": sampling} if is_ranked else {}
    found = mine(embed, pairs, corpus=corpus, seed=3, **options, **window)
    pool = {normalise(text) for text in chain(*(right for _, right, _ in rows), corpus)}
    lists: list[list[str]] = [[normalise(text) for text in own] for *_, own in rows]
    for line in found.provenance.to_pylist():
        key, known = normalise(line["negative"]), known_of(rows, rows[line["row"]][0])
        assert key in pool - known - set(lists[line["row"]])
        lists[line["row"]].append(key)
        check_scores(line, rows[line["row"]], pool & known, options)
        if is_ranked:
            others = [cosine(rows[line["row"]][0], text) for text in pool - known]
            assert line["rank"] == 1 + sum(score > line["score"] + 1e-9 for score in others)
            assert 2 <= line["rank"] <= 5
        assert line["source"] == ("model" if is_ranked else "random")
    if "negative" in found.data.roles:
        mined_lists = found.data.text_lists("negative")
        assert [[normalise(text) for text in texts] for texts in mined_lists] == lists
    assert found.counts["negatives"] == sum(map(len, lists)) - sum(len(own) for *_, own in rows)
    new = [len(texts) - len(own) for texts, (*_, own) in zip(lists, rows, strict=True)]
    assert found.counts["rows_without"] == new.count(0)


def check_scores(line, row, known: set[str], options) -> None:
    """The scores are cosines, and within every bound."""
    asked, right, _ = row
    score, lowest = line["score"], line["positive_score"]
    assert score == pytest.approx(cosine(asked, line["negative"]), abs=1e-6)
    assert lowest == pytest.approx(min(cosine(asked, text) for text in right), abs=1e-6)
    assert score < lowest - options["relative_margin"] * abs(lowest)
    assert score < lowest - options["absolute_margin"]
    assert options["min_score"] is None or score >= options["min_score"]
    assert options["max_score"] is None or score < options["max_score"]
    near = [cosine(line["negative"], text) for text in known]
    assert max([score, *near]) < options["near_duplicates"] + 1e-6


@pytest.fixture
def circle_pairs():
    """One question with its answer at 40 degrees, and others around it; see `circle`."""
    answers = ["right", "too near", "nearly", "hard", "easy"]
    return dataset("pairs", anchor=["q", *(f"other {i}" for i in range(4))], positive=answers)


def circle(texts, *, role=None) -> np.ndarray:
    angles = {"q": 0, "right": 40, "too near": 20, "nearly": 43, "hard": 55, "easy": 80}
    radians = np.radians([angles.get(text, 180 + 3 * len(text)) for text in texts])
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def lines_of(found) -> list[tuple[str, int]]:
    """Negatives of the first row, and their ranks."""
    lines = found.provenance.to_pylist()
    return [(line["negative"], line["rank"]) for line in lines if line["row"] == 0]


def test_what_is_suspicious_is_dropped_listed_or_kept(circle_pairs, tmp_path: Path):
    # cosines: too near 0.940, right 0.766, nearly 0.731 (over 95 % of it), hard 0.574
    options = {"negatives": 2, "near_duplicates": 1.01}
    dropped = mine(circle, circle_pairs, **options)
    assert lines_of(dropped) == [("hard", 3), ("easy", 4)]
    assert dropped.suspicious is None
    assert (dropped.counts["above"], dropped.counts["margin"]) >= (1, 1)
    out = tmp_path / "mined.jsonl"
    listed = mine(circle, circle_pairs, suspicious="list", out=out, **options)
    assert lines_of(listed) == lines_of(dropped)
    first = [line for line in listed.suspicious.to_pylist() if line["anchor"] == "q"]
    assert [(line["candidate"], line["why"]) for line in first] == [
        ("too near", "above the positive"),
        ("nearly", "within the margin"),
    ]
    assert listed.files == (out, tmp_path / "mined.suspicious.csv")
    assert "too near,above the positive" in listed.files[1].read_text()
    kept = mine(circle, circle_pairs, suspicious="keep", **options)
    assert lines_of(kept) == [("too near", 1), ("nearly", 2)]
    assert kept.provenance.column("suspicious").to_pylist()[:2] == [
        "above the positive",
        "within the margin",
    ]


def test_counts_are_those_that_a_person_counts(circle_pairs):
    found = mine(circle, circle_pairs.take([0, 1, 2, 3, 4]), near_duplicates=1.01)
    # five anchors with five answers each, one of them right
    assert found.counts["candidates"] == 20
    assert found.counts["known"] == found.counts["rows"] == found.counts["anchors"] == 5
    refused = sum(found.counts[name] for name in ("own", "repeat", "low", "high"))
    assert refused == 0
    said = {note.text: note.count for note in found.notes}
    assert said["candidates looked at"] == 20
    assert said["negatives mined"] == found.counts["negatives"]


# the rule in mined data elsewhere: negatives that equal a right answer, of the row or of another
def test_no_mined_negative_is_a_right_answer_of_another_row_or_another_spelling():
    rows = [(f"question {i // 4}", f"Answer {i // 4}, part {i % 4}.") for i in range(40)]
    rows += [(question.upper(), answer.lower()) for question, answer in rows[:20]]
    pairs = dataset("pairs", anchor=[a for a, _ in rows], positive=[p for _, p in rows])

    def by_topic(texts, *, role=None):
        """All answers of a question lie nearest to it, so that a naive miner takes them."""
        topics = [int("".join(c for c in text.split(",")[0] if c.isdigit())) for text in texts]
        return (10 * np.eye(10)[topics] + embed(texts) @ np.ones((5, 10))).astype(np.float32)

    for hardness in ("hard", "easy"):
        found = mine(by_topic, pairs, hardness=hardness, suspicious="keep", negatives=3)
        assert found.counts["negatives"] == 180
        for line in found.provenance.to_pylist():
            topic = rows[line["row"]][0].split()[1]
            assert not normalise(line["negative"]).startswith(f"answer {topic} ")


def test_a_class_gives_no_negatives_to_itself(labelled):
    pairs = labelled_to_pairs(labelled, seed=0).without("negative")
    label = dict(zip(labelled.texts("text"), labelled.labels(), strict=True))
    for options in ({"to_rank": 3}, {"hardness": "easy"}, {"bm25": True, "to_rank": 3}):
        found = mine(embed, pairs, suspicious="keep", **options)
        assert found.counts["negatives"] == 64
        for anchor, text in zip(pairs.texts("anchor"), found.data.texts("negative"), strict=True):
            assert label[text] != label[anchor]
    with pytest.raises(InputError, match="by exact search alone"):
        mine(embed, pairs, index="faiss-flat")


def test_rankings_are_fused_and_each_source_is_named(tmp_path: Path):
    pairs = dataset("pairs", anchor=["red apple", "blue river"], positive=["x one", "y two"])
    corpus = ["red apple pie", "a blue boat", "green door", "red wine"]
    found = mine(embed, pairs, corpus=corpus, bm25=True, negatives=4, to_rank=4,
                 suspicious="keep", near_duplicates=1.01)  # fmt: skip
    lines = [line for line in found.provenance.to_pylist() if line["row"] == 0]
    assert [line["rank"] for line in lines] == [1, 2, 3, 4]
    words = {line["negative"]: line["source"] for line in lines if "bm25" in line["source"]}
    assert set(words) <= {"red apple pie", "red wine"}
    assert words["red apple pie"] in {"bm25", "model+bm25"}
    for line in lines:
        assert line["score"] == pytest.approx(cosine("red apple", line["negative"]), abs=1e-6)


def test_a_second_model_has_its_say(tiny_folder: Path, pairs_file: Path):
    pairs, options = read(pairs_file), {"precision": "float32", "near_duplicates": 1.01}
    alone = mine(embed, pairs, negatives=3, **options)
    both = mine(embed, pairs, negatives=3, also=(str(tiny_folder),), **options)
    sources = set(both.provenance.column("source").to_pylist())
    assert any("model" in source for source in sources)
    assert any(str(tiny_folder) in source for source in sources)
    encoder = load(tiny_folder, device="cpu")
    for line in both.provenance.to_pylist():
        row = line["row"]
        texts = [question(*TOPICS[row]), answer(*TOPICS[row]), line["negative"]]
        asked, right, wrong = encoder.encode(texts, normalize=True, precision="float32")
        assert asked @ wrong < 0.95 * (asked @ right) + 1e-5
        lowest = line["positive_score"]
        assert line["score"] < lowest - 0.05 * abs(lowest)
    assert alone.counts["negatives"] > both.counts["negatives"]


@pytest.mark.parametrize(
    ("kind", "rows"),
    [("pair_labels_file", 32), ("nli_file", 32), ("retrieval_folder", 16)],
)
def test_other_kinds_become_pairs(kind: str, rows: int, request: pytest.FixtureRequest):
    data = read(request.getfixturevalue(kind))
    found = mine(embed, data, suspicious="keep", near_duplicates=1.01)
    assert found.data.kind == "pairs"
    assert len(found.data) == found.counts["negatives"] == rows
    if kind == "retrieval_folder":
        assert found.counts["documents"] == 64  # the corpus, and not the relevant ones alone
        assert found.data.texts("anchor") == list(data.queries)


def test_judged_documents_become_pairs_with_their_own_negatives():
    judged = dataset(
        "reranking",
        query=["q 1", "q 1", "q 2", "q 2"],
        document=["right 1", "wrong 1", "right 2", "wrong 2"],
        label=[1, 0, 1, 0],
    )
    found = mine(embed, judged, suspicious="keep", near_duplicates=1.01, corpus=["other"])
    lists = found.data.text_lists("negative")
    assert [texts[0] for texts in lists] == ["wrong 1", "wrong 2"]
    assert all(len(texts) == 2 for texts in lists)


def test_kinds_without_pairs_are_refused(labelled, texts):
    for data in (labelled, texts):
        with pytest.raises(InputError, match=f"mined for pairs, and these are {data.kind} data"):
            mine(embed, data)


def refused(data, said: str, error=InputError, **options) -> None:
    """Refused before any text of the data is embedded; a first one may tell the width."""
    asked = []

    def counting(texts, *, role=None):
        asked.append(len(texts))
        return embed(texts)

    with pytest.raises(error, match=said):
        mine(counting, data, **options)
    assert sum(asked) <= 1


def test_bad_input_is_refused_before_the_work(pairs, tmp_path: Path, tiny_folder: Path):
    there = tmp_path / "there.jsonl"
    there.write_text("{}\n")
    cross = tmp_path / "cross"
    from_encoder(tiny_folder, classes=3, seed=0).save(cross)
    refused(pairs, "has no option", negativs=2)
    refused(pairs, "negatives must be 1 or more", negatives=0)
    refused(pairs, "sampling", sampling="best")
    refused(pairs, "exists already", out=there)
    refused(pairs, "cannot write rows", out=tmp_path / "mined.txt")
    refused(pairs, "its folder does not exist", out=tmp_path / "no" / "mined.csv")
    refused(pairs, "a CSV file cannot hold lists", out=tmp_path / "mined.csv", layout="list")
    refused(pairs, "text 1 of 2 of the corpus is empty", corpus=["", "a"])
    refused(pairs, "too few for 64 a row", negatives=64)
    refused(pairs, "too few for 1 a row from rank 64", from_rank=64)
    refused(pairs, "there is no index", index="flat")
    refused(pairs, "and --memory allows 0.001", memory=0.001)
    refused(pairs, "1 candidates of each of 64 rows", memory=1e-5)
    refused(pairs, "there is no", also=("nowhere",))
    refused(pairs, "is no cross-encoder", cross_encoder=str(tiny_folder))
    refused(pairs, "answers 3 labels", cross_encoder=str(cross))
    refused(pairs, "it cannot search a corpus", also=(str(cross),))
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_a_model_named_twice_is_refused(pairs, tiny_folder: Path):
    with pytest.raises(InputError, match="is named twice"):
        mine(str(tiny_folder), pairs, also=(str(tiny_folder),))


def test_vectors_that_are_no_numbers_are_refused(pairs):
    broken = lambda texts, *, role=None: np.full((len(texts), 4), np.nan, np.float32)  # noqa: E731
    with pytest.raises(LikewiseError, match="not finite"):
        mine(broken, pairs)


def test_what_is_kept_serves_another_run_and_gives_the_same(
    pairs, tiny_folder: Path, tmp_path: Path, monkeypatch
):
    options = {"precision": "float32", "near_duplicates": 1.01, "suspicious": "keep"}
    whole = mine(str(tiny_folder), pairs, **options)
    encoder = load(tiny_folder, device="cpu")
    first = mine(encoder, pairs, work=tmp_path / "work", **options)
    assert first.data.fingerprint == whole.data.fingerprint
    asked: list[int] = []
    encode = encoder.encode
    monkeypatch.setattr(
        encoder, "encode", lambda texts, **o: asked.append(len(texts)) or encode(texts, **o)
    )
    again = mine(encoder, pairs, work=tmp_path / "work", negatives=2, **options)
    assert asked == [1, 1, 1]  # one text for each width, and no more
    assert again.counts["negatives"] == 128
    first_of_two = [texts[0] for texts in again.data.text_lists("negative")]
    assert first_of_two == first.data.texts("negative")


def test_seeds_decide_the_draws(pairs):
    options = {"suspicious": "keep", "near_duplicates": 1.01, "hardness": "easy"}
    one, same, other = (mine(embed, pairs, seed=s, **options).data for s in (1, 1, 2))
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_rows_are_judged_in_parts_alike(pairs, monkeypatch):
    options = {"suspicious": "list", "negatives": 3, "near_duplicates": 0.9}
    whole = mine(embed, pairs, **options)
    monkeypatch.setattr(mined, "ROWS", 10)
    parts = mine(embed, pairs, **options)
    assert parts.provenance.equals(whole.provenance)
    assert parts.suspicious.equals(whole.suspicious)
    assert parts.counts == whole.counts


# elsewhere the matrix of all similarities was held, and took all of the memory
def test_memory_is_not_that_of_all_similarities(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(neighbours, "QUERIES", 64)
    monkeypatch.setattr(neighbours, "DOCUMENTS", 256)
    n, further = 1000, 8000

    def numbered(texts, *, role=None):
        angles = np.array([int(text.split()[1]) for text in texts], dtype=np.float64)
        return np.stack([np.cos(angles), np.sin(angles), np.sin(7 * angles)], 1).astype(np.float32)

    asked, answers = [f"q {i}" for i in range(n)], [f"p {i + 1}" for i in range(n)]
    pairs = dataset("pairs", anchor=asked, positive=answers)
    corpus = [f"c {i + 5000}" for i in range(further)]
    tracemalloc.start()
    found = mine(
        numbered, pairs, corpus=corpus, to_rank=20, suspicious="keep", near_duplicates=1.01
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.counts["negatives"] == n
    assert peak < n * (n + further) * 4 / 5  # a fifth of what float32 similarities would take


@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")  # of SWIG
@pytest.mark.parametrize("index", ["faiss-flat", "ivf", "hnsw"])
def test_an_index_of_faiss_serves_as_exact_search_does(index: str, pairs):
    pytest.importorskip("faiss")
    options = {"suspicious": "keep", "near_duplicates": 1.01, "negatives": 3, "to_rank": 5}
    exact = mine(embed, pairs, index="exact", **options)
    found = mine(embed, pairs, index=index, **options)
    same = [
        a == b for a, b in zip(*(m.provenance.to_pylist() for m in (found, exact)), strict=True)
    ]
    assert np.mean(same) == 1 if index == "faiss-flat" else np.mean(same) > 0.9


@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")
def test_auto_says_that_it_takes_lists(pairs, monkeypatch):
    pytest.importorskip("faiss")
    monkeypatch.setattr("likewise.mining.indexes.LONG", 1)
    found = mine(embed, pairs)
    assert any("searched by the index ivf" in str(note) for note in found.notes)
