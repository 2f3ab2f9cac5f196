from likewise.report.facts import (
    data_facts,
    data_files,
    flatten,
    machine_facts,
    made_facts,
    notes,
    said,
    training_facts,
)
from likewise.report.record import read_run


def test_training_is_summed_over_its_steps(write_run):
    facts = dict(training_facts(read_run(write_run())))
    assert facts["Steps"] == "68"
    assert facts["Rows seen"] == "4,352"  # 68 steps of 64
    assert facts["Tokens read"] == "204,000"  # 68 steps of 3,000
    assert facts["Speed"] == "40.0 rows a second"  # 64 rows every 1.6 s
    assert training_facts(read_run(write_run("bare", metrics=None))) == []


def test_the_data_says_rows_cuts_ignored_columns_and_masked_negatives(write_run):
    run = read_run(write_run())
    facts = dict(data_facts(run))
    assert facts["rows, train"] == "4,348"
    assert facts["cut, positive"] == "1,207"
    assert facts["ignored columns"] == "id, url"
    assert facts["In-batch negatives masked because they repeat a positive"] == "204"  # 68 x 3
    assert data_files(run) == [("my pairs.csv", "abababababababab…")]


def test_notes_of_reading_and_of_measuring_stand_together(write_run):
    assert notes(read_run(write_run())) == [
        "12 rows repeat another and were dropped",
        "similarities of 800 queries, drawn from 853",
    ]


def test_machine_and_origin_are_named(write_run):
    run = read_run(write_run())
    facts = dict(machine_facts(run))
    assert (facts["memory"], facts["torch"], facts["python"]) == ("8.0 GiB", "2.13.0", "3.11.2")
    assert "cuda" not in facts  # there is none
    assert made_facts(run)[0] == ("Base model", "minilm")


def test_a_manifest_of_other_shapes_is_no_reason_to_fail(write_run):
    run = read_run(write_run(manifest={"files": ["a"], "notes": "one", "command": "likewise demo"}))
    assert data_files(run) == []
    assert notes(run)[0] == "one"
    assert run.command == "likewise demo"


def test_values_are_said_as_people_read_them():
    assert [said(v) for v in (True, False, 12345, 0.5, [1, "b"])] == [
        "yes",
        "no",
        "12,345",
        "0.5",
        "1, b",
    ]
    assert flatten({"a_b": {"c": 1}, "none": None, "empty": []}) == [("a b, c", "1")]
