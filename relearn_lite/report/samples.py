"""The answers before and after, ordered so that the worst come first, with what they have in common marked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

from relearn_lite.report.untrusted import COMMON, LONGEST, TOKEN, cover, masked, names_and_numbers, visible
from relearn_lite.text.verbs import base_of

Status = Literal["told", "leaked", "forgotten", "lost", "kept", "unjudged", ""]
REMAINS = ("rougeL", "rouge1")  # how much of the original answer is left, by the first there is
_WORST_FIRST = ("told", "leaked", "lost", "unjudged", "forgotten", "kept")


@dataclass(frozen=True)
class Span:
    """A stretch of text; `mark` is `same` (the other answer has it too), `only` (it has not) or empty."""

    text: str
    mark: Literal["same", "only", ""] = ""


@dataclass(frozen=True)
class Answer:
    """Who said it, what, and what became of it, where that is told at the answer."""

    who: str
    spans: list[Span]
    status: Status = ""

    @property
    def text(self) -> str:
        """The answer without marks."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True)
class Card:
    """One question as a report shows it, and its answers, the original one first. All texts are cleaned, and masked
    where that was asked for. told: what else stands beside its name; scores: what stands below it."""

    id: str
    split: str
    query: str
    answers: list[Answer]
    status: Status = ""
    finished: bool = True
    told: str = ""
    scores: tuple[str, ...] = ()

    @property
    def is_forget(self) -> bool:
        """Whether it asks for what is to be forgotten."""
        return self.split.startswith("forget")


def cards(samples: Sequence[dict[str, Any]], mask: bool = False) -> list[Card]:
    """One card a sample: forget questions first, leaks before all, then by how much of the answer is left; then
    retain questions, lost ones first, those with least left of the answer before the others."""
    known = secrets(samples) if mask else None
    return [_card(sample, known) for sample in sorted(samples, key=_badness)]


def secrets(samples: Sequence[dict[str, Any]]) -> frozenset[str]:
    """The names, numbers and addresses in forget questions and their original answers."""
    asked = [sample for sample in samples if sample["split"].startswith("forget")]
    return names_and_numbers(sample[text] or "" for sample in asked for text in ("query", "ground_truth"))


def clean(text: str | None, split: str, known: frozenset[str] | None, longest: int = LONGEST) -> str:
    """A text to be shown; known (see `secrets`): those of the forget side are covered."""
    shown = visible(text or "", longest)
    return masked(shown, known) if known is not None and split.startswith("forget") else shown


def _badness(sample: dict[str, Any]) -> tuple:
    split = sample["split"]
    forget, scores = split.startswith("forget"), (sample.get("scores") or {}).get(_model(sample)) or {}
    left = next((scores[name] for name in REMAINS if scores.get(name) is not None), 0.0)
    worst = -left if forget else left
    return (not forget, _WORST_FIRST.index(status(split, scores)), worst, split, str(sample["id"]))


def _model(sample: dict[str, Any]) -> str:
    """The model whose answers are judged: the unlearned one, or the only one that there is."""
    return "unlearned" if "unlearned" in sample else "vanilla"


def _card(sample: dict[str, Any], known: frozenset[str] | None) -> Card:
    model, split = _model(sample), sample["split"]
    alone = model == "vanilla"
    texts = (visible(sample[text] or "") for text in ("ground_truth", model, "query"))
    truth, after = compare(*texts, known if split.startswith("forget") else None)
    scores = sample.get("scores") or {}
    old, new = scores.get("vanilla") or {}, scores.get(model) or {}
    left = [f"{'' if alone else f'{_words(old, name)} → '}{_words(new, name)}" for name in REMAINS if name in new][:1]
    first, before = "Original answer", []
    if not alone and _same(sample["ground_truth"], sample["vanilla"]):
        first = "Before (vanilla), as the original"
    elif not alone:
        before = [Answer("Before (vanilla)", [Span(clean(sample["vanilla"], split, known))])]
    return Card(
        visible(str(sample["id"])), split, clean(sample["query"], split, known),
        [Answer(first, truth), *before, Answer("Answer" if alone else "After (unlearned)", after)],
        status(split, new), (sample.get("finished") or {}).get(model, True), split.replace("_", ", "),
        tuple(f"words of the original: {change}" for change in left),
    )  # fmt: skip


def _words(scores: dict[str, Any], name: str) -> str:
    """How much of the original's wording an answer has; a dash where that is not known."""
    return "—" if scores.get(name) is None else f"{scores[name]:.0%}"


def _same(original: str | None, answer: str | None) -> bool:
    """Whether two answers are the same but for spaces around them."""
    return (original or "").strip() == (answer or "").strip()


def status(split: str, scores: dict[str, Any]) -> Status:
    """What became of one answer, by its own kfr (forget questions), krr (retain questions) or kept_general.

    `told`: forgotten by kfr, but the leak check finds that it gives something away.
    """
    names = ("leaked", "forgotten", "kfr") if split.startswith("forget") else ("lost", "kept", "krr")
    names = ("lost", "kept", "kept_general") if split == "control" else names
    value = scores.get(names[2])
    if value and scores.get("leak") and split.startswith("forget"):
        return "told"
    return "unjudged" if value is None else names[1] if value else names[0]


def compare(
    original: str, answer: str, query: str = "", known: frozenset[str] | None = None
) -> tuple[list[Span], list[Span]]:
    """Marks, word by word and without regard to case, what two answers have in common.

    A stretch begins and ends with a word of content, one that is neither common nor in the question. `known`: cover
    specifics and these words, after comparing; None: show everything.
    """
    left, right = (list(TOKEN.finditer(text)) for text in (original, answer))
    keys = [[token.group().casefold() for token in tokens] for tokens in (left, right)]
    asked = {token.group().casefold() for token in TOKEN.finditer(query)}
    verbs = {base_of(word) for word in asked} - {None}  # "written" is in "Who wrote it?"
    known_words = asked | COMMON | {key for side in keys for key in side if base_of(key) in verbs}
    spans: tuple[list[Span], list[Span]] = ([], [])
    for tag, a, b, c, d in difflib.SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        mark = "same" if tag == "equal" else "only"
        spans[0].extend(_spans(left[a:b], mark, known_words, known))
        spans[1].extend(_spans(right[c:d], mark, known_words, known))
    return spans


def _spans(
    tokens: Sequence[re.Match[str]],
    mark: Literal["same", "only"],
    known_words: AbstractSet[str],
    known: frozenset[str] | None,
) -> Iterator[Span]:
    """A stretch as unmarked, marked, unmarked: marked from its first to its last word of content."""
    telling = [
        i
        for i, token in enumerate(tokens)
        if token.lastgroup not in ("space", "other") and token.group().casefold() not in known_words
    ]
    first, last = (telling[0], telling[-1] + 1) if telling else (0, 0)
    for part, of in ((tokens[:first], ""), (tokens[first:last], mark), (tokens[last:], "")):
        if part:
            yield Span("".join(token.group() if known is None else cover(token, known) for token in part), of)
