"""WordNet's files are found and read: terms, meanings in order, links."""

from relearn_lite.text.meaning import meanings
from relearn_lite.text.wordnet import synsets


def test_the_first_the_last_and_a_term_are_found():
    assert [s.words for s in synsets("zymurgy")] == [("zymology", "zymurgy")]
    assert next(synsets("whooping cough")).words == ("whooping cough", "pertussis")
    assert list(synsets("no such word")) == list(synsets("zz")) == []


def test_meanings_have_definitions_and_links():
    vienna = next(synsets("vienna"))
    assert vienna.kind == "n" and vienna.definition.startswith("the capital and largest city of Austria")
    assert any("national capital" in kind.words for kind in vienna.linked("@i"))
    assert len(list(synsets("dismiss", 2))) == 2 < len(list(synsets("dismiss")))


def test_a_name_means_what_has_a_capital():
    assert meanings("Turkey") and all("austria" not in each.definition for each in meanings("Turkey"))
    assert any("bird" in each.definition for each in meanings("turkey"))
    assert all("bird" not in each.definition for each in meanings("Turkey"))
