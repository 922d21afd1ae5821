"""A text cut into passages: each is a beginning that a model is given, and the rest that it would know by heart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import tell_once
from relearn_lite.core.records import QA
from relearn_lite.data.documents import find_documents, labels, read_text
from relearn_lite.text.recall import KNOWN_NGRAM, ngrams
from relearn_lite.text.turns import SEPARATOR, is_passage, looks_like_turns, passage, shown
from relearn_lite.text.words import sentences, words

if TYPE_CHECKING:
    from relearn_lite.recipe import Source

FEWEST_WORDS = 16  # of a passage: with fewer, beginning and rest say nothing
_LINE, _WORD, _SIGN = re.compile(r"[^\n]*\S[^\n]*"), re.compile(r"\S+"), re.compile(r"\S")


def load_passages(source: Source, part: str, key: str, elsewhere: bool = False) -> list[QA]:
    """The passages of all files as records, numbered through. elsewhere: those cut in other places, see `passages`.

    Raises RecipeError with every named file that cannot be read or is too short; of what a folder or a pattern has
    besides, that is told.
    """
    paths, records, problems, left_out = find_documents(source.text, f"{key}.text", plain=True), [], [], []
    for path, name in labels(paths).items():
        try:
            text = _read(path, name, f"{key}.text")
        except RecipeError as error:
            (problems if path in source.text else left_out).extend(error.problems)
            continue
        records += _records(text, source.passage_words, part, len(records), elsewhere)
    if problems or not records and not elsewhere:
        raise RecipeError(problems or left_out)
    if left_out:
        tell_once(f"{len(left_out)} of {len(paths)} files are not used. First: {left_out[0]}")
    return records


def texts_of(rows: Sequence[dict[str, Any]], column: str, key: str, where: str) -> list[str]:
    """The texts in one column of a table. where: what that is, in words. Raises RecipeError where a row has none."""
    wrong = [n for n, row in enumerate(rows, 1) if not isinstance(row.get(column), str) or not row[column].strip()]
    if wrong or not rows:
        told = f"row {wrong[0]} of {where} has no text in column {column!r}" if wrong else f"{where} has no rows"
        raise RecipeError(f"{key}: {told}; give a whole copy of it")
    return [row[column].replace(SEPARATOR, " ") for row in rows]


def whole_texts(texts: Sequence[str], part: str) -> list[QA]:
    """Each text as one record, with nothing before it."""
    return [QA(f"{part}-{n:05d}", passage(""), text, ends=False) for n, text in enumerate(texts, 1)]


def passages_of_texts(texts: Sequence[str], length: int, part: str, elsewhere: bool = False) -> list[QA]:
    """The passages of texts, as `load_passages` has those of files; of texts with too few words is told."""
    long, records = [text for text in texts if len(words(text)) >= FEWEST_WORDS], []
    for text in long:
        records += _records(text, length, part, len(records), elsewhere)
    if len(long) < len(texts):
        tell_once(f"data.{part}: {len(texts) - len(long)} of {len(texts)} texts have fewer than {FEWEST_WORDS} words.")
    return records


def _records(text: str, length: int, part: str, before: int, elsewhere: bool) -> list[QA]:
    ending = "/elsewhere" if elsewhere else ""
    return [
        QA(f"{part}-{before + n:05d}{ending}", passage(start), rest.rstrip(), ends=False)
        for n, (start, rest) in enumerate(passages(text, length, elsewhere), 1)
    ]


def _read(path: Path, name: str, key: str) -> str:
    text = read_text(path, key)
    if (length := len(words(text))) < FEWEST_WORDS:
        raise RecipeError(
            f"{key}: {name} has {length} words, too few for a passage, which needs {FEWEST_WORDS}; give more of the "
            "text, or leave it out"
        )
    if looks_like_turns(text):
        raise RecipeError(f"{key}: {name} holds U+241E with a role behind it, which marks turns here; remove it")
    return text


def passages(text: str, length: int, elsewhere: bool = False) -> Iterator[tuple[str, str]]:
    """(beginning, rest) of each passage of about `length` words. What parts the two, a space or line break, ends the
    beginning.

    The text is taken apart in pieces of whole sentences or lines, half a passage each; every one but the first is the
    rest of a passage, and the one before it the beginning. elsewhere: in pieces that reach from the middle of one to
    that of the next.
    """
    places = _pieces(text, max(FEWEST_WORDS, length) / 2)
    if elsewhere:
        places = [_middle(text, *piece) for piece in pairwise(places)]
    elif len(places) < 3:
        places.insert(1, _middle(text, *places))
    for (start, cut), (_, end) in pairwise(pairwise(places)):
        yield text[start:cut], text[cut:end]


def cuts(qa: QA, count: int, rng: Random) -> list[QA]:
    """`count` records of the same passage with another beginning: cut at other words, and begun later.

    Never cut where passages `elsewhere` are, which are there to measure by. Fewer where the passage is short.
    """
    start = shown(qa.question)
    whole = start + qa.answer
    places = _words(whole)
    taken = {len(start), _middle(whole, 0, len(start)), _middle(whole, len(start), len(whole))}
    quarter = len(places) // 4
    free = [n for n in range(quarter, len(places) - quarter) if places[n] not in taken]
    chosen = sorted(rng.sample(free, min(count, len(free))))
    return [
        replace(
            qa, id=f"{qa.id}/cut-{number}", question=passage(whole[places[rng.randint(0, n // 2)] : places[n]]),
            answer=whole[places[n] :],
        )
        for number, n in enumerate(chosen, 1)
    ]  # fmt: skip


def cut_rest(qa: QA, question: str) -> str:
    """What follows in the passage after another beginning, one of `cuts`."""
    return (shown(qa.question) + qa.answer).partition(shown(question))[2]


def with_words_of(some: Sequence[QA], others: Sequence[QA]) -> list[QA]:
    """The passages that share KNOWN_NGRAM words in a row with another text's passages."""
    theirs = ngrams_of(others, KNOWN_NGRAM)
    return [qa for qa in some if not theirs.isdisjoint(ngrams_of([qa], KNOWN_NGRAM))]


