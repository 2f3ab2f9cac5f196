from likewise.data.checks.leakage import check_leakage


def test_a_few_seen_rows_are_a_warning_and_half_of_them_an_error(make):
    train = make("pairs", "train.csv", anchor=["a", "b", "c"], positive=["x", "y", "z"])
    few = make("pairs", anchor=["a", "d", "e"], positive=["X!", "y", "z"])
    (finding,) = check_leakage(few, [train])
    assert (finding.level, finding.count) == ("warning", 1)
    assert finding.text == "1 of 3 rows occur in train.csv too"
    assert finding.facts["share"] == 1 / 3
    assert check_leakage(train, [train])[0].level == "error"


def test_nothing_given_before_is_nothing_leaked(make):
    assert check_leakage(make("texts", text=["a"])) == []


def test_rows_that_are_nearly_the_same_are_a_warning_of_their_own(make):
    text = "a man is playing a large flute in the garden behind the house"
    train = make("texts", "train.csv", text=[text, "another one"])
    test = make("texts", text=[text.replace("flute", "flutes"), "Another one.", "a third"])
    same, near = check_leakage(test, [train])
    assert same.text == "1 of 3 rows occur in train.csv too"
    assert (near.level, near.text) == ("warning", "1 of 3 rows nearly occur in train.csv too")
    assert near.rows[0].row == 2
