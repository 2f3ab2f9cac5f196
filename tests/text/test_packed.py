import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from likewise.text.packed import Packed, filled, pack

some_texts = st.lists(
    st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=9), min_size=1, max_size=12
)


@given(some_texts)
def test_packing_loses_nothing(texts: list[list[int]]):
    packed = pack(texts)
    cut = zip(packed.starts.tolist(), packed.starts.tolist()[1:], strict=False)
    assert [packed.ids[a:b].tolist() for a, b in cut] == texts
    assert len(packed) == len(texts)
    assert packed.lengths.tolist() == [len(text) for text in texts]


@given(some_texts)
def test_each_token_knows_its_text_and_its_place_there(texts: list[list[int]]):
    packed = pack(texts)
    assert packed.owners().tolist() == [s for s, text in enumerate(texts) for _ in text]
    assert packed.positions().tolist() == [i for text in texts for i, _ in enumerate(text)]


def test_ids_of_a_tokenizer_become_one_stream_of_int64():
    packed = pack([np.array([5, 6], dtype=np.int32), np.array([7], dtype=np.int32)])
    assert packed.ids.dtype == packed.starts.dtype == torch.int64
    assert packed.ids.tolist() == [5, 6, 7]
    assert packed.pooled is None


@pytest.mark.parametrize(
    ("ids", "starts", "message"),
    [
        ([1, 2], [0, 1], "from 0 to 2"),
        ([1, 2], [1, 2], "from 0 to 2"),
        ([1, 2], [0, 0, 2], "one token at least"),
        ([1, 2], [0, 2, 1, 2], "one token at least"),
        ([[1, 2]], [0, 2], r"ids must be \[T\]"),
        ([], [0], "S at least 1"),
    ],
)
def test_boundaries_that_do_not_fit_the_stream_are_refused(ids, starts, message: str):
    with pytest.raises(ValueError, match=message):
        Packed(ids=torch.tensor(ids), starts=torch.tensor(starts))


def test_a_text_without_tokens_cannot_be_packed():
    with pytest.raises(ValueError, match="one token at least"):
        pack([[1], [], [2]])


def test_moving_takes_ids_and_leaves_boundaries_on_the_cpu():
    packed = Packed(
        ids=torch.tensor([1, 2, 3]),
        starts=torch.tensor([0, 1, 3]),
        pooled=torch.tensor([True, False, True]),
    )
    moved = packed.to("meta")
    assert moved.ids.device.type == "meta"
    assert moved.pooled is not None
    assert moved.pooled.device.type == "meta"
    assert moved.starts.tolist() == [0, 1, 3]
    assert moved.lengths.tolist() == [1, 2]


def test_types_of_tokens_go_with_their_stream():
    packed = Packed(
        ids=torch.tensor([5, 6, 7]),
        starts=torch.tensor([0, 2, 3]),
        segments=torch.tensor([0, 1, 1]),
    )
    moved = packed.to("meta")
    assert moved.segments is not None
    assert moved.segments.device.type == "meta"
    assert pack([[1]]).to("cpu").segments is None


def test_types_that_do_not_fit_the_stream_are_refused():
    with pytest.raises(ValueError, match="segments must be"):
        Packed(ids=torch.tensor([1, 2]), starts=torch.tensor([0, 2]), segments=torch.tensor([0]))


def test_each_text_keeps_the_model_that_embeds_it():
    packed = pack([[1], [2, 3], [4]])
    two = Packed(ids=packed.ids, starts=packed.starts, towers=torch.tensor([0, 1, 1]))
    assert two.to("cpu").towers.tolist() == [0, 1, 1]
    assert two.slice(1, 3).towers.tolist() == [1, 1]
    with pytest.raises(ValueError, match="towers"):
        Packed(ids=packed.ids, starts=packed.starts, towers=torch.tensor([0]))


@given(some_texts, st.data())
def test_a_slice_holds_some_of_the_texts_and_all_that_belongs_to_them(texts, data):
    first = data.draw(st.integers(0, len(texts) - 1))
    last = data.draw(st.integers(first + 1, len(texts)))
    whole = pack(texts)
    marked = Packed(
        ids=whole.ids, starts=whole.starts, pooled=whole.ids % 2 == 0, segments=whole.ids + 1
    )
    part = marked.slice(first, last)
    expected = pack(texts[first:last])
    assert torch.equal(part.ids, expected.ids)
    assert torch.equal(part.starts, expected.starts)
    assert part.pooled is not None
    assert part.segments is not None
    assert torch.equal(part.pooled, expected.ids % 2 == 0)
    assert torch.equal(part.segments, expected.ids + 1)
    assert whole.slice(first, last).segments is None


@given(sizes=st.lists(st.integers(1, 300), min_size=1, max_size=40))
def test_a_filler_makes_few_sizes_and_changes_no_text(sizes: list[int]):
    packed = pack([list(range(size)) for size in sorted(sizes)])
    stream, place = filled(packed, 7, longest=512)
    tokens, before = len(stream.ids), len(packed.ids)
    assert before <= tokens <= before + max(before / 32, 4)
    step = 1 << max(before.bit_length() - 6, 2)
    assert tokens % step == 0
    texts = [stream.ids[a:b].tolist() for a, b in itertools.pairwise(stream.starts.tolist())]
    assert [len(text) for text in texts] == sorted(len(text) for text in texts)
    if place is not None:
        assert set(texts.pop(place)) == {7}
    assert texts == [list(range(size)) for size in sorted(sizes)]


@given(sizes=st.lists(st.integers(1, 90), min_size=1, max_size=20))
def test_a_filler_is_of_the_first_type_and_moves_no_other(sizes: list[int]):
    whole = pack([[7] * size for size in sorted(sizes)])
    types = torch.arange(len(whole.ids)) + 1
    typed = Packed(ids=whole.ids, starts=whole.starts, segments=types)
    stream, place = filled(typed, 0, longest=512)
    assert stream.segments is not None
    assert torch.equal(stream.segments[stream.ids == 7], types)
    assert not stream.segments[stream.ids == 0].any()
    assert (place is None) == (len(stream.ids) == len(whole.ids))


def test_a_filler_is_no_longer_than_a_text_may_be():
    packed = pack([[1] * 32] * 2000 + [[1] * 31])
    stream, place = filled(packed, 7, longest=32)
    assert place is not None
    assert int(stream.lengths.max()) <= 32
