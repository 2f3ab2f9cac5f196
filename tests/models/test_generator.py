"""A model that writes queries: sampled, seeded, in bounded memory, going on where it stopped."""

import json
from pathlib import Path

import pytest
import torch

from conftest import TOPICS, answer
from likewise.errors import InputError
from likewise.models import generator
from likewise.models.generator import QueryGenerator, load_generator
from models.tiny_t5 import make_t5

PASSAGES = [answer(*topic) for topic in TOPICS[:10]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_t5(tmp_path_factory.mktemp("t5") / "model")


@pytest.fixture
def writer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> QueryGenerator:
    monkeypatch.setattr(generator, "LONGEST_QUERY", 8)  # noise never ends by itself
    return load_generator(folder, device="cpu")


def test_each_passage_gets_distinct_queries_that_are_not_empty(writer: QueryGenerator):
    found = writer.sample(PASSAGES, count=3, seed=1)
    assert len(found) == len(PASSAGES)
    for queries in found:
        assert 1 <= len(queries) <= 3
        assert len(set(queries)) == len(queries)
        assert all(query == query.strip() != "" for query in queries)


def test_the_seed_decides_and_the_caller_s_generator_does_not(writer: QueryGenerator):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = writer.sample(PASSAGES, count=2, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    assert writer.sample(PASSAGES, count=2, seed=1) == first
    assert writer.sample(PASSAGES, count=2, seed=2) != first


def test_a_small_budget_still_serves_every_passage(writer: QueryGenerator):
    found = writer.sample(PASSAGES, count=2, seed=1, batch_tokens=1)
    assert all(found)


def test_a_passage_over_the_limit_is_cut(writer: QueryGenerator):
    long = " ".join(["river"] * 2000)
    cut = " ".join(["river"] * 2000 + ["garden"])
    assert writer.sample([long], count=1, seed=1) == writer.sample([cut], count=1, seed=1)


def test_without_passages_there_are_no_queries(writer: QueryGenerator):
    assert writer.sample([], count=2, seed=1) == []


def test_what_a_file_has_begun_is_not_written_again(
    writer: QueryGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(generator, "BLOCK", 3)  # 10 passages in 4 blocks
    path = tmp_path / "q.jsonl"
    whole = writer.sample_to_file(PASSAGES, path, count=2, seed=1)
    header, _, second, *_ = path.read_text().splitlines()
    marked = json.dumps([["one"], ["two"], ["three"]])
    path.write_text(f'{header}\n{marked}\n{second}\n[["half a li')  # as a crash leaves it
    found = writer.sample_to_file(PASSAGES, path, count=2, seed=1)
    assert found[:3] == [["one"], ["two"], ["three"]]  # read back
    assert found[3:] == whole[3:]  # block by block, as without the interruption
    assert writer.sample_to_file(PASSAGES, path, count=2, seed=1) == found


def test_a_file_that_was_begun_and_holds_nothing_yet_goes_on(
    writer: QueryGenerator, tmp_path: Path
):
    path = tmp_path / "q.jsonl"
    whole = writer.sample_to_file(PASSAGES, path, count=1, seed=1)
    first = path.read_text().splitlines()[0]
    path.write_text(first + "\n")
    assert writer.sample_to_file(PASSAGES, path, count=1, seed=1) == whole
    headers = [line for line in path.read_text().splitlines() if "fingerprint" in json.loads(line)]
    assert headers == [first]


@pytest.mark.parametrize(
    "changed", [{"count": 1}, {"seed": 2}, {"passages": PASSAGES[:9]}], ids=lambda c: next(iter(c))
)
def test_a_file_of_something_else_is_begun_anew(
    changed: dict, writer: QueryGenerator, tmp_path: Path
):
    path, usual = tmp_path / "q.jsonl", {"passages": PASSAGES, "count": 2, "seed": 1}
    writer.sample_to_file(path=path, **usual)
    found = writer.sample_to_file(path=path, **(usual | changed))
    assert found == writer.sample_to_file(path=tmp_path / "new.jsonl", **(usual | changed))


def test_a_model_that_is_none_is_refused(tiny_folder: Path, tmp_path: Path):
    with pytest.raises(InputError, match='"bert" is no sequence-to-sequence model') as caught:
        load_generator(tiny_folder)
    assert str(tiny_folder) in str(caught.value)
    with pytest.raises(InputError, match="no model folder"):
        load_generator(tmp_path / "nowhere")
