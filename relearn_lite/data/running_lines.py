"""Running headers, footers and page numbers of paged documents, which are part of no sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

MOST_LINES = 3  # that run at one edge of a page
_NUMBERED = re.compile(r"\W*page \d+(?: of \d+)?\W*", re.IGNORECASE)  # runs even on the only page
_PAGE_WORDS = re.compile(r"\b(?:page|of|p|pp)\b", re.IGNORECASE)


def without_running_lines(pages: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """(place, text) of pages without the lines that run along their tops and bottoms.

    A line runs if it begins, or ends, at least a third of the pages and two of them: the same on each, but for a number
    that counts with the pages. One with words in it stands once, apart, before the first page that has it.
    """
    lines = [text.strip().splitlines() for _, text in pages]
    kept = _take_running(lines, 0) + _take_running(lines, -1)
    for number, (place, text) in enumerate(pages):
        yield from ((place, line) for first, line in kept if first == number)
        yield place, "\n".join(lines[number]) if text.strip() else text


def _take_running(lines: Sequence[list[str]], edge: int) -> list[tuple[int, str]]:
    """Takes the running lines out of pages, edge 0: at the top, -1: at the bottom; those that say something, once."""
    kept = []
    enough = max(2, len(lines) / 3)
    for _ in range(MOST_LINES):
        forms = {number: _forms(page[edge], number) for number, page in enumerate(lines) if len(page) > 1}
        often = Counter(form for some in forms.values() for form in some)
        seen: set[str] = set()
        for number, some in forms.items():
            if not (_NUMBERED.fullmatch(lines[number][edge]) or any(often[form] >= enough for form in some)):
                continue
            line = lines[number].pop(edge)
            while len(lines[number]) > 1 and not lines[number][edge].strip():
                lines[number].pop(edge)
            if not some & seen and re.search(r"[^\W\d_]", _PAGE_WORDS.sub("", line)):
                kept.append((number, line))
            seen |= {form for form in some if often[form] >= enough}
        if not seen:
            break
    return kept


def _forms(line: str, page: int) -> set[str]:
    """A line as it stands, and with each of its numbers as how far it is ahead of the page's."""
    line = " ".join(line.split())
    numbers = re.finditer(r"\d{1,5}", line)
    return {line, *(f"{line[: n.start()]}#{int(n[0]) - page}#{line[n.end() :]}" for n in numbers)}
