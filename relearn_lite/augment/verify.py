"""Write, check, and write again with the reason, until a text may be used or the rounds are spent.

The checks of a text, in order: its form, the deterministic leak check, and the judgement of a writer that has one.
A text that no check could be completed for is refused, never let through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from relearn_lite.augment.cleaning import fault_of_fit, fault_of_form, normal, printable
from relearn_lite.records import QA
from relearn_lite.text.leaks import leaks
from relearn_lite.writers import Task, Writer
from relearn_lite.writers.prompted import verdict

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


def write_verified(drafts: Sequence[Draft], writer: Writer, rewrites: int, seed: int) -> dict[str, Outcome]:
    """Returns an outcome per draft id. What fails is written again up to `rewrites` times, each time with the reason.

    What still fails is written once by rules, which must pass form and leak check too; its verdicts say so. All
    drafts of a round go to the writer in one call. The same arguments and the same replies give the same outcomes.
    """
    outcomes: dict[str, Outcome] = {}
    taken: dict[str, set[str]] = {draft.qa.id: {normal(draft.qa.question)} for draft in drafts}
    left = list(drafts)
    for round_ in range(1, rewrites + 2):
        if not left:
            break
        texts = writer.write([_task(draft, outcomes.get(draft.id), seed, round_) for draft in left])
        checked = _check(left, texts, taken)
        if writer.judges:
            checked = _judge(left, checked, writer, seed + round_)
        for draft, outcome in zip(left, checked, strict=True):
            outcomes[draft.id] = replace(
                outcome, verdicts={**outcome.verdicts, "rounds": round_, "writer": writer.name}
            )
        left = [draft for draft in left if outcomes[draft.id].reason]
    for draft in left:
        outcomes[draft.id] = _by_rules(draft, outcomes[draft.id], seed)
    return outcomes


def _task(draft: Draft, before: Outcome | None, seed: int, round_: int) -> Task:
    # The seed depends on nothing but the record and the round: a run that was killed draws the same numbers again.
    own = crc32(f"{seed}/{draft.id}/{draft.task.kind}/{round_}".encode())
    feedback = before.reason.partition(": ")[2] if before and before.reason else ""
    question, answer = printable(draft.task.question), printable(draft.task.answer)
    return replace(draft.task, question=question, answer=answer, seed=own, feedback=feedback)


def _check(drafts: Sequence[Draft], texts: Sequence[str | None], taken: dict[str, set[str]]) -> list[Outcome]:
    outcomes = []
    for draft, text in zip(drafts, texts, strict=True):
        outcome = _check_text(draft, text)
        if outcome.reason is None:
            fault = fault_of_fit(outcome.text, draft.task.question, taken[draft.qa.id])
            outcome = _with(outcome, fault, "form", fault or "ok")
            taken[draft.qa.id].add(normal(outcome.text))
        outcomes.append(outcome)
    return outcomes


def _check_text(draft: Draft, text: str | None) -> Outcome:
    """Form and leaks. A leak is always measured against the original pair: what a question variant adds, leaks too."""
    fault = fault_of_form(text, draft.task.question, draft.task.kind)
    if fault:
        return Outcome(text, fault, {"form": fault, "leak": None, "judge": None})
    leaked = leaks(text, draft.qa.question, draft.qa.answer)
    reason = f"leak: it gives away {', '.join(leaked)}" if leaked else None
    return Outcome(text, reason, {"form": "ok", "leak": leaked, "judge": None})


def _judge(drafts: Sequence[Draft], outcomes: Sequence[Outcome], writer: Writer, seed: int) -> list[Outcome]:
    """Asks the writer about the answers that passed so far. No clear verdict is a failure."""
    judged = list(outcomes)
    asked = [i for i, d in enumerate(drafts) if d.task.kind == "answer" and outcomes[i].reason is None]
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


def _by_rules(draft: Draft, before: Outcome, seed: int) -> Outcome:
    """The last resort. Here a text may double another of the same question, since rules have only so many."""
    from relearn_lite.writers.rules import RulesWriter  # it imports the leak check of this package

    rules = RulesWriter()
    (text,) = rules.write([_task(draft, None, seed, 0)])
    outcome = _check_text(draft, text)
    verdicts = {**outcome.verdicts, "rounds": before.verdicts["rounds"], "writer": rules.name}
    if before.verdicts["writer"] != rules.name:
        # The code of the reason only: its words may name what leaked, and accepted records must not.
        verdicts["instead_of"] = before.reason.partition(":")[0]
    if outcome.reason:
        # What is told and counted is why the writer failed; that rules failed as well is said behind it.
        return Outcome(before.text or text, f"{before.reason} (and by rules: {outcome.reason})", verdicts)
    return replace(outcome, verdicts=verdicts)


def _with(outcome: Outcome, reason: str | None, check: str, verdict_: str | None) -> Outcome:
    return replace(outcome, reason=reason, verdicts={**outcome.verdicts, check: verdict_})
