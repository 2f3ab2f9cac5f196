import pytest
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st

from likewise.models.folder.trained_on import (
    TrainedOn,
    describe_data,
    front_matter,
    read_front_matter,
    read_trained_on,
    trained_later,
)

names = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1)


def card_of(data: TrainedOn | None) -> str:
    return "\n".join(["---", *front_matter(["likewise"], data, "org/base"), "---", "", "# A model"])


@given(st.lists(names), st.lists(names), st.none() | st.integers(0, 10**9))
def test_what_is_written_is_read_back(datasets, files, rows):
    data = TrainedOn(datasets=tuple(datasets), files=tuple(files), rows=rows)
    expected = data if datasets or files else None
    assert read_trained_on(card_of(data)) == expected


def test_the_hub_s_own_reader_takes_it(tmp_path):
    data = TrainedOn(datasets=("mteb/banking77",), files=("a/b.csv",), rows=9)
    (tmp_path / "README.md").write_text(card_of(data))
    found = ModelCard.load(tmp_path / "README.md").data
    assert found.datasets == ["mteb/banking77"]
    assert found.tags == ["likewise", "dataset_size:9"]
    assert found.base_model == "org/base"


@pytest.mark.parametrize(
    "card", [None, "", "# no front matter", "---\n[not: yaml\n---\n", "---\n- a list\n---\n"]
)
def test_a_card_that_says_nothing_is_no_error(card):
    assert read_front_matter(card) == {}
    assert read_trained_on(card) is None


def test_one_name_alone_and_a_size_that_is_none_are_read():
    card = "---\ndatasets: snli\ntags: [a, 'dataset_size:many']\n---\n"
    assert read_trained_on(card) == TrainedOn(datasets=("snli",))


def test_data_adds_up_along_a_chain_of_trainings():
    first = trained_later(None, sources=["hub:org/a::train", "/home/me/data/x.csv"], rows=5)
    assert first == TrainedOn(datasets=("org/a",), files=("data/x.csv",), rows=5)
    second = trained_later(first, sources=["hub:org/b", "hub:org/a"], rows=7)
    assert second == TrainedOn(datasets=("org/a", "org/b"), files=("data/x.csv",), rows=7)


def test_many_files_are_one_line():
    data = trained_later(None, sources=[f"part/{i}.csv" for i in range(21)], rows=1)
    assert data.files == ("part/0.csv and 20 more",)


def test_it_reads_as_a_sentence():
    assert describe_data(None) == "not recorded"
    data = TrainedOn(datasets=("org/a",), files=("x.csv",), rows=1234)
    assert describe_data(data) == "org/a, x.csv (1,234 rows in the last training)"
