"""Augmented data that exists already (`augment.from`): rows are read and matched to the forget questions.

The paper's authors publish JSON of question and answer (`question`/`answer` for TOFU, `text`/`labels` for KnowUnDo);
this project's augmented.jsonl has `prompt`/`target`. A published row does not say which question it was made from, nor
its kind, so both are worked out here. Completions are left out: they are cut again from the answers that pass. Rows
about nothing that is to be forgotten are general questions, unless they say that they are of another kind. A row with
the secret answer fails the leak check later.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from relearn_lite.augment.diversity import jaccard
from relearn_lite.augment.form import normal_form
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import tell_once
from relearn_lite.core.records import QA, Variant
from relearn_lite.data.files import is_unicode, read_file
from relearn_lite.recipe.names import QUESTION_KINDS
from relearn_lite.text.leaks import leaks
from relearn_lite.text.stems import fold, folded_words, stem
from relearn_lite.text.stop_words import STOP_WORDS
from relearn_lite.text.turns import is_passage
from relearn_lite.writers.question_forms import thing
from relearn_lite.writers.question_parser import parse_question

KEY = "augment.from"
COLUMNS = (("question", "answer"), ("text", "labels"), ("prompt", "target"))
_ARTICLE = re.compile(r"^(?:the|an?) ")
NOT_GENERAL = ("original", "given", "cut", *QUESTION_KINDS)
LEAST_SHARED = 0.34  # of a forget question's content words: a row that names no subject must have so many to be its own


def read_existing(path: Path, forget: Sequence[QA]) -> tuple[list[Variant], list[QA]]:
    """The rows for forget questions, each with the question that it belongs to, and the general ones among the rows.

    Raises RecipeError where the file cannot be read, has no such columns, or no row is about a forget question.
    """
    rows = read_file(path, KEY)
    columns = next((pair for pair in COLUMNS if rows and set(pair) <= set(rows[0])), None)
    if columns is None:
        there = ", ".join(map(str, rows[0])) if rows else "no rows"
        raise RecipeError(
            f"{KEY}: {path} has {there}; each row needs question and answer, text and labels, or prompt and target"
        )
    if halves := [n for n, row in enumerate(rows, 1) if not all(map(is_unicode, map(_text, row.values())))]:
        raise RecipeError(
            f"{KEY}: row {halves[0]} of {path} holds half a character (a lone \\ud800 or the like); mend it"
        )
    texts = [(n, _question(row.get(columns[0])), _text(row.get(columns[1])), row) for n, row in enumerate(rows, 1)]
    blank = [n for n, question, answer, _ in texts if not (question and answer)]
    if blank:
        tell_once(
            f"{KEY}: {len(blank)} of {len(rows)} rows of {path} are not used, for {columns[0]} or {columns[1]} holds "
            f"no text there (first: row {blank[0]})"
        )
    texts = [each for each in texts if each[1] and each[2]]
    answers = {_signs(answer) for _, _, answer, _ in texts}
    index = ForgetIndex(forget)
    strangers = {row.get("parent_id") for _, question, _, row in texts if index.is_of_others(row, question)}
    existing, general = [], []
    for number, question, answer, row in texts:
        if row.get("kind") == "completion" or _signs(question + answer) in answers:
            continue
        own = row | {"parent_id": None} if row.get("parent_id") in strangers else row
        parent = index.parent_of(own, question)
        if parent:
            existing.append(Variant(f"{parent.id}/given-{number}", parent.id, "given", question, answer))
        elif row.get("kind") not in NOT_GENERAL and not index.leaked_by(f"{question} {answer}"):
            general.append(QA(f"given-{number}", question, answer))
    if forget and not existing:
        raise RecipeError(
            f"{KEY}: none of the {len(rows)} rows of {path} is about a question of data.forget; give the file that was "
            f"made for these questions, or leave {KEY} out"
        )
    return existing, general


class ForgetIndex:
    """Looks up forget questions: by id, by their words, and by the subject they are about."""

    def __init__(self, forget: Sequence[QA]):
        self.by_id = {qa.id: qa for qa in forget}
        self.by_question = {normal_form(qa.question): qa for qa in forget}
        self.by_subject: dict[str, list[QA]] = defaultdict(list)
        self.by_name: dict[str, list[QA]] = defaultdict(list)  # and by a thing without a name: telephone
        for qa in forget:
            parsed = parse_question(qa.question)
            self.by_subject[normal_form(parsed.subject or "")].append(qa)
            names = {_ARTICLE.sub("", normal_form(name)) for name in (parsed.subject, thing(parsed)) if name}
            for name in sorted(names):
                self.by_name[name].append(qa)
        self.words = {qa.id: _content(qa.question) for qa in forget}

    def parent_of(self, row: dict, question: str) -> QA | None:
        """The question a row was made from: the one it names or repeats, else, of its subject, the one most alike."""
        named = self.by_id.get(row.get("parent_id"))
        if named or row.get("kind") == "generic":
            return named
        same = self.by_question.get(normal_form(question))
        if same:
            return same
        asked, plain = _content(question), f" {normal_form(question)} "
        subjects = [subject for subject in self.by_subject if subject and f" {subject} " in plain]
        near = [qa for subject in subjects for qa in self.by_subject[subject]] or self.by_subject.get("", [])
        best = max(near, key=lambda qa: jaccard(self.words[qa.id], asked), default=None)
        shared = len(self.words[best.id] & asked) / max(1, len(self.words[best.id])) if best else 0.0
        return best if subjects or shared >= LEAST_SHARED else None

    def is_of_others(self, row: dict, question: str) -> bool:
        """Whether a row, of a run on other questions, has the id of one of these: ids are numbers of rows."""
        own = self.by_id.get(row.get("parent_id"))
        return row.get("kind") == "original" and own is not None and normal_form(own.question) != normal_form(question)

    def leaked_by(self, text: str) -> list[str]:
        """Ids of the questions about somebody or something that `text` names, and whose answer it gives away."""
        plain = f" {normal_form(text)} "
        return [
            qa.id
            for name, group in self.by_name.items()
            if f" {name} " in plain
            for qa in group
            if leaks(text, qa.question, qa.answer)
        ]


def _content(question: str) -> set[str]:
    return {stem(word.form) for word in folded_words(fold(question)) if word.form not in STOP_WORDS}


def _question(value: object) -> str:
    """A text; the space at the end of a passage's beginning belongs to it."""
    return value if isinstance(value, str) and is_passage(value) else _text(value)


def _signs(text: str) -> str:
    """A text without white space: the halves of a completion were joined by some or none."""
    return "".join(text.split())


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
