import pytest
from jinja2 import UndefinedError

from likewise.report.environment import build_environment, own_version, write_whole


def test_every_text_is_escaped_and_numbers_are_said_as_the_report_says_them():
    template = build_environment(loud=str.upper).from_string(
        "{{ text }} {{ 0.5 | signed }} {{ 111 | duration }} {{ 0.25 | percent }} {{ 'a' | loud }}"
    )
    assert template.render(text="<b>") == "&lt;b&gt; +0.500 1 min 51 s 25 % A"


def test_what_a_template_was_not_given_is_an_error():
    with pytest.raises(UndefinedError):
        build_environment().from_string("{{ missing }}").render()


def test_a_page_replaces_what_was_there_and_leaves_no_draft(tmp_path):
    path = tmp_path / "page.html"
    for text in ("first", "zweite Seite ä"):
        assert write_whole(text, path) == path
        assert path.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [path]


def test_the_version_is_this_package_s():
    assert own_version() == "0.1.0"
