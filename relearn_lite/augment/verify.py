"""Write, check, and write again with the reason, until a text may be used or the rounds are spent.

What is checked stands in `checks`. A text for which a check could not be completed is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from zlib import crc32

from relearn_lite.augment.checks import WrittenTexts, ask_judge, check_meaning, check_text, check_texts
from relearn_lite.augment.diversity import Openings
from relearn_lite.augment.drafts import Draft, Outcome, code_of
from relearn_lite.augment.form import normal_form, printable
from relearn_lite.augment.settings import Settings
from relearn_lite.core.records import QA
from relearn_lite.writers import Task, Writer
from relearn_lite.writers.rules import RulesWriter


def write_verified(
    drafts: Sequence[Draft], writer: Writer, settings: Settings, openings: Openings | None = None
) -> dict[str, Outcome]:
    """Returns an outcome per draft id. What fails is written again up to `settings.verify_rounds` times, each time with
    the reason. openings: of the answers so far, see `WrittenTexts`.

    What still fails is written once by rules, which must pass form, leak check and meaning too; the writer does not
    judge that: rules write nothing specific, and a writer that fails at writing judges no better. All drafts of a round
    go to the writer in one call. The same arguments and replies give the same outcomes.
    """
    outcomes: dict[str, Outcome] = {}
    written, left = WrittenTexts(drafts, openings, writer.repeats), list(drafts)
    for round_ in range(1, settings.verify_rounds + 2):
        if not left:
            break
        ready = {d.id: d.ready for d in left if d.ready and round_ == 1}
        tasks = {d.id: _task(d, outcomes.get(d.id), settings.seed, round_) for d in left if d.id not in ready}
        texts = ready | dict(zip(tasks, writer.write([*tasks.values()]) if tasks else [], strict=True))
        checked = check_texts(left, [texts[draft.id] for draft in left], written, settings.measured)
        checked = check_meaning(left, checked, settings.semantic)
        if writer.judges:
            checked = ask_judge(left, checked, writer, settings.seed + round_)
        for draft, outcome in zip(left, checked, strict=True):
            name = "file" if draft.id in ready else writer.name
            outcomes[draft.id] = _with_history(outcome, outcomes.get(draft.id), round_, name)
            if openings and draft.task.kind == "answer" and outcome.reason is None:
                openings.add(outcome.text, draft.subject)
        left = [draft for draft in left if outcomes[draft.id].reason]
    return outcomes | _by_rules(left, outcomes, settings)


def check_question(qa: QA, question: str, measured: tuple[str, ...] = ()) -> Outcome:
    """A question that exists already, checked like a variant that was written here; nothing is written."""
    draft = Draft(qa.id, qa, Task("given", question))
    outcome = _with_history(check_text(draft, question, measured), None, 1, "file")
    same = code_of(outcome.reason) == "echo" and normal_form(question) == normal_form(qa.question)
    return replace(outcome, reason=None) if same else outcome


def _with_history(outcome: Outcome, before: Outcome | None, round_: int, name: str) -> Outcome:
    """The outcome with the round, the writer, and the codes of what was refused before: never their words, which may
    name what leaked."""
    refused = [*before.verdicts["refused"], code_of(before.reason)] if before else []
    return replace(outcome, verdicts={**outcome.verdicts, "rounds": round_, "writer": name, "refused": refused})


def _task(draft: Draft, before: Outcome | None, seed: int, round_: int) -> Task:
    # The seed depends on nothing but the record and the round: a run that was killed draws the same numbers again.
    own = crc32(f"{seed}/{draft.id}/{draft.task.kind}/{round_}".encode())
    feedback = before.reason.partition(": ")[2] if before and before.reason else ""
    shown = str if draft.task.kind == "continue" else printable  # the lines of a text belong to it
    question, answer = shown(draft.task.question), shown(draft.task.answer)
    return replace(
        draft.task, question=question, answer=answer, seed=own, feedback=feedback, subject=draft.subject or "",
        original=draft.qa.question,
    )


def _by_rules(drafts: Sequence[Draft], before: Mapping[str, Outcome], settings: Settings) -> dict[str, Outcome]:
    """The last resort. Here a text may double another of the same question, since rules have only so many, but not one
    that is measured."""
    rules = RulesWriter(settings.opening)
    texts = rules.write([_task(draft, None, settings.seed, 0) for draft in drafts])
    checked = [check_text(draft, text, settings.measured) for draft, text in zip(drafts, texts, strict=True)]
    checked = check_meaning(drafts, checked, settings.semantic)
    return {
        draft.id: _in_place_of(before[draft.id], outcome, rules.name)
        for draft, outcome in zip(drafts, checked, strict=True)
    }


def _in_place_of(before: Outcome, checked: Outcome, name: str) -> Outcome:
    """The outcome of a text by rules, with what it replaces; where it fails too, the writer's with both reasons."""
    outcome = _with_history(checked, before, before.verdicts["rounds"], name)
    if before.verdicts["writer"] != name:
        outcome.verdicts["instead_of"] = code_of(before.reason)  # not the words, which may name what leaked
    if outcome.reason:
        outcome.verdicts["refused"][-1] = code_of(outcome.reason)  # the writer's last is the reason's first
        both = f"{before.reason} (and by rules: {outcome.reason})"
        return Outcome(before.text or outcome.text, both, outcome.verdicts)
    return outcome
