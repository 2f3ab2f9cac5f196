from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from likewise.models.folder.card import write_card
from likewise.models.folder.contents import ModelFolder


def contents(**options: object) -> ModelFolder:
    return ModelFolder(config={"model_type": "bert"}, weights={}, **options)


def front_matter(card: str) -> list[str]:
    assert card.startswith("---\n")
    return card.split("---\n")[1].splitlines()


def test_the_front_matter_is_what_the_hub_reads():
    assert front_matter(write_card(contents(), name="mine", dimensions=8)) == [
        "tags:",
        "- sentence-transformers",
        "- sentence-similarity",
        "- feature-extraction",
        "- likewise",
        "pipeline_tag: sentence-similarity",
        "library_name: sentence-transformers",
    ]


def test_the_hub_s_own_reader_takes_it(tmp_path: Path):
    path = tmp_path / "README.md"
    path.write_text(write_card(contents(base_model="org/base"), name="mine", dimensions=8))
    data = ModelCard.load(path).data
    assert data.base_model == "org/base"
    assert data.pipeline_tag == "sentence-similarity"
    assert data.library_name == "sentence-transformers"


@pytest.mark.parametrize("base", [None, "/home/me/model", "minilm", "../up/there"])
def test_a_base_model_that_is_not_on_the_hub_stays_out_of_the_front_matter(base: str | None):
    card = write_card(contents(base_model=base), name="mine", dimensions=8)
    assert not any(line.startswith("base_model") for line in front_matter(card))
    assert f"- Base model: {base or 'not recorded'}" in card


def test_the_card_says_how_the_model_is_used():
    card = write_card(
        contents(prompts={"query": "ask: "}, max_tokens=64), name="my-model", dimensions=8
    )
    assert 'likewise.load("my-model")' in card
    assert 'SentenceTransformer("my-model")' in card
    assert '- Prompt `query`: `"ask: "`' in card
    assert "- Longest text: 64 tokens" in card
    assert "a vector of 8 numbers" in card


def test_the_card_of_a_table_states_no_limit():
    table = ModelFolder(config={"model_type": "static"}, weights={}, max_tokens=1_000_000)
    card = write_card(table, name="words", dimensions=50)
    assert "- Longest text: any length" in card
