import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.conftest import labelled_case, retrieval_case, table
from likewise.errors import InputError
from likewise.evaluation import nearest
from likewise.evaluation.class_splits import FOLDS, split_classes


def labelled(labels, *, start=0):
    texts = [f"text {i:03d}" for i in range(start, start + len(labels))]
    return table(kind="labelled", text=texts, label=list(labels))


@given(st.lists(st.sampled_from("abcd"), min_size=10, max_size=60), st.randoms())
@settings(deadline=None, max_examples=50)
def test_folds_measure_each_text_once_and_share_every_label_evenly(labels, draw):
    labels = [*labels, "a", "a", "b", "b"]
    data = labelled(labels)
    found = split_classes(data)
    assert found.measured.tolist() == list(range(len(labels)))
    for split in found.splits:
        both = np.concatenate([split.learnt, split.measured])
        assert sorted(both.tolist()) == list(range(len(labels)))
        assert len(set(found.classes[split.learnt])) > 1
        for one in range(len(found.labels)):
            share = (found.classes == one).sum() / FOLDS
            here = (found.classes[split.measured] == one).sum()
            assert np.floor(share) <= here <= np.ceil(share)
    order = list(range(len(labels)))
    draw.shuffle(order)
    again = split_classes(data.take(order))
    assert again.texts == found.texts
    for split, other in zip(found.splits, again.splits, strict=True):
        assert split.measured.tolist() == other.measured.tolist()


def test_labels_are_numbered_by_name():
    found = split_classes(labelled("bbbbbaaaaa"))
    assert found.labels == ("a", "b")
    assert found.classes.tolist() == [1] * 5 + [0] * 5
    assert found.available.tolist() == [4, 4]


def test_rare_labels_are_said_and_a_lone_text_is_never_learnt_when_it_is_measured():
    found = split_classes(labelled("aaaaaaabbbcd"))
    assert found.notes[:2] == (
        "3 labels have fewer than 5 texts, and are not in every fold",
        "2 texts are alone in their label: it is not learnt, and they count as wrong",
    )
    lone = found.classes.tolist().index(found.labels.index("c"))
    (split,) = (split for split in found.splits if lone in split.measured)
    assert found.classes[lone] not in found.classes[split.learnt]


def test_a_file_of_its_own_is_learnt_from_and_the_other_measured():
    found = split_classes(labelled("ab" * 6), labelled("ab" * 4, start=100))
    (split,) = found.splits
    assert [found.texts[i] for i in split.learnt] == [f"text {i}" for i in range(100, 108)]
    assert [found.texts[i] for i in split.measured] == [f"text {i:03d}" for i in range(12)]
    assert found.notes == ("learnt from 8 texts of labelled",)


def test_texts_in_both_files_are_not_measured_and_repeats_count_once():
    train = labelled("abababab", start=10)
    texts = [f"text {i:03d}" for i in range(12)]
    data = table(kind="labelled", text=[*texts, "text 001!"], label=["a", "b"] * 6 + ["b"])
    found = split_classes(data, train)
    assert [found.texts[i] for i in found.measured] == texts[:10]
    assert found.notes[:2] == (
        "1 repeated texts count once",
        "2 of 12 texts stand in the training data too, and are not measured on",
    )


def test_labels_that_training_lacks_are_named_and_counted():
    found = split_classes(labelled("aabbccd" * 2), labelled("abe", start=100))
    assert (
        "6 texts have a label that the training data lacks, and count as wrong: c (4), d (2)"
        in found.notes
    )
    assert found.labels == ("a", "b", "c", "d", "e")
    assert found.available.tolist() == [1, 1, 0, 0, 1]
    many = split_classes(labelled("cdefghi" * 2), labelled("ab", start=100))
    assert many.notes[0].endswith("c (2), d (2), e (2), f (2), g (2) and 2 more")


def test_only_results_on_the_same_training_data_can_be_compared():
    data = labelled("ab" * 6)
    one, again, other = (
        split_classes(data, labelled(labels, start=100)) for labels in ("abab", "abab", "abba")
    )
    alone = split_classes(data)
    assert one.fingerprint == again.fingerprint
    assert len({one.fingerprint, other.fingerprint, alone.fingerprint}) == 3
    assert alone.fingerprint == data.fingerprint


@pytest.mark.parametrize("is_apart", [False, True])
def test_a_large_set_is_sampled_by_the_seed(monkeypatch, is_apart):
    monkeypatch.setattr(nearest, "SAMPLE", 40)
    train = labelled("ab" * 4, start=1000) if is_apart else None
    data = labelled_case().data
    one, again, other = (split_classes(data, train, seed=seed) for seed in (0, 0, 1))
    assert one.texts == again.texts != other.texts
    assert len(one.measured) == 40
    assert any("40 of 120 texts were drawn" in note for note in one.notes)


@pytest.mark.parametrize(
    ("labels", "train", "problem"),
    [
        ("a" * 12, None, "all 12 rows have the label a"),
        ("a" * 12, "ab", "all 12 rows have the label a"),
        ("ab" * 6, "aaa", "all 3 rows have the label a"),
        ("aaaabbbb", None, "8 distinct texts to be measured on: an evaluation needs 10"),
        ("abcdefghijkk", None, "1 labels have two texts or more, and to learn needs two"),
    ],
)
def test_what_cannot_be_learnt_or_measured_is_refused(labels, train, problem):
    training = None if train is None else labelled(train, start=100)
    with pytest.raises(InputError, match=problem):
        split_classes(labelled(labels), training)


def test_what_is_left_after_the_texts_learnt_from_may_be_too_little():
    data = labelled("ab" * 6)
    with pytest.raises(InputError, match=r"8 distinct texts .*, after 4 that stand in"):
        split_classes(data, labelled("baba", start=8))
    data = labelled("a" * 10 + "b" * 2)
    with pytest.raises(InputError, match=r"all 10 texts .* have the label a, after 2 that stand"):
        split_classes(data, labelled("ba", start=10))


def test_training_data_of_another_kind_is_refused():
    pairs = table(kind="pairs", anchor=["a"], positive=["b"])
    for train in (pairs, retrieval_case().data):
        with pytest.raises(InputError, match=f'is of kind "{train.kind}".*\n.*kind "labelled"'):
            split_classes(labelled("ab" * 6), train)
