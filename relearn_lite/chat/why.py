"""Why an answer counts as forgotten, told or kept: the run's leak check and judges, on what was just said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rapidfuzz import fuzz

from relearn_lite.chat.conversation import Conversation
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_rows
from relearn_lite.core.records import Answer
from relearn_lite.evaluate.choose import knowledge_evaluators
from relearn_lite.judges import Evaluators
from relearn_lite.metrics import reworded
from relearn_lite.metrics.declaration import SIDES
from relearn_lite.metrics.knowledge import measure_forgetting, measure_retention
from relearn_lite.pipeline.run_state import Run
from relearn_lite.report.untrusted import names_and_numbers
from relearn_lite.text.leaks import gives_away, leaks
from relearn_lite.text.makers import PLAIN
from relearn_lite.text.stems import stem
from relearn_lite.text.stop_words import STOP_WORDS
from relearn_lite.text.turns import is_passage, shown
from relearn_lite.text.words import words

ALIKE = 70  # of 100, by words in any order: a question of the run from here on may be meant
SPELT_ALIKE = 80  # of 100: phone in telephone, invent and inventor


def _telling(question: str, named: frozenset[str]) -> set[str]:
    """The stems of what is neither a function word nor a name."""
    names = {word.casefold() for name in named for word in words(name)}
    return {stem(word.casefold()) for word in words(question) if word.casefold() not in STOP_WORDS | names}


def _ask_the_same(one: set[str], other: set[str]) -> bool:
    """Whether two questions' telling words have one in common, and not both have others: which street somebody lives
    in is asked by where they live, and not by which illness they live with."""
    left, right = (
        [word for word in mine if not any(fuzz.partial_ratio(word, each) >= SPELT_ALIKE for each in theirs)]
        for mine, theirs in ((one, other), (other, one))
    )
    return bool(one & other) and not (left and right)


@dataclass
class Judging:
    """A run's questions with their answers, and its judges, made when they are first needed."""

    run: Run

    @cached_property
    def _reported(self) -> list[dict[str, Any]]:
        path = self.run.folder / "samples.jsonl"
        return read_rows(path) if path.exists() else []

    @cached_property
    def known(self) -> list[dict[str, Any]]:
        """The run's questions, trained, chosen by or reported: query, its other wording, ground_truth, split.

        Where its data are gone, those that it reported.
        """
        rows = self._reported
        asked = {(row["split"], row["id"]): row["query"] for row in rows}
        reported = [
            row | {"other": asked.get((reworded(row["split"]), row["id"]), "")}
            for row in rows if not row["split"].startswith("control")
        ]  # fmt: skip
        try:
            data = self.run.data
        except RecipeError:
            return reported
        return reported + [
            {"query": text, "other": other or "", "ground_truth": qa.answer, "split": side}
            for side in SIDES for part in (side, f"{side}_select") for qa in data.get(part, ())
            for text, other in ((qa.question, qa.paraphrase), (qa.paraphrase, qa.question)) if text
        ]

    @property
    def of_passages(self) -> bool:
        """Whether all that the run reported of what is to be forgotten are passages."""
        asked = [row["query"] for row in self._reported if row["split"] == "forget"]
        return bool(asked) and all(map(is_passage, asked))

    def passage_of(self, line: str) -> str:
        """The run's passage that a line has the words of, with its line breaks; else the line as it is."""
        starts = (shown(row["query"]) for row in self.known if is_passage(row["query"]))
        return next((start for start in starts if start.split() == line.split()), line)

    @cached_property
    def judges(self) -> Evaluators:
        return knowledge_evaluators(self.run.recipe, lambda: self.run.model("vanilla"))

    def meant(self, question: str) -> dict[str, Any] | None:
        """The question of the run that is asked here: of those with the same names and numbers, a telling word in
        common beside these, and such words left over on one side at most, the likest."""
        asked, named = question.casefold().split(), names_and_numbers([question])
        matter = _telling(question, named)
        best, score = None, ALIKE
        for row in self.known:
            query = shown(row["query"])
            if query.casefold().split() == asked:
                return row
            alike = fuzz.token_sort_ratio(question.casefold(), query.casefold())
            if alike < score or names_and_numbers([query]) != named:
                continue
            if _ask_the_same(matter, _telling(query, named)):
                best, score = row, alike
        return best

    def _forgotten_in(self, question: str, text: str) -> list[str]:
        """Names and numbers in an answer to some other question that the run's forget answers about the same have."""
        said, found = names_and_numbers([question, text]), {}
        for row in self.known:
            query, named = shown(row["query"]), names_and_numbers([row["query"]]) - {"i"}
            if row["split"].startswith("forget") and named and named <= said:
                for told in leaks(text, f"{query} {question}", row["ground_truth"]):
                    kind, _, value = told.partition(": ")
                    if kind not in PLAIN and value.casefold() in text.casefold():  # as it stands there
                        found[value] = None
        return [*found]

    def explain(self, said: Conversation) -> Iterator[str]:
        """Sentences on the last question: which one of the run it is, and for each answer what it gives away."""
        if said.asked is None or not said.answers:
            yield "Nothing was asked yet."
            return
        row = self.meant(said.asked)
        if row is None:
            yield from self._against_before(said)
            return
        side, passage = row["split"].partition("_")[0], is_passage(row["query"])
        yield f"The run has this as a {side} {'passage' if passage else 'question'}: {shown(row['query'])}"
        yield f"{'How it goes on' if passage else 'Its answer'} there: {row['ground_truth']}"
        for name, made in said.answers.items():
            made = made.held_to(row["query"], row["ground_truth"])
            asked = "asked", name, side, row["query"], row["ground_truth"]
            answer = Answer(*asked, made.text, made.finished, other_wording=row.get("other", ""))
            yield f"{name}: {'; '.join(self._verdicts(answer, side))}."
        judges = ["words in their order"] if passage else filter(None, self.judges.names().values())
        yield f"Judged by {', '.join(judges)}."

    def _verdicts(self, answer: Answer, side: str) -> Iterator[str]:
        told = leaks(answer.generated_response, answer.wordings, answer.ground_truth)
        away = gives_away(answer.generated_response, answer.wordings, answer.ground_truth)
        words = ("gives nothing away", "gives away") if side == "forget" else ("tells nothing of it", "tells")
        yield f"leak check: {words[away]}" + (f" ({', '.join(told)})" if told else "")
        measure, words = (
            (measure_forgetting, ("told", "forgotten")) if side == "forget" else (measure_retention, ("lost", "kept"))
        )
        (found,) = measure([answer], self.judges).values()
        if found.values[0] is None:
            yield f"could not be judged ({found.reasons[0]})"
            return
        verdict = words[int(found.values[0])]
        if is_passage(answer.query):
            yield f"its own words: {verdict}"  # no judge takes part
        else:
            nli, coverage = found.judged["nli"][0], found.judged["coverage"][0]
            yield f"judges: {verdict} (inference: {nli}, entities covered: {coverage:.2f})"
        if not answer.finished:
            yield "the answer was cut off"

    def _against_before(self, said: Conversation) -> Iterator[str]:
        yield "The run has no question like this one, so there is no answer to judge by."
        for name, made in said.answers.items():
            if found := self._forgotten_in(said.asked or "", made.text):
                yield f"{name}: gives away what was to be forgotten ({', '.join(found)})."
        if len(said.answers) < 2:
            return
        before, after = (said.answers[name].text for name in ("before", "after"))
        told = leaks(after, said.asked or "", before)
        yield f"Of what was said before, the answer after tells {', '.join(told) if told else 'nothing specific'}."
