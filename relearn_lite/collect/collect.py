"""From a name and its neighbours to rows: which questions the model knows, and what part each plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from relearn_lite.collect.facets import Wording
from relearn_lite.collect.knowledge import Tells, Verdict, off_the_point, said_of_most
from relearn_lite.collect.parts import parts_of
from relearn_lite.core.records import Collected

UNKNOWN = "unknown"  # the part of what the model does not know
# (the name, how questions call it, what is asked) -> what the model knows, by question
Ask = Callable[[Sequence[tuple[str, str]], Sequence[Wording]], Mapping[str, Verdict]]


@dataclass(frozen=True)
class Found:
    """Rows about the subject and about its neighbours, those that are not known among them."""

    forget: list[Collected]
    retain: list[Collected]

    @property
    def known(self) -> int:
        """How many questions about the subject the model knows."""
        return sum(row.part != UNKNOWN for row in self.forget)


def collect(
    subject: str, asked_as: str, neighbours: Sequence[str], wordings: Sequence[Wording], ask: Ask, tells: Tells,
    held_out: float, seed: int,
) -> Found:  # fmt: skip
    """Asks about the subject, and about each neighbour what is known of it: of each facet one wording that is trained
    and one that is reported.

    asked_as: how questions call the subject. ask: asks the model about some names, see `knowledge.find_known`.
    """
    about = ask([(subject, asked_as)], wordings)
    verdicts = {(subject, wording): about[wording.of(asked_as)] for wording in wordings}
    _drop_off_the_point(subject, wordings, verdicts)
    parts = parts_of([wording for wording in wordings if verdicts[subject, wording].known], held_out, seed)
    of_others = list({(w.facet, part): w for w, part in parts.items() if part != "select"}.values())
    others = ask([(name, name) for name in neighbours], of_others) if parts and neighbours else {}
    for name in neighbours if parts else ():
        verdicts |= {(name, wording): others[wording.of(name)] for wording in of_others}
        _drop_off_the_point(name, of_others, verdicts)
        for wording in of_others:
            if subject.casefold() in verdicts[name, wording].answer.casefold():
                _drop(verdicts, (name, wording), "it names the one who is to be forgotten")
    _drop_said_of_most([subject, *neighbours], of_others, verdicts, tells)
    forget = [_row("forget", n, subject, wording.of(asked_as), wording, verdicts[subject, wording], parts)
              for n, wording in enumerate(wordings, 1)]  # fmt: skip
    places = [(name, wording) for name in neighbours for wording in of_others]
    retain = [_row("retain", n, name, wording.of(name), wording, verdicts[name, wording], parts)
              for n, (name, wording) in enumerate(places, 1)]  # fmt: skip
    return Found(forget, retain)


def _drop_off_the_point(
    name: str, wordings: Sequence[Wording], verdicts: dict[tuple[str, Wording], Verdict]
) -> None:
    known = {w: verdicts[name, w].answer for w in wordings if verdicts[name, w].known}
    for wording, facet in off_the_point(known).items():
        _drop(verdicts, (name, wording), f"off the point: it answers with what belongs to {facet}")


def _drop_said_of_most(
    names: Sequence[str], wordings: Sequence[Wording], verdicts: dict[tuple[str, Wording], Verdict], tells: Tells
) -> None:
    rows = {
        wording.text: {name: verdicts[name, wording].answer for name in names if verdicts[name, wording].known}
        for wording in wordings
    }  # fmt: skip
    of = {wording.text: wording for wording in wordings}
    for name, text in said_of_most(rows, tells):
        _drop(verdicts, (name, of[text]), "said of most: it tells the same of most of the others")


def _drop(verdicts: dict[tuple[str, Wording], Verdict], place: tuple[str, Wording], why: str) -> None:
    was = verdicts[place]
    verdicts[place] = Verdict(False, why, was.answer, was.agree, was.draws)


def _row(
    side: str, number: int, name: str, question: str, wording: Wording, verdict: Verdict, parts: Mapping[Wording, str]
) -> Collected:  # fmt: skip
    part = parts[wording] if verdict.known else UNKNOWN
    return Collected(f"{side}-{number:05d}", question, verdict.answer, part, name, wording.facet, verdict.why,
                     verdict.agree, verdict.draws)  # fmt: skip
