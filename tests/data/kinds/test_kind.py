import pyarrow as pa

from likewise.data.kinds.kind import Kind, text_role
from likewise.data.kinds.values import parse_text


def test_a_numbered_role_takes_numbers_with_and_without_a_line():
    role = text_role("negative", parse_text, numbered=True)
    for name in ("negative", "negative_1", "negative2", "Negative_17"):
        assert role.matches(name)
    for name in ("negative_", "negative_x", "a negative"):
        assert not role.matches(name)


def test_other_roles_take_no_numbers():
    assert not text_role("anchor", parse_text).matches("anchor_1")


def test_a_role_is_found_by_its_name_or_its_numbered_name():
    negative = text_role("negative", parse_text, required=False, numbered=True)
    anchor = text_role("anchor", parse_text)
    kind = Kind(name="some", roles=(anchor, negative), example={})
    assert kind.role("anchor") is anchor
    assert kind.role("negative_2") is negative
    assert kind.role("score") is None
    assert kind.required == (anchor,)
    assert anchor.arrow == pa.large_string()
