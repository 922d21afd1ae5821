"""What augmentation made, in numbers, for manifest and report. Computed from the records: a resume changes
nothing but the speed, which then leaves out what a stopped try wrote of the questions under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from relearn_lite.augment.diversity import diversity
from relearn_lite.augment.drafts import code_of
from relearn_lite.core.records import QA, Dropped, Variant
from relearn_lite.writers.question_parser import parse_question

LEAK_CODES = ("leak", "semantic", "judged")  # reasons why an answer gives something away


def counts(pairs: Sequence[Variant], dropped: Sequence[Dropped]) -> dict[str, Any]:
    """Returns, each by kind of record:

    made       pairs that are trained on
    rewritten  those of them whose question or answer was written more than once
    fallback   by reason: those whose question or answer is from `rules`, because the writer's own was refused
    dropped    by reason: what is not trained on, generic pairs that tell what is to be forgotten included
    """
    written = [pair for pair in pairs if pair.kind != "completion"]
    return {
        "made": _counted(pair.kind for pair in pairs),
        "rewritten": _counted(pair.kind for pair in written if any(v["rounds"] > 1 for v in _texts(pair))),
        "fallback": _by_reason((pair.kind, _fallback(pair)) for pair in written if _fallback(pair)),
        "dropped": _by_reason((record.kind, record.reason) for record in dropped),
    }


def statistics(
    pairs: Sequence[Variant], dropped: Sequence[Dropped], forget: Sequence[QA], spent: tuple[int, float]
) -> dict[str, Any]:
    """What the counts do not show. spent: tokens that a model wrote, and seconds it took.

    refused   attempts at an answer that were refused, by reason, also where a later one passed
    leaks     answers that leaked, by the checks that ran: of all first attempts (before) and of the targets (after),
              each {leaking, of}
    diversity as `diversity.diversity`, without completions
    speed     {tokens, seconds, tokens_per_second}; None where no model wrote, or `self`, which does
              not count
    """
    written = [pair for pair in pairs if pair.kind != "completion"]
    attempts = [_attempts(record) for record in (*written, *dropped)]
    attempts = [codes for codes in attempts if codes is not None]
    tokens, seconds = spent
    subjects = {qa.id: parse_question(qa.question).subject for qa in forget}
    groups: dict[str, list[tuple[str, str | None]]] = {}
    for pair in written:
        groups.setdefault(pair.parent_id, []).append((pair.target, subjects[pair.parent_id]))
    return {
        "refused": dict(Counter(code for codes in attempts for code in codes if code).most_common()),
        "leaks": {
            "before": _leaking(codes[0] for codes in attempts),
            "after": _leaking("leak" if pair.verdicts["leak"] else "" for pair in written),
        },
        "diversity": diversity(groups),
        "speed": {
            "tokens": tokens, "seconds": round(seconds, 1), "tokens_per_second": round(tokens / seconds, 1)
        } if tokens and seconds else None,
    }  # fmt: skip


def _attempts(record: Variant | Dropped) -> list[str] | None:
    """The code of each attempt at an answer, in order, "" for the one that passed; None where none was made."""
    if isinstance(record, Dropped) and not record.reason.startswith("answer, "):
        return None
    last = code_of(record.reason.removeprefix("answer, ")) if isinstance(record, Dropped) else ""
    return [*record.verdicts["refused"], last]


def _leaking(codes: Iterable[str]) -> dict[str, int]:
    counted = Counter(code in LEAK_CODES for code in codes)
    return {"leaking": counted[True], "of": counted.total()}


def _texts(pair: Variant) -> list[dict[str, Any]]:
    """The verdicts on the pair's answer and, where it was written too, on its question."""
    return [pair.verdicts, *([pair.verdicts["question"]] if "question" in pair.verdicts else [])]


def _fallback(pair: Variant) -> str | None:
    return next((verdicts["instead_of"] for verdicts in _texts(pair) if "instead_of" in verdicts), None)


def _counted(kinds: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(kinds).items()))


def _by_reason(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for kind, reason in pairs:
        found.setdefault(kind, Counter())[code_of(reason)] += 1
    return {kind: dict(sorted(by.items())) for kind, by in sorted(found.items())}
