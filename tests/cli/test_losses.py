import json

import pytest

from likewise.losses import LOSSES


def test_every_loss_is_listed_with_its_data_its_use_and_its_paper(run):
    code, out, err = run("losses")
    assert (code, err) == (0, "")
    for name, spec in LOSSES.items():
        (line,) = [line for line in out.splitlines() if line.startswith(f"│ {name} ")]
        assert all(kind in line for kind in spec.kinds)
        assert spec.paper in line
        assert spec.use.split(",")[0][:30] in line


def test_quiet_prints_names_alone(run):
    assert run("losses", "--quiet") == (0, "".join(f"{name}\n" for name in LOSSES), "")
    assert run("losses", "mnr", "--quiet") == (0, "scale\nsymmetric\n", "")


def test_json_is_the_only_thing_on_stdout(run):
    code, out, err = run("losses", "--json")
    assert (code, err) == (0, "")
    found = {loss["name"]: loss for loss in json.loads(out)["losses"]}
    assert list(found) == list(LOSSES)
    assert found["cosent"]["options"] == [
        {
            "name": "scale",
            "default": 20.0,
            "values": "a number",
            "meaning": "inverse temperature, multiplies the cosines.",
        }
    ]
    code, out, _ = run("losses", "cosent", "--json")
    assert (code, json.loads(out)) == (0, found["cosent"])


def test_one_loss_is_told_with_its_formula_and_its_options(run):
    code, out, err = run("losses", "triplet")
    assert (code, err) == (0, "")
    assert "max(0, d(a, p) - d(a, n) + margin)" in out
    assert "data:  pairs with negatives\npaper: Reimers and Gurevych 2019\n" in out
    (row,) = [line for line in out.splitlines() if line.startswith("│ distance ")]
    assert [cell.strip() for cell in row.split("│")[2:4]] == [
        "euclidean",
        "cosine, euclidean, manhattan",
    ]
    assert "train DATA --method triplet --set margin=5.0\n" in out


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_can_be_asked_for(run, name):
    code, out, err = run("losses", name)
    assert (code, err) == (0, "")
    assert out.startswith(f"{name}: {LOSSES[name].use}\n")


def test_a_loss_without_options_has_no_table_of_them(run):
    code, out, _ = run("losses", "cosine")
    assert code == 0
    assert "options" not in out


def test_an_unknown_name_is_answered_with_the_nearest(run):
    code, out, err = run("losses", "cosnet")
    assert (code, out) == (2, "")
    assert 'there is no loss "cosnet"' in err
    assert "To mend: one of: " in err
    assert "cosent" in err
