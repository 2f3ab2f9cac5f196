"""The table: who is compared with whom, and its file."""

import json
from pathlib import Path

import numpy as np
import pytest

from likewise.comparison.table import (
    Comparison,
    Line,
    from_json,
    lay_out,
    read_comparison,
    to_json,
    write_comparison,
)
from likewise.errors import InputError
from likewise.evaluation.differences import holm
from likewise.evaluation.result import Result
from likewise.evaluation.statistics import score


def make_result(model: str, value: float, *, spread: float = 0.01) -> Result:
    draws = value + spread * np.random.default_rng(len(model)).normal(size=500)
    return Result(
        task="sts", evaluator="similarity", primary="spearman", model=model, n=99, data="d",
        scores={"spearman": score(value, draws, 99)}, draws={"spearman": draws},
    )  # fmt: skip


def make_line(name: str, **changed) -> Line:
    return Line(
        **{"name": name, "base": "tiny", "labels": 5, "rows": 9, "seeds": 1, "seconds": 2.5}
        | changed
    )


@pytest.fixture
def comparison() -> Comparison:
    lines = [
        make_line("softmax"),
        make_line("broken", seeds=0, problem="out of memory"),
        make_line("cosine", reference="0.72, bert-base"),
        make_line("elsewhere", base="other"),
    ]
    rows = {"softmax": 0.5, "cosine": 0.7, "elsewhere": 0.701}
    return lay_out(
        lines,
        {name: make_result(name, value) for name, value in rows.items()},
        [make_result("tiny", 0.6)],
    )


def test_a_row_without_a_score_is_passed_over(comparison: Comparison):
    assert comparison.against_above["cosine"].against == "softmax"
    assert comparison.against_above["elsewhere"].against == "cosine"
    assert comparison.against_first["elsewhere"].against == "softmax"
    assert "broken" not in comparison.against_above
    assert comparison.result("broken") is None


def test_only_a_base_that_was_measured_is_compared_with(comparison: Comparison):
    assert comparison.against_base.keys() == {"softmax", "cosine"}
    assert comparison.against_base["cosine"].value == pytest.approx(0.1)


def test_the_first_row_is_judged_by_its_base_and_others_by_the_first(comparison: Comparison):
    names = ("softmax", "broken", "cosine", "elsewhere")
    found = [comparison.verdict_of(name) for name in names]
    assert found == ["worse", None, "better", "better"]


def test_all_differences_that_the_table_shows_are_one_family(comparison: Comparison):
    columns = (comparison.against_first, comparison.against_above, comparison.against_base)
    shown = {
        (one.model, one.against): (one.p_value, one.p_holm)
        for column in columns
        for one in column.values()
    }
    # cosine stands below softmax, which is the first row too: a pair that counts once
    assert len(shown) == 5
    assert sum(map(len, columns)) == 6
    p_values, corrected = zip(*shown.values(), strict=True)
    assert corrected == pytest.approx(holm(p_values))
    assert comparison.is_corrected


def test_what_is_sure_alone_may_not_be_among_many():
    lines = [make_line("first", base="none"), make_line("second", base="none")]
    near = {"first": make_result("first", 0.5), "second": make_result("second", 0.533)}
    alone = lay_out(lines, near, [])
    assert not alone.is_corrected
    assert alone.verdict_of("second") == "better"
    names = ["x" * length for length in range(7, 16)]  # draws follow from the length of a name
    more = [*lines, *(make_line(name, base="none") for name in names)]
    rows = near | {name: make_result(name, 0.5) for name in names}
    among = lay_out(more, rows, [])
    assert among.against_first["second"].low > 0
    assert among.against_first["second"].p_holm > 0.05
    assert among.verdict_of("second") == "no better"


def test_a_file_gives_back_what_was_written(comparison: Comparison, tmp_path: Path):
    write_comparison(comparison, tmp_path / "comparison.json")
    found = read_comparison(tmp_path / "comparison.json")
    assert to_json(found) == to_json(comparison)
    assert found.lines == comparison.lines
    assert found.verdict_of("cosine") == "better"


def test_nothing_measured_is_a_table_too():
    empty = lay_out([make_line("a", seeds=0, problem="has not run yet")], {}, [])
    assert from_json(to_json(empty)).lines == empty.lines
    assert empty.evaluation.verdict is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ('{"schema": "other"}', "expected the schema"),
        ('{"schema": "likewise.comparison/1"}', "a part is missing"),
    ],
)
def test_a_damaged_file_is_refused(text: str, problem: str, tmp_path: Path):
    path = tmp_path / "comparison.json"
    path.write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        read_comparison(path)
    assert str(path) in str(caught.value)


def test_no_file_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        read_comparison(tmp_path / "comparison.json")


def test_json_has_no_number_that_json_lacks(comparison: Comparison):
    json.dumps(to_json(comparison), allow_nan=False)
