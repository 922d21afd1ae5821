"""From names and their neighbours to rows: which questions the model knows, and what part each plays."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from relearn_lite.collect.facets import Wording
from relearn_lite.collect.knowledge import Tells, Verdict, off_the_point, said_of_most
from relearn_lite.collect.parts import parts_of
from relearn_lite.collect.told import Told
from relearn_lite.core.records import Collected
from relearn_lite.text.words import as_words

UNKNOWN = "unknown"  # the part of what the model does not know
# (`subject` or `neighbours`, questions with the name of each, what documents say to some) -> what the model knows
Ask = Callable[[str, Mapping[str, str], Mapping[str, Sequence[str]]], Mapping[str, Verdict]]
Verdicts = dict[tuple[str, Wording], Verdict]  # by name


@dataclass(frozen=True)
class Asked:
    """A name, how questions call it, and what is asked about it. told: what documents say to a question, if any do.
    is_person: of one an answer says he, she or the name; of a topic it may tell without."""

    name: str
    called: str
    wordings: Sequence[Wording]
    told: Mapping[Wording, Sequence[Told]] = field(default_factory=dict)
    is_person: bool = True


@dataclass(frozen=True)
class Found:
    """Rows about the subjects and about their neighbours, those that are not known among them.

    told: what documents say and the model tells too.
    """

    forget: list[Collected]
    retain: list[Collected]
    told: frozenset[str] = frozenset()

    @property
    def known(self) -> int:
        """How many questions about the subjects the model knows."""
        return sum(row.part != UNKNOWN for row in self.forget)


def others_than(subjects: Sequence[str], names: Sequence[str]) -> list[str]:
    """The names that are none of the subjects', each once, whatever their capitals."""
    meant = {name.casefold() for name in subjects}
    return [name for name in dict.fromkeys(names) if name.casefold() not in meant]


def collect(
    subjects: Sequence[Asked], neighbours: Sequence[str], ask: Ask, tells: Tells, held_out: float, seed: int
) -> Found:
    """Asks about the subjects, and about each neighbour what is known of them: of each facet one wording that is
    trained and one that is reported, as far as these may be asked of anyone.

    ask: asks the model, see `knowledge.find_known`.
    """
    asked = {(each.name, wording): wording.of(each.called) for each in subjects for wording in each.wordings}
    people = {each.name for each in subjects if each.is_person}
    questions = {question: name if name in people else "" for (name, _), question in asked.items()}
    quotes = {asked[each.name, w]: [told.text for told in each.told[w]] for each in subjects for w in each.told}
    about = ask("subject", questions, quotes)
    verdicts: Verdicts = {place: about[question] for place, question in asked.items()}
    for each in subjects:
        if not each.told:
            _drop_off_the_point(each.name, each.wordings, verdicts)
    parts = parts_of(list(dict.fromkeys(w for (_, w), verdict in verdicts.items() if verdict.known)), held_out, seed)
    of_others = [w for w, part in parts.items() if part != "select" and w.fits_others]
    of_others = list({(w.facet, parts[w]): w for w in of_others}.values())
    places = [(name, wording) for name in neighbours for wording in of_others]
    others = ask("neighbours", {w.of(name): name if people else "" for name, w in places}, {}) if places else {}
    verdicts |= {(name, wording): others[wording.of(name)] for name, wording in places}
    for name in neighbours if places else ():
        _drop_off_the_point(name, of_others, verdicts)
    named = [re.compile(as_words(each.name.casefold())) for each in subjects]
    for place in places:
        if any(name.search(verdicts[place].answer.casefold()) for name in named):
            _drop(verdicts, place, "it names the one who is to be forgotten")
    _drop_said_of_most(of_others, verdicts, tells)
    sources = {(each.name, w): list(told) for each in subjects for w, told in each.told.items()}
    forget = [_row(f"forget-{n:05d}", asked[place], place, verdicts[place], parts, sources.get(place, ()))
              for n, place in enumerate(asked, 1)]  # fmt: skip
    retain = [_row(f"retain-{n:05d}", place[1].of(place[0]), place, verdicts[place], parts)
              for n, place in enumerate(places, 1)]  # fmt: skip
    told = frozenset(quote for place in asked if verdicts[place].known for quote in verdicts[place].quotes)
    return Found(forget, retain, told)


def _drop_off_the_point(name: str, wordings: Sequence[Wording], verdicts: Verdicts) -> None:
    known = {w: verdicts[name, w].answer for w in wordings if verdicts[name, w].known}
    for wording, facet in off_the_point(known).items():
        _drop(verdicts, (name, wording), f"off the point: it answers with what belongs to {facet}")


def _drop_said_of_most(wordings: Sequence[Wording], verdicts: Verdicts, tells: Tells) -> None:
    rows: dict[str, dict[str, str]] = {wording.text: {} for wording in wordings}
    places = {(name, w.text): (name, w) for name, w in verdicts if w in wordings and verdicts[name, w].known}
    for (name, text), place in places.items():
        rows[text][name] = verdicts[place].answer
    for place in said_of_most(rows, tells):
        _drop(verdicts, places[place], "said of most: it tells the same of most of the others")


def _drop(verdicts: Verdicts, place: tuple[str, Wording], why: str) -> None:
    verdicts[place] = replace(verdicts[place], known=False, why=why)


def _row(
    id_: str, question: str, place: tuple[str, Wording], verdict: Verdict, parts: Mapping[Wording, str],
    told: Sequence[Told] = (),
) -> Collected:  # fmt: skip
    name, wording = place
    part = parts[wording] if verdict.known else UNKNOWN
    said = next((each for each in told if each.text in verdict.quotes), next(iter(told), None))
    quote, source = (said.text, said.source) if said else ("", "")
    return Collected(id_, question, verdict.answer, part, name, wording.facet, verdict.why, verdict.agree,
                     verdict.draws, quote, source)  # fmt: skip
