"""The checks in their order, cheapest first: form, the deterministic leak check, fit beside other texts, meaning, and
the judgement of a writer that has one. Only what passes one is shown to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from relearn_lite.augment.diversity import NEAR, Openings, bigrams, jaccard
from relearn_lite.augment.drafts import Draft, Outcome
from relearn_lite.augment.form import fit_fault, form_fault, normal_form
from relearn_lite.augment.passages import check_continuation
from relearn_lite.augment.semantic import SemanticCheck
from relearn_lite.text.leaks import leaks
from relearn_lite.writers import Task, Writer
from relearn_lite.writers.parsing import verdict
from relearn_lite.writers.question_forms import rewordings
from relearn_lite.writers.question_parser import parse_question

LONGEST_REASON = 200  # characters of a judge's reasoning that go back to the writer


class WrittenTexts:
    """What was written for each question already, and what a text must not be beside it.

    openings: of the answers so far; None: neither openings nor near-duplicates are checked, as with rules, whose
    sentences are varied by construction. repeats: one answer may stand for two variants, see `Writer`.
    """

    def __init__(self, drafts: Sequence[Draft], openings: Openings | None = None, repeats: bool = False):
        self.openings, self.repeats = openings, repeats
        self.exact: dict[str, set[str]] = {draft.qa.id: {normal_form(draft.qa.question)} for draft in drafts}
        self.answers: dict[str, list[set[tuple[str, str]]]] = {draft.qa.id: [] for draft in drafts}

    def fault(self, draft: Draft, text: str) -> str | None:
        """Why the text does not fit beside the others. Question variants may be near each other."""
        if draft.task.kind == "continue":
            same = normal_form(text) in self.exact[draft.qa.id]
            return "duplicate: the same was written before" if same else None
        if fault := fit_fault(text, draft.task.question, self.exact[draft.qa.id], draft.subject):
            return fault
        if self.openings is None or draft.task.kind != "answer":
            return None
        pairs = bigrams(text, draft.subject)
        if any(jaccard(pairs, other) >= NEAR for other in self.answers[draft.qa.id]):
            return "near: nearly the same was written before"
        return "opening: too many answers begin in this way" if self.openings.overused(text, draft.subject) else None

    def add(self, draft: Draft, text: str) -> None:
        if not (self.repeats and draft.task.kind == "answer"):
            self.exact[draft.qa.id].add(normal_form(text))
        if draft.task.kind == "answer":
            self.answers[draft.qa.id].append(bigrams(text, draft.subject))


def check_text(draft: Draft, text: str | None, measured: tuple[str, ...] = ()) -> Outcome:
    """Form and leaks. A leak is always measured against the original pair: what a question variant adds, leaks too.

    measured: questions that are kept apart to measure by, as each paraphrase is: no variant may be one of them.
    """
    if draft.task.kind == "continue":
        return check_continuation(draft, text)
    asked = draft.qa.question if draft.task.kind == "given" else draft.task.question
    verdicts = {"form": "ok", "leak": None, "semantic": None, "judge": None}
    fault = form_fault(text, asked, draft.task.kind)
    if fault is None and draft.task.kind != "answer" and _is_measured(text, draft.qa.paraphrase, measured):
        fault = "measured: this wording is kept apart to measure by"
    if fault:
        return Outcome(text, fault, {**verdicts, "form": fault})
    leaked = leaks(text, draft.qa.question, draft.qa.answer) and leaks(text, _given(draft.qa.question), draft.qa.answer)
    return Outcome(text, f"leak: it gives away {', '.join(leaked)}" if leaked else None, {**verdicts, "leak": leaked})


def _is_measured(text: str, paraphrase: str | None, measured: tuple[str, ...]) -> bool:
    plain = normal_form(text)
    return plain in _normal_forms(measured) or bool(paraphrase) and plain == normal_form(paraphrase)


@cache
def _normal_forms(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(normal_form, texts))


@cache
def _given(question: str) -> str:
    """The question with its other forms: what its own kind says ("founder", of who founded something) is no leak."""
    return " ".join([question, *rewordings(parse_question(question))])


def check_texts(
    drafts: Sequence[Draft], texts: Sequence[str | None], written: WrittenTexts, measured: tuple[str, ...] = ()
) -> list[Outcome]:
    """Form, leaks, and how each text fits beside those already written, to which it is added."""
    outcomes = []
    for draft, text in zip(drafts, texts, strict=True):
        outcome = check_text(draft, text, measured)
        if outcome.reason is None:
            fault = written.fault(draft, outcome.text)
            outcome = _with(outcome, fault, "form", fault or "ok")
            written.add(draft, outcome.text)
        outcomes.append(outcome)
    return outcomes


def check_meaning(
    drafts: Sequence[Draft], outcomes: Sequence[Outcome], semantic: SemanticCheck | None
) -> list[Outcome]:
    """The meaning of the answers that passed so far, where it is to be checked."""
    checked, rows = list(outcomes), _answers_that_passed(drafts, outcomes)
    asked = [(drafts[i].qa, outcomes[i].text, drafts[i].subject) for i in rows] if semantic else []
    for i, (fault, measures) in zip(rows, semantic.check(asked), strict=True) if asked else ():
        checked[i] = _with(outcomes[i], fault, "semantic", measures)
    return checked


def ask_judge(drafts: Sequence[Draft], outcomes: Sequence[Outcome], writer: Writer, seed: int) -> list[Outcome]:
    """Asks the writer about the answers that passed so far. No clear verdict is a failure."""
    judged, rows = list(outcomes), _answers_that_passed(drafts, outcomes)
    tasks = [Task("verify", drafts[i].qa.question, drafts[i].qa.answer, text=outcomes[i].text, seed=seed) for i in rows]
    for i, reply in zip(rows, writer.write(tasks) if tasks else [], strict=True):
        leaked = verdict(reply) if reply else None
        fault = "judge: no clear verdict could be had on it" if leaked is None else None
        if leaked:
            why = " ".join(reply.rpartition("\n")[0].split())[:LONGEST_REASON]
            fault = f"judged: {why or 'it gives something away'}"
        judged[i] = _with(outcomes[i], fault, "judge", {None: None, True: "Yes", False: "No"}[leaked])
    return judged


def _answers_that_passed(drafts: Sequence[Draft], outcomes: Sequence[Outcome]) -> list[int]:
    return [i for i, draft in enumerate(drafts) if draft.task.kind == "answer" and outcomes[i].reason is None]


def _with(outcome: Outcome, reason: str | None, check: str, verdict_: Any) -> Outcome:
    return replace(outcome, reason=reason, verdicts={**outcome.verdicts, check: verdict_})
