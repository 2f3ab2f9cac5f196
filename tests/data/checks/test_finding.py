from likewise.data.checks.finding import places


def test_places_are_the_first_twenty_as_an_editor_shows_them(make, retrieval):
    data = make("texts", text=["a"] * 30)
    found = places(data, range(30))
    assert len(found) == 20
    assert str(found[0]) == "a.csv, row 2"
    assert [str(place) for place in places(retrieval, [1])] == ["small, query q2"]
