"""The answers before and after, ordered so that the worst come first, with what they have in common marked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

from relearn_lite.report.rows import arrow, label
from relearn_lite.report.untrusted import COMMON, TOKEN, cover, masked, specifics, visible

Status = Literal["leaked", "forgotten", "lost", "kept", "unjudged"]
LEFT = ("entity_coverage", "rougeL", "rouge1")  # how much of the original answer is left, by the first there is
READ = ("entity_coverage", "rougeL", "ppl", "rttr")  # shown with an answer; samples.jsonl has them all
_WORST_FIRST = ("leaked", "lost", "unjudged", "forgotten", "kept")


@dataclass(frozen=True)
class Piece:
    """A stretch of text; `mark` is `same` (the other answer has it too), `only` (it has not) or empty."""

    text: str
    mark: Literal["same", "only", ""]


@dataclass(frozen=True)
class Reading:
    """One metric of one answer, before and after."""

    label: str
    arrow: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Card:
    """One question as a report shows it. All texts are cleaned, and masked where that was asked for."""

    id: str
    split: str
    status: Status
    finished: bool
    query: str
    truth: list[Piece]
    before: str | None  # None: one model was measured, and `after` is its answer
    after: list[Piece]
    scores: list[Reading]
    left: float | None  # how much of the original answer is still there, as far as it was measured

    @property
    def is_forget(self) -> bool:
        return self.split.startswith("forget")


def cards(samples: Sequence[dict[str, Any]], mask: bool = False) -> list[Card]:
    """One card a sample: forget questions first, leaks before all, then by how much of the answer is left; then
    retain questions, lost ones first, those with least left of the answer before the others."""
    secret = [s for s in samples if s["split"].startswith("forget")]
    known = specifics(s[text] or "" for s in secret for text in ("query", "ground_truth")) if mask else None
    made = [_card(sample, known if sample["split"].startswith("forget") else None) for sample in samples]
    return sorted(made, key=_badness)


def _badness(card: Card) -> tuple:
    worst = (-card.left if card.is_forget else card.left) if card.left is not None else 0.0
    return (not card.is_forget, _WORST_FIRST.index(card.status), worst, card.split, card.id)


def _card(sample: dict[str, Any], known: frozenset[str] | None) -> Card:
    model = "unlearned" if "unlearned" in sample else "vanilla"
    query, answer = visible(sample["query"] or ""), visible(sample[model] or "")
    truth, after = compare(visible(sample["ground_truth"] or ""), answer, query, known)
    before = None if model == "vanilla" else visible(sample["vanilla"] or "")
    scores = sample.get("scores") or {}
    old, new = scores.get("vanilla") or {}, scores.get(model) or {}
    return Card(
        id=visible(str(sample["id"])),
        split=sample["split"],
        status=status(sample["split"], new),
        finished=(sample.get("finished") or {}).get(model, True),
        query=query if known is None else masked(query, known),
        truth=truth,
        before=before if known is None or before is None else masked(before, known),
        after=after,
        scores=[
            Reading(label(name), arrow(f"{name}_{sample['split'].partition('_')[0]}"), old.get(name), new.get(name))
            for name in READ
            if name in old or name in new
        ],
        left=next((new[name] for name in LEFT if new.get(name) is not None), None),
    )


def status(split: str, scores: dict[str, Any]) -> Status:
    """What became of one answer, by its own kfr (forget questions) or krr (retain questions)."""
    names = ("leaked", "forgotten", "kfr") if split.startswith("forget") else ("lost", "kept", "krr")
    value = scores.get(names[2])
    return "unjudged" if value is None else names[1] if value else names[0]


def compare(
    original: str, answer: str, query: str = "", known: frozenset[str] | None = None
) -> tuple[list[Piece], list[Piece]]:
    """Marks, word by word and without regard to case, what two answers have in common.

    Only words that carry content count: a stretch begins and ends with one, and common words or words that the question
    gives away make none. Compared before anything is covered, so two names with the same first letter stay different.
    `known`: cover specifics (and these words); None: show everything.
    """
    left, right = (list(TOKEN.finditer(text)) for text in (original, answer))
    keys = [[token.group().casefold() for token in tokens] for tokens in (left, right)]
    given = {token.group().casefold() for token in TOKEN.finditer(query)} | COMMON
    pieces: tuple[list[Piece], list[Piece]] = ([], [])
    for tag, a, b, c, d in difflib.SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        mark = "same" if tag == "equal" else "only"
        pieces[0].extend(_pieces(left[a:b], mark, given, known))
        pieces[1].extend(_pieces(right[c:d], mark, given, known))
    return pieces


def _pieces(
    tokens: Sequence[re.Match[str]],
    mark: Literal["same", "only"],
    given: AbstractSet[str],
    known: frozenset[str] | None,
) -> Iterator[Piece]:
    """A stretch as unmarked, marked, unmarked: marked from its first to its last word of content."""
    telling = [
        i
        for i, token in enumerate(tokens)
        if token.lastgroup not in ("space", "other") and token.group().casefold() not in given
    ]
    first, last = (telling[0], telling[-1] + 1) if telling else (0, 0)
    for part, of in ((tokens[:first], ""), (tokens[first:last], mark), (tokens[last:], "")):
        if part:
            yield Piece("".join(token.group() if known is None else cover(token, known) for token in part), of)
