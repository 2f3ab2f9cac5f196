from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.methods.mnr import train_mnr
from training.small_runs import Log, Watch, make_data, make_fit, nli, pairs, same_weights, weights


def test_of_nli_rows_only_entailments_are_positives(tiny_encoder, tmp_path: Path):
    data = nli(24)
    fit = Watch(make_fit(tiny_encoder, tmp_path))
    train_mnr(fit, data)
    rows = data.table.to_pylist()
    entailed = {(r["premise"], r["hypothesis"]) for r in rows if r["label"] == 0}
    refuted = {(r["premise"], r["hypothesis"]) for r in rows if r["label"] == 2}
    used = fit.data.table.to_pylist()
    assert {(r["anchor"], r["positive"]) for r in used} == entailed
    assert {(r["anchor"], r["negative"]) for r in used} == refuted
    assert any("entailments became pairs: 8" in note for note in fit.notes)
    assert any("neutral" in note and "left out: 8" in note for note in fit.notes)
    assert any("hard negative: 8" in note for note in fit.notes)


def test_without_hard_negatives_the_batch_alone_contrasts(new_encoder, tmp_path: Path):
    texts = {}
    for negatives in ("hard", "none"):
        log = Log()
        fit = make_fit(new_encoder(), tmp_path / negatives, observers=[log])
        train_mnr(fit, nli(24), negatives=negatives)
        texts[negatives] = [step.texts for step in log.steps]
    assert texts == {"hard": [12, 12], "none": [8, 8]}  # 4 rows of 3 texts, or of 2


@pytest.mark.parametrize("option", [{"scale": 5.0}, {"symmetric": True}])
def test_an_option_changes_what_is_learnt(new_encoder, tmp_path: Path, option):
    plain, other = new_encoder(), new_encoder()
    train_mnr(make_fit(plain, tmp_path / "a"), pairs(24))
    train_mnr(make_fit(other, tmp_path / "b"), pairs(24), **option)
    assert not same_weights(weights(plain), weights(other))


def test_repeats_in_the_data_are_masked_and_counted(tiny_encoder, tmp_path: Path):
    data = make_data(
        "pairs",
        anchor=["apple", "river", "engine", "letter"],
        positive=["planet", "Planet.", "bridge", "violin"],
    )
    log = Log()
    train_mnr(make_fit(tiny_encoder, tmp_path, observers=[log]), data)
    assert [step.masked for step in log.steps] == [2]


def test_nli_rows_without_an_entailment_are_refused(tiny_encoder, tmp_path: Path):
    data = make_data("nli", premise=["a", "b"], hypothesis=["c", "d"], label=[1, 2])
    with pytest.raises(InputError, match="none of 2 rows is an entailment"):
        train_mnr(make_fit(tiny_encoder, tmp_path), data)
