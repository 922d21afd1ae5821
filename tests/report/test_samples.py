from relearn_lite.report.render import render_html, render_markdown
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


def test_another_form_of_the_questions_verb_is_not_marked():
    """ "Written" was red, as if it were still told who wrote it."""
    original, answer = compare("Emma was written by Ann Lee.", "Emma was written by somebody.", "Who wrote Emma?")
    assert marked(original, "same") == marked(answer, "same") == []


def test_covered_names_are_compared_before_they_are_covered():
    original, answer = compare("It is Kelp.", "It is Kent.", known=frozenset())
    assert marked(original, "only") == marked(answer, "only") == ["K▒▒▒"]


def test_mask_covers_forget_questions_only(results):
    shown = {card.id: card for card in cards(results.samples, mask=True)}
    secret = shown["f1"].query + "".join(answer.text for answer in shown["f1"].answers)
    assert not any(word in secret for word in ("Ada", "Fennimore", "Kelp", "12", "Harrowby"))
    assert "Shakespeare" in shown["r2"].answers[0].text


def test_what_kfr_calls_forgotten_and_the_answer_tells_stands_first_and_is_counted(results):
    asked = [sample for sample in results.samples if sample["scores"]["unlearned"].get("kfr") == 1.0]
    asked[-1]["scores"]["unlearned"]["leak"] = 1.0
    first = cards(results.samples)[0]
    assert (first.id, first.status) == (str(asked[-1]["id"]), "told")
    told = f"1 of {len(asked)} answers"
    assert told in render_html(results) and told in render_markdown(results)
    assert "forgotten, but told" in render_html(results)
