"""Plans of every method, by runs that are not made."""

from pathlib import Path

import pytest

from likewise.data.reading import read
from likewise.errors import InputError
from likewise.methods import METHODS, train
from likewise.methods.planning import plan_all_stages, plan_run
from likewise.methods.recipe import resolve_options
from likewise.methods.run import Tell
from methods.small_data import DATA, settings, start
from training.small_runs import same_weights, weights

# each with weights, data or a way to learn of its own
METHODS_OF_A_KIND = [
    "mnr", "softmax", "tsdae", "simcse", "contrastive-tension", "mlm", "word2vec", "cross-encoder",
    "augmented", "distillation",
]  # fmt: skip
QUICK = {"batch_size": 8, "precision": "float32"}


@pytest.mark.parametrize("name", METHODS_OF_A_KIND)
def test_a_method_is_planned_and_then_trains_as_if_it_had_not_been(
    name: str, train_on, tmp_path: Path
):
    """Decoders, heads and second models are part of what is tried out, and of what is put back."""
    plain = train_on(name, tmp_path / "plain", epochs=1)
    tried = train_on(name, tmp_path / "tried", epochs=1, probe_seconds=0.2)
    assert same_weights(plain.after, tried.after)
    assert plain.log.timeless() == [
        event for event in tried.log.timeless() if not hasattr(event, "path")
    ]


@pytest.mark.parametrize("name", ["mnr", "tsdae", "mlm", "cross-encoder", "contrastive-tension"])
def test_a_plan_writes_nothing_and_leaves_the_model(
    name: str, teacher_folder: Path, tiny_folder: Path, tmp_path: Path
):
    data = DATA[METHODS[name].kinds[0]](24)
    model = start(name, str(tiny_folder), data)
    before, out = weights(model), tmp_path / "run"
    options = resolve_options(name, settings(name, teacher_folder))
    plan = plan_run(model, data, method=name, out=out, **QUICK, **options)
    assert plan.cost is not None
    assert plan.steps == plan.expected_steps > 0
    assert plan.train_seconds > 0
    assert same_weights(before, weights(model))
    assert not out.exists()


@pytest.mark.parametrize("name", ["distillation", "gpl"])
def test_a_method_that_makes_its_data_first_says_so(
    name: str, new_encoder, teacher_folder: Path, tmp_path: Path
):
    data = DATA[METHODS[name].kinds[0]](24)
    options = settings(name, teacher_folder)
    if name == "distillation":
        data, options = DATA["pairs"](24), {"teacher": str(teacher_folder), "loss": "margin-mse"}
    with pytest.raises(InputError, match="makes what it trains on first") as caught:
        plan_run(new_encoder(), data, method=name, out=tmp_path / "run", **QUICK, **options)
    assert "likewise train" in caught.value.mend
    assert not (tmp_path / "run").exists()


def test_of_a_method_in_stages_the_first_is_planned(new_encoder, tmp_path: Path):
    data = DATA["scored"](24)
    plan = plan_run(
        new_encoder(), data, method="augmented", out=tmp_path / "run", sampling="random", **QUICK
    )
    assert plan.rows <= 24
    assert not (tmp_path / "run").exists()


def test_what_is_wrong_for_train_is_wrong_for_a_plan(new_encoder, pairs_file, tmp_path: Path):
    data = read(pairs_file)
    with pytest.raises(InputError, match="batch of one row has no negatives"):
        plan_run(new_encoder(), data, method="mnr", out=tmp_path / "run", batch_size=1)
    with pytest.raises(InputError, match='"skale"'):
        plan_run(new_encoder(), data, method="mnr", out=tmp_path / "run", skale=3)


def test_a_finished_run_has_nothing_left(new_encoder, pairs_file, tmp_path: Path):
    data, out = read(pairs_file), tmp_path / "run"
    given = {"method": "mnr", "out": out, "checkpoint_every": 1, **QUICK}
    train(new_encoder(), data, **given)
    before = sorted(path for path in out.rglob("*"))
    assert plan_run(new_encoder(), data, existing="refuse", **given).done == 0
    plan = plan_run(new_encoder(), data, existing="resume", **given)
    assert (plan.done, plan.train_seconds) == (plan.steps, 0.0)
    assert before == sorted(path for path in out.rglob("*"))


def test_the_plan_of_a_run_is_told_before_anything_is_written(
    new_encoder, pairs_file, tmp_path: Path
):
    out, there = tmp_path / "run", []
    tell = Tell(planned=lambda _: there.append(out.exists()), probe_seconds=0.2)
    train(new_encoder(), pairs_file, method="mnr", out=out, tell=tell, **QUICK)
    assert there == [False]


def test_every_stage_of_a_recipe_is_planned_from_the_same_base(
    tiny_folder: Path, texts_file: Path, pairs_file: Path, tmp_path: Path
):
    stages = [
        {"name": "texts", "method": "simcse", "data": str(texts_file)},
        {"name": "pairs", "method": "mnr", "data": str(pairs_file), "base": "stage:texts"},
        {
            "name": "taught",
            "method": "distillation",
            "data": str(pairs_file),
            "options": {"teacher": "stage:pairs"},
        },
    ]
    said: list[str] = []
    plans = plan_all_stages(
        {"base": str(tiny_folder), "training": {"batch_size": 16}, "stages": stages},
        out=tmp_path / "run",
        tell=Tell(note=said.append),
    )
    assert list(plans) == ["texts", "pairs"]
    assert all(plan.cost is not None for plan in plans.values())
    assert "stage taught: planned when the stage that teaches it is done" in said
    assert not (tmp_path / "run").exists()


def test_a_mistake_in_a_stage_names_it(tiny_folder: Path, pairs_file: Path, tmp_path: Path):
    stage = {"name": "first", "method": "softmax", "data": str(pairs_file)}
    with pytest.raises(InputError, match='stage "first"'):
        plan_all_stages({"base": str(tiny_folder), "stages": [stage]}, out=tmp_path / "run")
