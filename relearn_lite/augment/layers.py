"""The layers of checks, cheapest first: form, the deterministic leak check, how a text fits beside the others, its
meaning, and the judgement of a writer that has one. Only what passes one layer is shown to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relearn_lite.augment.cleaning import fault_of_fit, fault_of_form, normal
from relearn_lite.augment.semantic import Meaning
from relearn_lite.augment.variety import Openings, bigrams, near_duplicate
from relearn_lite.core.records import QA
from relearn_lite.text.leaks import leaks
from relearn_lite.writers import Task, Writer
from relearn_lite.writers.prompted import verdict
from relearn_lite.writers.question_forms import understand

LONGEST_REASON = 200  # characters of a judge's reasoning that go back to the writer


@dataclass(frozen=True)
class Draft:
    """A text to be written for `qa`: `task` says what, `id` is the record's it is for."""

    id: str
    qa: QA
    task: Task


@dataclass(frozen=True)
class Outcome:
    """What came of a draft. `reason` is None where `text` may be used, else "code: why not" about the last attempt."""

    text: str | None
    reason: str | None
    verdicts: dict[str, Any]


@dataclass(frozen=True)
class Checks:
    """What is checked beyond form and leaks. All of it may be left out.

    meaning   the semantic leak check
    openings  of the answers so far; None: neither openings nor near-duplicates are looked at, as with rules, whose
              sentences are varied by construction
    given     texts by draft id that exist already: they are checked in place of a first attempt
    """

    meaning: Meaning | None = None
    openings: Openings | None = None
    given: Mapping[str, str] = field(default_factory=dict)


class Taken:
    """What was written for each question already."""

    def __init__(self, drafts: Sequence[Draft]):
        self.exact: dict[str, set[str]] = {draft.qa.id: {normal(draft.qa.question)} for draft in drafts}
        self.answers: dict[str, list[set[tuple[str, str]]]] = {draft.qa.id: [] for draft in drafts}

    def near(self, draft: Draft, text: str) -> bool:
        pairs = bigrams(text, subject_of(draft))
        return any(near_duplicate(pairs, other) for other in self.answers[draft.qa.id])

    def add(self, draft: Draft, text: str) -> None:
        self.exact[draft.qa.id].add(normal(text))
        if draft.task.kind == "answer":
            self.answers[draft.qa.id].append(bigrams(text, subject_of(draft)))


def subject_of(draft: Draft) -> str | None:
    """The name that the original question is about, None where it has none: variants and answers must keep it."""
    return understand(draft.qa.question).subject


def check(
    drafts: Sequence[Draft], texts: Sequence[str | None], taken: Taken, openings: Openings | None
) -> list[Outcome]:
    outcomes = []
    for draft, text in zip(drafts, texts, strict=True):
        outcome = check_text(draft, text)
        if outcome.reason is None:
            fault = _fault_beside_others(draft, outcome.text, taken, openings)
            outcome = _with(outcome, fault, "form", fault or "ok")
            taken.add(draft, outcome.text)
        outcomes.append(outcome)
    return outcomes


def check_text(draft: Draft, text: str | None) -> Outcome:
    """Form and leaks. A leak is always measured against the original pair: what a question variant adds, leaks too."""
    asked = draft.qa.question if draft.task.kind == "given" else draft.task.question
    fault = fault_of_form(text, asked, draft.task.kind)
    if fault:
        return Outcome(text, fault, {"form": fault, "leak": None, "semantic": None, "judge": None})
    leaked = leaks(text, draft.qa.question, draft.qa.answer)
    reason = f"leak: it gives away {', '.join(leaked)}" if leaked else None
    return Outcome(text, reason, {"form": "ok", "leak": leaked, "semantic": None, "judge": None})


def _fault_beside_others(draft: Draft, text: str, taken: Taken, openings: Openings | None) -> str | None:
    subject = subject_of(draft)
    fault = fault_of_fit(text, draft.task.question, taken.exact[draft.qa.id], subject)
    if fault:
        return fault
    if openings is None or draft.task.kind != "answer":
        return None  # question variants may be near each other: a hurried one is the question with a typing mistake
    if taken.near(draft, text):
        return "near: nearly the same was written before"
    return "opening: too many answers begin in this way" if openings.worn(text, subject) else None


def weigh(drafts: Sequence[Draft], outcomes: Sequence[Outcome], meaning: Meaning) -> list[Outcome]:
    """The meaning of the answers that passed so far."""
    weighed = list(outcomes)
    rows = _passed(drafts, outcomes)
    asked = [(drafts[i].qa, outcomes[i].text or "", subject_of(drafts[i])) for i in rows]
    for i, (fault, measures) in zip(rows, meaning.check(asked) if asked else [], strict=True):
        weighed[i] = _with(outcomes[i], fault, "semantic", measures)
    return weighed


def _passed(drafts: Sequence[Draft], outcomes: Sequence[Outcome]) -> list[int]:
    return [i for i, d in enumerate(drafts) if d.task.kind == "answer" and outcomes[i].reason is None]


def judge(drafts: Sequence[Draft], outcomes: Sequence[Outcome], writer: Writer, seed: int) -> list[Outcome]:
    """Asks the writer about the answers that passed so far. No clear verdict is a failure."""
    judged = list(outcomes)
    asked = _passed(drafts, outcomes)
    tasks = [
        Task("verify", drafts[i].qa.question, drafts[i].qa.answer, text=outcomes[i].text or "", seed=seed)
        for i in asked
    ]
    for i, said in zip(asked, writer.write(tasks) if tasks else [], strict=True):
        leaked = verdict(said) if said else None
        if leaked is None:
            judged[i] = _with(outcomes[i], "judge: no clear verdict could be had on it", "judge", None)
        elif leaked:
            why = " ".join(said.rpartition("\n")[0].split())[:LONGEST_REASON]
            judged[i] = _with(outcomes[i], f"judged: {why or 'it gives something away'}", "judge", "Yes")
        else:
            judged[i] = _with(outcomes[i], None, "judge", "No")
    return judged


def _with(outcome: Outcome, reason: str | None, check: str, verdict_: Any) -> Outcome:
    return replace(outcome, reason=reason, verdicts={**outcome.verdicts, check: verdict_})
