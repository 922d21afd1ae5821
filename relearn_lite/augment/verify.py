"""Write, check, and write again with the reason, until a text may be used or the rounds are spent.

What is checked stands in `layers`. A text that no check could be completed for is refused, never let through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from zlib import crc32

from relearn_lite.augment.cleaning import normal, printable
from relearn_lite.augment.layers import (
    Checks,
    Draft,
    Outcome,
    Taken,
    check,
    check_text,
    judge,
    subject_of,
    weigh,
)
from relearn_lite.augment.semantic import Meaning
from relearn_lite.core.records import QA
from relearn_lite.writers import Task, Writer

__all__ = ["Checks", "Draft", "Outcome", "check_question", "write_verified"]


def write_verified(
    drafts: Sequence[Draft], writer: Writer, rewrites: int, seed: int, checks: Checks | None = None
) -> dict[str, Outcome]:
    """Returns an outcome per draft id. What fails is written again up to `rewrites` times, each time with the reason.

    What still fails is written once by rules, which must pass form, leak check and meaning too; its verdicts say so.
    The writer is not asked to judge it: rules write sentences without a specific, and a writer that fails at writing
    judges no better. All drafts of a round go to the writer in one call. The same arguments and the same replies give
    the same outcomes.
    """
    checks = checks or Checks()
    outcomes: dict[str, Outcome] = {}
    taken, left = Taken(drafts), list(drafts)
    for round_ in range(1, rewrites + 2):
        if not left:
            break
        texts, names = _write(left, outcomes, writer, (seed, round_), checks.given)
        checked = check(left, texts, taken, checks.openings)
        if checks.meaning:
            checked = weigh(left, checked, checks.meaning)
        if writer.judges:
            checked = judge(left, checked, writer, seed + round_)
        for draft, outcome, name in zip(left, checked, names, strict=True):
            outcomes[draft.id] = _noted(outcome, outcomes.get(draft.id), round_, name)
            if checks.openings and draft.task.kind == "answer" and outcome.reason is None:
                checks.openings.add(outcome.text, subject_of(draft))
        left = [draft for draft in left if outcomes[draft.id].reason]
    return outcomes | _by_rules(left, outcomes, seed, checks.meaning)


def check_question(qa: QA, question: str) -> Outcome:
    """A question from elsewhere, checked like a variant that was written here; nothing is written."""
    draft = Draft(qa.id, qa, Task("given", question))
    outcome = _noted(check_text(draft, question), None, 1, "file")
    same = outcome.reason and outcome.reason.startswith("echo") and normal(question) == normal(qa.question)
    return replace(outcome, reason=None) if same else outcome


def _write(
    drafts: Sequence[Draft],
    outcomes: Mapping[str, Outcome],
    writer: Writer,
    at: tuple[int, int],
    given: Mapping[str, str],
) -> tuple[list[str | None], list[str]]:
    """The texts of one round and the names of those who wrote them. `at`: the run's seed and the round."""
    seed, round_ = at
    ready = {i: given[d.id] for i, d in enumerate(drafts) if d.id in given and round_ == 1}
    asked = [i for i in range(len(drafts)) if i not in ready]
    tasks = [_task(drafts[i], outcomes.get(drafts[i].id), seed, round_) for i in asked]
    written = dict(zip(asked, writer.write(tasks) if tasks else [], strict=True))
    return [ready[i] if i in ready else written[i] for i in range(len(drafts))], [
        "file" if i in ready else writer.name for i in range(len(drafts))
    ]


def _noted(outcome: Outcome, before: Outcome | None, round_: int, name: str) -> Outcome:
    """The outcome with the round, the writer, and the codes of what was refused before: never their words, which may
    name what leaked."""
    refused = [*before.verdicts["refused"], _code(before.reason)] if before else []
    return replace(outcome, verdicts={**outcome.verdicts, "rounds": round_, "writer": name, "refused": refused})


def _code(reason: str | None) -> str:
    return (reason or "").partition(":")[0]


def _task(draft: Draft, before: Outcome | None, seed: int, round_: int) -> Task:
    # The seed depends on nothing but the record and the round: a run that was killed draws the same numbers again.
    own = crc32(f"{seed}/{draft.id}/{draft.task.kind}/{round_}".encode())
    feedback = before.reason.partition(": ")[2] if before and before.reason else ""
    question, answer = printable(draft.task.question), printable(draft.task.answer)
    subject = subject_of(draft) or ""
    return replace(draft.task, question=question, answer=answer, seed=own, feedback=feedback, subject=subject)


def _by_rules(
    drafts: Sequence[Draft], before: Mapping[str, Outcome], seed: int, meaning: Meaning | None
) -> dict[str, Outcome]:
    """The last resort. Here a text may double another of the same question, since rules have only so many."""
    from relearn_lite.writers.rules import RulesWriter  # it imports the leak check of this package

    rules = RulesWriter()
    texts = rules.write([_task(draft, None, seed, 0) for draft in drafts])
    checked = [check_text(draft, text) for draft, text in zip(drafts, texts, strict=True)]
    if meaning:
        checked = weigh(drafts, checked, meaning)
    return {
        draft.id: _in_place_of(before[draft.id], outcome, rules.name)
        for draft, outcome in zip(drafts, checked, strict=True)
    }


def _in_place_of(before: Outcome, checked: Outcome, name: str) -> Outcome:
    """The outcome of a text by rules, with what it replaces; where it fails too, the writer's with both reasons."""
    outcome = _noted(checked, before, before.verdicts["rounds"], name)
    if before.verdicts["writer"] != name:
        # The code of the reason only: its words may name what leaked, and accepted records must not.
        outcome.verdicts["instead_of"] = _code(before.reason)
    if outcome.reason:
        # What is told and counted is why the writer failed; that rules failed as well is said behind it.
        both = f"{before.reason} (and by rules: {outcome.reason})"
        return Outcome(before.text or outcome.text, both, outcome.verdicts)
    return outcome