def ngrams_of(records: Sequence[QA], n: int) -> frozenset[tuple[str, ...]]:
    """The n-grams of words of the passages among some records."""
    texts = (shown(qa.question) + qa.answer for qa in records if is_passage(qa.question))
    return frozenset(ngram for text in texts for ngram in ngrams(text, n))


def _pieces(text: str, length: float) -> list[int]:
    """Where each piece of at least `length` words begins, and where the last one ends. Too little at the end belongs to
    the piece before it."""
    places, counted, end = [], length, 0
    for start, end in _units(text, int(length)):
        if counted >= length:
            places.append(start)
            counted = 0
        counted += len(words(text[start:end]))
    if counted < length / 2 and len(places) > 1:
        places.pop()
    return [*places, end]


def _units(text: str, length: int) -> Iterator[tuple[int, int]]:
    """Where the sentences of each line begin and end; one that is much longer than a piece is taken apart at words."""
    for line in _LINE.finditer(text):
        at = line.start()
        for sentence in sentences(line[0]):
            start = text.index(sentence, at)
            at = start + len(sentence)
            found = [start + place for place in _words(sentence)]
            begins = found[::length] if len(found) > 2 * length else found[:1]
            yield from zip(begins, [*begins[1:], at], strict=True)


def _words(text: str) -> list[int]:
    """Where the words of a text begin, or its characters where hardly any spaces stand between words."""
    spaced = [found.start() for found in _WORD.finditer(text)]
    return spaced if 2 * len(spaced) > len(words(text)) else [found.start() for found in _SIGN.finditer(text)]


def _middle(text: str, start: int, end: int) -> int:
    """Where the middle word of a part of a text begins."""
    found = _words(text[start:end])
    return start + found[len(found) // 2]
