from dataclasses import replace

from likewise.data.checks.scores import check_scores


def scored(make, scores):
    texts = [f"{i}" for i in range(len(scores))]
    return make("scored", sentence1=texts, sentence2=texts, score=scores)


def test_scores_are_counted_over_their_whole_scale(make):
    (finding,) = check_scores(scored(make, [0.5, 0.6, 4.9, 5.0]))
    assert list(finding.facts.values()) == [2, 0, 0, 0, 2]
    assert "from 0 to 5, mean 2.75" in finding.text


def test_equal_scores_are_a_warning(make):
    (finding,) = check_scores(scored(make, [3.0, 3.0]))
    assert finding.level == "warning"
    assert "all 2 scores are 3" in finding.text


def test_a_scale_that_is_only_the_range_found_is_a_warning(make):
    data = replace(scored(make, [3.0, 250.0]), score_range=(3.0, 250.0))
    _, finding = check_scores(data)
    assert finding.level == "warning"
    assert "--score-range" in finding.mend


def test_without_scores_there_is_nothing_to_say(make):
    assert check_scores(make("texts", text=["a"])) == []


def test_a_teacher_that_prefers_a_negative_is_named(make):
    texts = ["a", "b", "c"]
    data = make(
        "distilled",
        anchor=texts,
        positive=["p", "q", "r"],
        negative=[["x", "y"]] * 3,
        scores=[[5.0, 1.0, 2.0], [1.0, 0.0, 1.5], [3.0, -1.0, 0.0]],
    )
    note, warning = check_scores(data)
    # margins to the best negative: 3, -0.5, 3
    assert note.facts == {"lowest": -1, "highest": 5, "median_margin": 3}
    assert [place.row for place in warning.rows] == [3]
    assert "in 1 of 3 rows the teacher holds a negative for better" in warning.text


def test_a_teacher_that_says_one_thing_teaches_nothing(make):
    data = make("distilled", anchor=["a"], positive=["p"], negative=["x"], scores=[[2.0, 2.0]])
    (finding,) = check_scores(data)
    assert "all 2 teacher scores are 2" in finding.text
