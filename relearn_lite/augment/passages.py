"""New continuations of passages, checked by their words: the passage's own words are the secret."""

from __future__ import annotations

from relearn_lite.augment.drafts import Draft, Outcome
from relearn_lite.augment.form import FEWEST_WORDS, is_refusal, repeats_itself
from relearn_lite.text.leaks import leaks
from relearn_lite.text.recall import LEAKED_NGRAM, ngrams, rouge_recall, shares_ngram
from relearn_lite.text.turns import shown
from relearn_lite.text.words import words

MOST_RECALL = 0.3  # ROUGE-L recall of the rest; between unrelated passages 0.21 is rare (1 in 100)


def check_continuation(draft: Draft, text: str | None) -> Outcome:
    """Form, and how much of the text comes back: of the passage's rest by ROUGE-L and by names and numbers that the
    beginning does not have, and words in a row of any passage."""
    beginning, rest = shown(draft.task.question), draft.task.answer
    verdicts = {"form": "ok", "leak": None, "semantic": None, "judge": None}
    if fault := _form_fault(text):
        return Outcome(text, fault, {**verdicts, "form": fault})
    leaked = [f"{kind}: {what}" for kind, what in _specifics(text, beginning, rest)]
    if (rouge_recall(text, rest)["rougeL"] or 0.0) >= MOST_RECALL:
        leaked.append("text: most of its words in their order")
    if shares_ngram(text, rest, LEAKED_NGRAM) or not draft.secret.isdisjoint(ngrams(text, LEAKED_NGRAM)):
        leaked.append("text: words in a row")
    return Outcome(text, f"leak: it gives away {', '.join(leaked)}" if leaked else None, {**verdicts, "leak": leaked})


def _form_fault(text: str | None) -> str | None:
    if not text or not text.strip():
        return "empty: nothing usable was written"
    if len(words(text)) < FEWEST_WORDS:
        return "short: it is too short"
    if "\ufffd" in text:
        return "characters: it has broken characters in it"
    if is_refusal(text):
        return "refusal: it refuses, or speaks of the writer"
    return "babble: it goes round in circles" if repeats_itself(text) else None


def _specifics(text: str, beginning: str, rest: str) -> list[tuple[str, str]]:
    """(kind, what) of the names, numbers and the like of the rest that stand in the text. Single words are no secret:
    any two texts share some."""
    told = (specific.partition(": ")[::2] for specific in leaks(text, beginning, rest))
    return [(kind, what) for kind, what in told if kind not in ("word", "polarity")]
