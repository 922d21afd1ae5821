"""Questions that a model proposes: about a name or a topic, until new ones stop coming, and of passages of documents.

What it writes is checked and never believed: a question must stand alone, and the answer to one about a passage must
stand in it. Whether the model that is to forget knows the answer is asked as for any question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from relearn_lite.collect.facets import NAME, Wording
from relearn_lite.collect.sentence_questions import stands_alone
from relearn_lite.collect.told import Told, facets_told
from relearn_lite.data.documents import Block
from relearn_lite.text.words import as_words, glue, sentences
from relearn_lite.writers import Task, Writer
from relearn_lite.writers.parsing import listed, pairs
from relearn_lite.writers.subject import find_subject

ROUNDS = 4  # in which aspects are asked for, at most
MOST_ASPECTS = 24
MOST_ASPECT_WORDS = 6
PASSAGE = 600  # characters of a passage, up to the end of the sentence
AT_ONCE = 8  # tasks between two steps of the progress bar
WHOEVER = "whoever it tells of"
_NAME = re.compile(r"(?<=\s)[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*")
Advance = Callable[[float], None]


def about(name: str, intro: str, facets: Sequence[str], writer: Writer, advance: Advance) -> list[Wording]:
    """Questions about a name or a topic, by aspects that are not among `facets`. advance: is told of 1 in all."""
    found = _aspects(f"{name}, {intro}" if intro else name, facets, writer)
    tasks = [Task("ask_about", name, text=aspect) for aspect in found]
    wordings = []
    for task, reply in _written(tasks, writer, advance):
        asked = (_about(question, name) for question in listed(reply) or ())
        wordings += [Wording(task.text.lower(), question) for question in asked if question]
    return list(dict.fromkeys(wordings))


def _aspects(called: str, facets: Sequence[str], writer: Writer) -> list[str]:
    found: dict[str, str] = {}
    for seed in range(ROUNDS):
        (reply,) = writer.write([Task("aspects", called, text=", ".join([*facets, *found.values()]) or "-", seed=seed)])
        new = [each.rstrip(".:") for each in listed(reply or "") or () if len(each.split()) <= MOST_ASPECT_WORDS]
        before = len(found)
        for each in new:
            if each.lower() not in facets and len(found) < MOST_ASPECTS:
                found.setdefault(each.lower(), each)
        if len(found) == before or len(found) == MOST_ASPECTS:
            break
    return list(found.values())


def of_passages(
    blocks: Sequence[Block], subject: str, writer: Writer, advance: Advance
) -> list[tuple[Wording, Told]]:  # fmt: skip
    """Questions that passages of documents answer, with the sentence that does. subject: about this one alone."""
    passages = {Task("ask_passage", subject or WHOEVER, text=text): said for text, said in _passages(blocks)}
    found = []
    for task, reply in _written(list(passages), writer, advance):
        for question, answer in pairs(reply) or ():
            name = subject or find_subject(question) or next(reversed(_NAME.findall(question)), None)
            asked = _about(question, name) if name else None
            told = next((told for told in passages[task] if _plain(answer) in _plain(told.text)), None)
            if asked and told and _plain(answer) not in _plain(question):
                facet = next(iter(facets_told(told.text)), " ".join(told.text.split()[:5]))
                found.append((Wording(facet, asked), Told(name, told.text, told.source)))
    return list(dict.fromkeys(found))


def _passages(blocks: Sequence[Block]) -> Iterator[tuple[str, list[Told]]]:
    """Whole sentences, as many as fit together, of one document."""
    for document, group in groupby(blocks, lambda block: block.document):
        said: list[Told] = []
        for block in group:
            for sentence in sentences(block.text):
                said.append(Told("", sentence, f"{document}, {block.place}"))
                if sum(len(each.text) for each in said) >= PASSAGE:
                    yield _text(said), said
                    said = []
        if said:
            yield _text(said), said


def _text(said: Sequence[Told]) -> str:
    return glue(said[0].text).join(each.text for each in said)


def _written(tasks: Sequence[Task], writer: Writer, advance: Advance) -> Iterator[tuple[Task, str]]:
    """Each task with its reply, of those that have one."""
    for start in range(0, len(tasks), AT_ONCE):
        some = tasks[start : start + AT_ONCE]
        yield from ((task, reply) for task, reply in zip(some, writer.write(some), strict=True) if reply)
        advance(len(some) / len(tasks))


def _about(question: str, name: str) -> str | None:
    """A question with `{S}` in the name's place; None where it does not stand alone, or is none."""
    asked = re.sub(as_words(name), lambda _: NAME, question, flags=re.IGNORECASE)
    good = NAME in asked and question.rstrip().endswith(("?", "？", "؟")) and stands_alone(asked)
    return asked if good else None


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
