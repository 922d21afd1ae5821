"""Counts of what augmentation made, for manifest and report. Read off the records, so a resume changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from relearn_lite.records import Dropped, Variant


def summary(pairs: Sequence[Variant], dropped: Sequence[Dropped]) -> dict[str, Any]:
    """Returns, each by kind of record:

    made       pairs that are trained on
    rewritten  those of them whose question or answer was written more than once
    fallback   by reason: those whose question or answer is from `rules`, because the writer's own was refused
    dropped    by reason: what is not trained on
    """
    written = [pair for pair in pairs if pair.kind != "completion"]
    return {
        "made": _counted(pair.kind for pair in pairs),
        "rewritten": _counted(pair.kind for pair in written if any(v["rounds"] > 1 for v in _texts(pair))),
        "fallback": _by_reason((pair.kind, _fallback(pair)) for pair in written if _fallback(pair)),
        "dropped": _by_reason((record.kind, record.reason) for record in dropped),
    }


def _texts(pair: Variant) -> list[dict[str, Any]]:
    """The verdicts on the pair's answer and, where it was written too, on its question."""
    return [pair.verdicts, *([pair.verdicts["question"]] if "question" in pair.verdicts else [])]


def _fallback(pair: Variant) -> str | None:
    return next((verdicts["instead_of"] for verdicts in _texts(pair) if "instead_of" in verdicts), None)


def _counted(kinds: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(kinds).items()))


def _by_reason(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for kind, reason in pairs:
        counts.setdefault(kind, Counter())[reason.partition(":")[0]] += 1
    return {kind: dict(sorted(by.items())) for kind, by in sorted(counts.items())}
