"""Augmented data from elsewhere: read, told apart, and set beside the forget questions they belong to.

Read are a JSON list or JSON Lines of question and answer (the published format: `question`/`answer` for TOFU,
`text`/`labels` for KnowUnDo) and this project's own augmented.jsonl (`prompt`/`target`). The published format says
neither which question a row was made from nor what kind it is, so both are found here, and what the format mixes in is
taken apart again: sentence completions are left out, since they are cut anew from the answers that pass, and rows about
nothing that is to be forgotten are general questions. Its rows with the original, secret answers are read like all
others: the leak check refuses them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from relearn_lite.augment.cleaning import COMMON, normal
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import QA
from relearn_lite.data.sources import read_file
from relearn_lite.text.leaks import leaks
from relearn_lite.text.stems import fold, folded_words, stem
from relearn_lite.writers.question_forms import understand

KEY = "augment.from"
COLUMNS = (("question", "answer"), ("text", "labels"), ("prompt", "target"))
LEAST_SHARED = 0.34  # of the question's words that a row must share to be taken for a variant of it


@dataclass(frozen=True)
class Given:
    """A question and a new answer that exist already; `parent_id` is the forget question they are for."""

    id: str
    parent_id: str
    question: str
    answer: str


def read_given(path: Path, forget: Sequence[QA]) -> tuple[list[Given], list[QA]]:
    """The rows for forget questions, and the general questions among the rows.

    Raises RecipeError where the file cannot be read, has no such columns, or no row is about a forget question.
    """
    rows = read_file(path, KEY)
    columns = next((pair for pair in COLUMNS if rows and set(pair) <= set(rows[0])), None)
    if columns is None:
        there = ", ".join(map(str, rows[0])) if rows else "no rows"
        raise RecipeError(
            f"{KEY}: {path} has {there}; each row needs question and answer, text and labels, or prompt and target"
        )
    texts = [(n, _text(row.get(columns[0])), _text(row.get(columns[1])), row) for n, row in enumerate(rows, 1)]
    texts = [each for each in texts if each[1] and each[2]]
    answers = {answer for _, _, answer, _ in texts}
    parents = Parents(forget)
    given, general = [], []
    for number, question, answer, row in texts:
        if row.get("kind") == "completion" or f"{question} {answer}" in answers:
            continue
        parent = parents.of(row, question)
        if parent:
            given.append(Given(f"{parent.id}/given-{number}", parent.id, question, answer))
        elif not parents.told_by(f"{question} {answer}"):
            general.append(QA(f"given-{number}", question, answer))
    if forget and not given:
        raise RecipeError(
            f"{KEY}: none of the {len(rows)} rows of {path} is about a question of data.forget; give the file that was "
            f"made for these questions, or leave {KEY} out"
        )
    return given, general


class Parents:
    """Which forget question a row is for."""

    def __init__(self, forget: Sequence[QA]):
        self.by_id = {qa.id: qa for qa in forget}
        self.by_question = {normal(qa.question): qa for qa in forget}
        self.by_subject: dict[str, list[QA]] = defaultdict(list)
        for qa in forget:
            self.by_subject[normal(understand(qa.question).subject or "")].append(qa)
        self.words = {qa.id: _content(qa.question) for qa in forget}

    def of(self, row: dict, question: str) -> QA | None:
        """The parent that the row names, the question itself, or the one of the same subject with most words shared."""
        named = self.by_id.get(row.get("parent_id"))
        if named or row.get("kind") == "generic":
            return named
        same = self.by_question.get(normal(question))
        if same:
            return same
        asked, plain = _content(question), f" {normal(question)} "
        subjects = [subject for subject in self.by_subject if subject and f" {subject} " in plain]
        near = [qa for subject in subjects for qa in self.by_subject[subject]] or self.by_subject.get("", [])
        best = max(near, key=lambda qa: self._shared(qa, asked), default=None)
        return best if best and (subjects or self._shared(best, asked) >= LEAST_SHARED) else None

    def told_by(self, text: str) -> list[str]:
        """Forget questions about a subject that a general row names, and whose answer it tells."""
        plain = f" {normal(text)} "
        return [
            qa.id
            for subject, group in self.by_subject.items()
            if subject and f" {subject} " in plain
            for qa in group
            if leaks(text, qa.question, qa.answer)
        ]

    def _shared(self, qa: QA, asked: set[str]) -> float:
        words = self.words[qa.id]
        return len(words & asked) / len(words) if words else 0.0


def _content(question: str) -> set[str]:
    return {stem(word.form) for word in folded_words(fold(question)) if word.form not in COMMON}


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
