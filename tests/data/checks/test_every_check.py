"""What every check must do: a new one is tested as soon as it stands in the table."""

import json
from dataclasses import replace

import numpy as np
import pytest

from likewise.data.checks import CHECKS
from likewise.data.checks.finding import Finding
from likewise.errors import SHOWN

every_check = pytest.mark.parametrize("name", list(CHECKS))


@pytest.fixture
def faulty(make):
    """One data set of each kind, with something to find for several checks."""
    n = 40
    texts = [f"text {i // 2}" for i in range(n)]
    return [
        make("pairs", anchor=texts, positive=texts, negative=texts),
        make("pairs", anchor=texts, positive=[[text, "x"] for text in texts]),
        make("scored", sentence1=texts, sentence2=texts, score=[i % 5 for i in range(n)]),
        make("nli", premise=texts, hypothesis=texts, label=[i % 3 for i in range(n)]),
        make("pair-labels", sentence1=texts, sentence2=texts, label=[0] * n),
        make("labelled", text=texts, label=["a", *["b"] * (n - 1)]),
        make("distilled", anchor=texts, positive=texts, negative=texts, scores=[[0, 1]] * n),
        make("texts", text=texts),
    ]


@pytest.fixture
def findings(name, faulty, retrieval):
    sets = [*faulty, retrieval]
    return [(data, finding) for data in sets for finding in CHECKS[name](data, sets)]


@every_check
def test_it_finds_something_in_faulty_data(name, findings):
    assert findings


@every_check
def test_its_findings_can_be_acted_on(name, findings):
    for data, finding in findings:
        assert isinstance(finding, Finding)
        assert finding.level in {"error", "warning", "note"}
        assert finding.text
        assert finding.text[-1] != "."
        if finding.level != "note":
            assert finding.mend
            assert finding.count > 0
        assert len(finding.rows) <= SHOWN
        assert len(finding.rows) <= max(finding.count, 0)
        rows = {place.row for place in finding.rows}
        assert rows <= ({*data.row.tolist()} if hasattr(data, "row") else {None})


@every_check
def test_its_findings_are_plain_values(name, findings):
    for _, finding in findings:
        json.dumps(dict(finding.facts))
        assert type(finding.count) is int


@every_check
def test_it_needs_no_other_data(name, faulty, retrieval):
    for data in [*faulty, retrieval]:
        assert isinstance(CHECKS[name](data), list)


@every_check
def test_it_has_no_complaint_about_good_data(name, make):
    n = 12
    first = [f"first text number {i}" for i in range(n)]
    second = [f"second text number {i}" for i in range(n)]
    third = [f"third text number {i}" for i in range(n)]
    good = [
        make("pairs", anchor=first, positive=second),
        make("scored", sentence1=first, sentence2=second, score=[i % 6 for i in range(n)]),
        make("nli", premise=first, hypothesis=second, label=[i % 3 for i in range(n)]),
        make("pair-labels", sentence1=first, sentence2=second, label=[i % 2 for i in range(n)]),
        make("labelled", text=first, label=["a", "b"] * (n // 2)),
        make("distilled", anchor=first, positive=second, negative=third, scores=[[1, 0]] * n),
        make("texts", text=first),
    ]
    for data in good:
        assert [finding.text for finding in CHECKS[name](data) if finding.level != "note"] == []


@every_check
def test_it_changes_nothing(name, faulty):
    for data in faulty:
        before = data.fingerprint
        CHECKS[name](data, faulty)
        assert replace(data).fingerprint == before


@every_check
def test_the_order_of_the_rows_changes_no_count(name, faulty):
    for data in faulty:
        order = np.random.default_rng(0).permutation(len(data))
        counted = [(f.level, f.count) for f in CHECKS[name](data, faulty)]
        assert [(f.level, f.count) for f in CHECKS[name](data.take(order), faulty)] == counted


@every_check
def test_one_row_is_enough(name, make):
    for data in (
        make("pairs", anchor=["a"], positive=["b"], negative=["c"]),
        make("scored", sentence1=["a"], sentence2=["b"], score=[1]),
        make("texts", text=["a"]),
    ):
        assert isinstance(CHECKS[name](data, [data]), list)
