from dataclasses import replace

import pytest
import yaml

from likewise.models.folder.cross_card import write_cross_card
from likewise.models.folder.cross_encoder import CrossEncoderFolder
from likewise.models.folder.trained_on import TrainedOn

CONTENTS = CrossEncoderFolder(
    config={"model_type": "bert"},
    weights={},
    activation="sigmoid",
    max_tokens=512,
    base_model="org/base",
)


def test_the_front_matter_is_what_the_hub_reads():
    _, front, body = write_cross_card(CONTENTS, name="mine", labels=()).split("---\n", 2)
    assert yaml.safe_load(front) == {
        "tags": ["sentence-transformers", "cross-encoder", "likewise"],
        "base_model": "org/base",
        "pipeline_tag": "text-ranking",
        "library_name": "sentence-transformers",
    }
    assert body.startswith("\n# mine\n")


@pytest.mark.parametrize("base", [None, "/home/someone/private/model"])
def test_only_a_name_of_the_hub_is_a_base_model(base: str | None):
    card = write_cross_card(replace(CONTENTS, base_model=base), name="mine", labels=())
    assert "base_model:" not in card


def test_the_training_data_is_named():
    data = TrainedOn(datasets=("org/data",), files=("a/b.csv",), rows=9)
    card = write_cross_card(replace(CONTENTS, trained_on=data), name="mine", labels=())
    front = yaml.safe_load(card.split("---\n", 2)[1])
    assert (front["datasets"], front["training_files"]) == (["org/data"], ["a/b.csv"])
    assert "dataset_size:9" in front["tags"]
    assert "- Training data: org/data, a/b.csv (9 rows in the last training)" in card


def test_classes_are_named_and_facts_stated():
    card = write_cross_card(CONTENTS, name="mine", labels=("no", "yes"))
    assert "one number a class: no, yes" in card
    assert "pipeline_tag: text-classification" in card
    assert "Longest pair: 512 tokens" in card


def test_the_snippets_name_the_folder():
    card = write_cross_card(CONTENTS, name='a "quoted" name', labels=())
    assert card.count('"a \\"quoted\\" name"') == 2
    for line in card.splitlines():
        if line.startswith(("model =", "from ", "scores =")):
            compile(line, "card", "exec")
