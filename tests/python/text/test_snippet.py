from twotower.text.snippet import snippet


def words(text):
    return text.lower().split()


def test_a_short_text_is_whole():
    assert snippet("one  two\nthree", ["two"], words) == "one two three"


def test_the_window_holds_the_most_distinct_terms():
    text = " ".join(["x"] * 50 + ["needle"] * 3 + ["x"] * 50 + ["needle", "thread"] + ["x"] * 50)
    found = snippet(text, ["needle", "thread"], words, n_words=10)
    assert "needle thread" in found
    assert found.startswith("... ")
    assert found.endswith(" ...")
    assert len(found.split()) == 12


def test_without_a_match_the_beginning_is_shown():
    text = " ".join(str(i) for i in range(100))
    assert snippet(text, ["absent"], words, n_words=5) == "0 1 2 3 4 ..."


def test_an_early_match_keeps_the_beginning():
    text = " ".join(["needle", *(str(i) for i in range(100))])
    assert snippet(text, ["needle"], words, n_words=3) == "needle 0 1 ..."


def test_empty_text():
    assert snippet("", ["a"], words) == ""
