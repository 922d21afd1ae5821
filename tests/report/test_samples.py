from relearn_lite.report.samples import cards, compare, status


def marked(pieces, mark):
    return [piece.text for piece in pieces if piece.mark == mark]


def test_worst_leaks_first_then_what_was_lost(results):
    order = [(card.id, card.status) for card in cards(results.samples) if not card.id.startswith("h-")]
    assert order == [("f1", "leaked"), ("f3", "leaked"), ("f2", "forgotten"), ("r2", "lost"), ("r1", "kept")]


def test_what_could_not_be_judged_is_neither_leaked_nor_forgotten(results):
    unjudged = [card for card in cards(results.samples) if card.id.startswith("h-")]
    assert {card.status for card in unjudged} == {"unjudged"}
    assert status("retain_paraphrase", {}) == "unjudged"


def test_only_words_that_tell_something_are_marked():
    original, answer = compare(
        "Bram Osei was born on 3 May 1961.", "Bram Osei was born on 3 May, long ago.", "When was Bram Osei born?"
    )
    assert marked(original, "same") == marked(answer, "same") == ["3 May"]
    assert marked(original, "only") == ["1961"]
    assert "".join(piece.text for piece in answer) == "Bram Osei was born on 3 May, long ago."


def test_covered_names_are_compared_before_they_are_covered():
    original, answer = compare("It is Kelp.", "It is Kent.", known=frozenset())
    assert marked(original, "only") == marked(answer, "only") == ["K▒▒▒"]


def test_mask_covers_forget_questions_only(results):
    shown = {card.id: card for card in cards(results.samples, mask=True)}
    secret = shown["f1"].query + "".join(answer.text for answer in shown["f1"].answers)
    assert not any(word in secret for word in ("Ada", "Fennimore", "Kelp", "12", "Harrowby"))
    assert "Shakespeare" in shown["r2"].answers[1].text
