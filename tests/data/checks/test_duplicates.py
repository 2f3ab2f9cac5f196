from likewise.data.checks.duplicates import check_duplicates


def test_repeats_are_found_whatever_their_case_and_punctuation(make):
    data = make("pairs", anchor=["One?", "two", "one"], positive=["Yes.", "no", "YES"])
    finding = check_duplicates(data)[0]
    assert (finding.level, finding.count) == ("warning", 1)
    assert [place.row for place in finding.rows] == [4]


def test_the_same_texts_with_another_label_contradict(make):
    data = make("labelled", text=["a", "b", "a", "b"], label=["x", "y", "z", "y"])
    repeats, contradictions = check_duplicates(data)
    assert repeats.count == 2
    assert contradictions.count == 1
    assert contradictions.rows[0].row == 4
    assert "another label" in contradictions.text


def test_swapped_sides_repeat_only_where_sides_are_alike(make):
    scored = make("scored", sentence1=["a", "b"], sentence2=["b", "a"], score=[1, 2])
    assert [finding.count for finding in check_duplicates(scored)] == [1, 1]
    nli = make("nli", premise=["a", "b"], hypothesis=["b", "a"], label=[0, 1])
    assert check_duplicates(nli) == []


def test_shared_positives_are_a_note(make):
    data = make("pairs", anchor=["a", "b", "c"], positive=["x", "x", "y"])
    (finding,) = check_duplicates(data)
    assert (finding.level, finding.count) == ("note", 2)


def test_repeated_documents_are_found(retrieval):
    (finding,) = check_duplicates(retrieval)
    assert "1 of 3 documents repeat" in finding.text
