"""Through `datasets` itself, offline, in a process of its own: it keeps settings and caches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from likewise.data.readers.hub import read_hub
from likewise.errors import InputError

READ = """
import json, sys
from likewise.data import read
from likewise.errors import LikewiseError
answers = []
for name, options in json.loads(sys.argv[1]):
    try:
        data = read(name, **options)
        answers.append([data.kind, data.table.to_pylist(), data.row.tolist()])
    except LikewiseError as error:
        answers.append([type(error).__name__, str(error), error.exit_code])
json.dump(answers, sys.stdout)
"""


def answers_of(folder: Path, *sources):
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "cache"),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "PYTHONPATH": str(Path(__file__).parents[3] / "src"),
    }
    given = [source if isinstance(source, tuple) else (source, {}) for source in sources]
    done = subprocess.run(
        [sys.executable, "-c", READ, json.dumps(given)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_local_folders_splits_configurations_and_errors(tmp_path):
    org = tmp_path / "org"
    for name in ("one", "many", "labels", "pairs"):
        (org / name).mkdir(parents=True)
    (org / "one" / "train.csv").write_text("anchor,positive\na,b\nc,d\n")
    (org / "one" / "test.csv").write_text("anchor,positive\ne,f\n")
    (org / "pairs" / "data.csv").write_text("title,body\na,b\n")
    (org / "many" / "README.md").write_text(
        "---\nconfigs:\n- config_name: x\n  data_files: x.csv\n"
        "- config_name: y\n  data_files:\n  - split: dev\n    path: y.csv\n---\n"
    )
    for name in ("x", "y"):
        (org / "many" / f"{name}.csv").write_text(f"text\n{name}\n")
    (org / "labels" / "README.md").write_text(
        "---\ndataset_info:\n  features:\n  - name: premise\n    dtype: string\n"
        "  - name: hypothesis\n    dtype: string\n  - name: label\n    dtype:\n      class_label:\n"
        "        names:\n          '0': contradiction\n          '1': neutral\n"
        "          '2': entailment\n---\n"
    )
    (org / "labels" / "train.csv").write_text("premise,hypothesis,label\na,b,0\na,c,2\na,d,-1\n")
    answers = answers_of(
        tmp_path,
        "hub:org/one",
        "hub:org/one:test",
        "hub:org/one::test",
        "hub:org/one:dev",
        "hub:org/many:x",
        "hub:org/many:y:dev",
        "hub:org/many",
        "hub:org/labels",
        "hub:nobody/nothing",
        ("hub:org/pairs", {"columns": {"anchor": "title", "positive": "body"}}),
        "hub:org/pairs",
    )
    train, test, test_again, no_split, x, y, no_config, labels, nobody, by_hand, unbound = answers
    assert train == ["pairs", [{"anchor": t, "positive": p} for t, p in ("ab", "cd")], [1, 2]]
    assert test == test_again == ["pairs", [{"anchor": "e", "positive": "f"}], [1]]
    assert 'no split "dev"' in no_split[1]
    assert "hub:org/one::train or hub:org/one::test" in no_split[1]
    assert (x[1], y[1]) == ([{"text": "x"}], [{"text": "y"}])
    assert "name its configuration" in no_config[1]
    # the data set numbers its labels the other way round: its names decide
    assert [row["label"] for row in labels[1]] == [2, 0]
    assert nobody[0] == "InputError"
    assert nobody[2] == 2
    assert "cannot be reached" in nobody[1]
    assert by_hand[0] == "pairs"
    assert "hub:org/pairs: columns title, body" in unbound[1]


@pytest.mark.parametrize("name", ["hub:", "hub:a/b:c:d:e"])
def test_a_name_of_another_form_is_refused(name):
    with pytest.raises(InputError, match="expected hub:ORG/NAME"):
        list(read_hub(name))
