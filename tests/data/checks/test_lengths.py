from likewise.data.checks.lengths import check_lengths


def test_lengths_are_counted_in_characters_and_words(make):
    data = make("pairs", anchor=["ab", "abcd", "é b c"], positive=[["x"], ["y", "zz"], ["w"]])
    anchor, positive = check_lengths(data)
    assert anchor.facts["longest_characters"] == 5
    assert anchor.facts["median_characters"] == 4
    assert anchor.facts["median_words"] == 1
    assert positive.facts["texts"] == 4


def test_very_long_texts_are_estimated_over_the_limit(make):
    data = make("texts", text=["word " * 300, "short"])
    (finding,) = check_lengths(data)
    assert finding.facts["estimated_over_256_tokens"] == 1


def test_missing_negatives_are_not_counted(make):
    data = make("pairs", anchor=["a", "b"], positive=["c", "d"], negative=["e", None])
    assert check_lengths(data)[2].facts["texts"] == 1


def test_a_retrieval_set_has_queries_and_documents(retrieval):
    assert [finding.count for finding in check_lengths(retrieval)] == [2, 3]
