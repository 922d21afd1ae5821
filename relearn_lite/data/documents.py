"""The text of documents that people have, block by block, each with its place: a page, a line, a paragraph.

What cannot be read says why, with the key that named it. Text of a document is only text: nothing in it is obeyed.
"""

from __future__ import annotations

import glob
import os
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import tell_once
from relearn_lite.data.document_formats import READERS, Reader, Unreadable, whole_text
from relearn_lite.data.files import FORMATS
from relearn_lite.data.running_lines import without_running_lines
from relearn_lite.text.stop_words import STOP_WORDS
from relearn_lite.text.words import tidied

MOST = 5_000_000  # characters of one document: about 2,500 pages
MOST_BYTES = {".txt": 4 * MOST, ".md": 4 * MOST, ".markdown": 4 * MOST, ".html": 8 * MOST, ".htm": 8 * MOST}
BROKEN_SHARE = 0.01  # of the characters, that no text has: from here on it is no text
FULL_LINE = 0.75  # of the usual length of a page's lines: a shorter one ends a paragraph
FORMATTED = (".html", ".htm", ".docx", ".pdf")  # what stands in the file is no text yet
WHOLE = (".md", ".markdown", ".html", ".htm", ".docx")  # formats in which no line goes on in the next one
SILENT, BETWEEN = 2.0, 30.0  # seconds of reading before the first line of progress, and from one to the next
OPEN_IN_WORD = "~$"  # so begins a file that Word lays beside a document that is open
SOFT_HYPHEN = "\u00ad"  # where a word may be divided
LAYOUT = frozenset(f"\n\r\t\f\u200b\ufeff{SOFT_HYPHEN}")
_UNSEEN = re.compile(  # in a word, which is the same without; marks of notes, behind which no sentence would end
    rf"[\u200b\ufeff{SOFT_HYPHEN}]|(?<=[.!?\"”])(?:\[\d{{1,3}}\])+(?=\s|$)"
)
_QUOTED = re.compile(r"^(?:> ?)+")  # in front of the lines of a mail that is answered
_BEGINS = re.compile(r"[-•*–·▪]\s|\d{1,2}[.)]\s|[A-Z][\w /'-]{1,30}:\s")  # a list's item, or "Phone: ..."


class Block(NamedTuple):
    """A paragraph, a heading or a row of a table; `place` in words, such as `page 3`."""

    document: str
    place: str
    text: str


def find_documents(named: Sequence[Path], key: str, plain: bool = False) -> list[Path]:
    """The files that are meant: files, what lies in folders and below, and what globs find. Raises RecipeError.

    plain: files of every other name are text too, such as code.
    """
    found: dict[Path, None] = {}
    problems = []
    for path in named:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file() and not _hidden(file.relative_to(path)))
        elif path.is_file():
            files = [path]
        else:
            met = map(Path, glob.glob(str(path), recursive=True))
            files = sorted(file for file in met if file.is_file() and not file.name.startswith(OPEN_IN_WORD))
        readable = [file for file in files if plain or file.suffix.lower() in READERS]
        allowed = f"allowed: {'files of any name' if plain else ', '.join(READERS)}"
        if path.is_dir() and not readable:
            problems.append(f"{key}: there is no document in the folder {path}; {allowed}; name another, or save what "
                            "lies there as one of these")  # fmt: skip
        elif not files:
            problems.append(f"{key}: there is no file {path}; correct the path (relative paths start at the recipe's "
                            "folder)")  # fmt: skip
        elif not readable:
            table = ", or name a table of questions as data.forget.path" if path.suffix.lower() in FORMATS else ""
            problems.append(
                f"{key}: {path.name} is not a format that is read here; {allowed}; save it as one of these{table}"
            )
        elif len(readable) < len(files):
            others = [file.name for file in files if file not in readable]
            tell_once(f"{key}: {len(others)} files of {path} are not read (first: {others[0]}); {allowed}")
        found |= dict.fromkeys(readable)
    if problems:
        raise RecipeError(problems)
    return list(found)


def _hidden(file: Path) -> bool:
    """Whether a file below a folder, or a folder on the way to it, is hidden (.git), or marks a document as open."""
    return any(part.startswith(".") for part in file.parts) or file.name.startswith(OPEN_IN_WORD)


def labels(paths: Sequence[Path]) -> dict[Path, str]:
    """What each document is called: its name, or where several have it, its path below the folder of all."""
    often, above = Counter(path.name for path in paths), ""
    with suppress(ValueError):  # no path at all, or several drives of Windows
        above = os.path.commonpath([path.parent for path in paths])
    return {
        path: path.name if often[path.name] == 1 else (path.relative_to(above) if above else path).as_posix()
        for path in paths
    }


def read_documents(paths: Sequence[Path], key: str) -> list[Block]:
    """The blocks of all documents, in their order. Raises RecipeError with every document that cannot be read."""
    names = labels(paths)
    blocks: list[Block] = []
    problems: list[str] = []
    for path in paths:
        try:
            read = _read(path, path.stat().st_mtime_ns, key)
            blocks += [block._replace(document=names[path]) for block in read]
        except RecipeError as error:
            problems += error.problems
        except OSError as error:
            problems.append(f"{key}: {path.name} cannot be read ({error.strerror}); make it readable, or leave it out")
    if problems:
        raise RecipeError(problems)
    return blocks


def read_text(path: Path, key: str) -> str:
    """A document as one text. HTML, DOCX and PDF have a paragraph on each line; all else is as it stands, with its own
    lines. Raises RecipeError where it cannot be read."""
    if path.suffix.lower() in FORMATTED:
        return "\n".join(block.text for block in read_documents([path], key))
    ((_, text),) = _pages(path, key, whole_text)
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=256)  # a check reads them before the stage does
def _read(path: Path, _: int, key: str) -> tuple[Block, ...]:
    suffix = path.suffix.lower()
    pages = _pages(path, key, READERS[suffix])
    pages = list(without_running_lines(pages)) if suffix == ".pdf" else pages
    blocks = pages if suffix in WHOLE else [(place, block) for place, page in pages for block in paragraphs(page)]
    blocks = _joined(blocks) if suffix == ".pdf" else blocks
    blocks = [Block(path.name, place, tidied(" ".join(_UNSEEN.sub("", text).split()))) for place, text in blocks]
    return tuple(block for block in blocks if block.text)


def _pages(path: Path, key: str, read: Reader) -> list[tuple[str, str]]:
    """What a document holds, by place. Raises RecipeError where that is no text."""
    suffix, size = path.suffix.lower(), path.stat().st_size
    if size == 0:
        raise RecipeError(f"{key}: {path.name} is empty; leave it out")
    if size > MOST_BYTES.get(suffix, MOST_BYTES[".txt"] if read is whole_text else size):
        raise _too_long(path, key)
    try:
        pages = list(_told(path.name, read(path)))
    except Unreadable as error:
        raise RecipeError(f"{key}: {path.name} {error}") from None
    text = "".join(page for _, page in pages)
    if len(text) > MOST:
        raise _too_long(path, key)
    if sum(map(_is_broken, text)) > BROKEN_SHARE * len(text):
        raise RecipeError(f"{key}: {path.name} holds no text but binary data; give a document, or leave it out")
    if not text.strip():
        scanned = "its pages are pictures (a scan?): have their text recognised first (OCR)"
        raise RecipeError(f"{key}: {path.name} has no text; {scanned if suffix == '.pdf' else 'leave it out'}")
    if blank := [place for place, page in pages if not page.strip() and suffix == ".pdf"]:
        tell_once(f"{key}: {path.name} has no text on {len(blank)} of {len(pages)} pages (first: {blank[0]}): what is "
                  "a picture there is not read")  # fmt: skip
    return pages


def _told(name: str, parts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The parts of a document; where reading takes long, says how far it is."""
    due = time.monotonic() + SILENT
    for place, text in parts:
        if time.monotonic() > due:
            print(f"reading {name}: {place} ...", file=sys.stderr)
            due = time.monotonic() + BETWEEN
        yield place, text


def _too_long(path: Path, key: str) -> RecipeError:
    return RecipeError(
        f"{key}: {path.name} is longer than {MOST:,} characters (about 2,500 pages), the most that is read of one "
        "document; give the part that is to be forgotten, or several files"
    )


def _is_broken(char: str) -> bool:
    return char == "\ufffd" or char not in LAYOUT and unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs")


def paragraphs(page: str) -> Iterator[str]:
    """The paragraphs of a page whose lines are broken at its margin.

    A line goes on in the next one unless it is much shorter than the others and no article or the like ends it, or the
    next one is blank, an item of a list, or says first what it tells.
    """
    lines = [_QUOTED.sub("", line.strip()).strip() for line in page.splitlines()]
    full = FULL_LINE * median([len(line) for line in lines if line] or [0])
    block = ""
    for line in lines:
        if not line or _BEGINS.match(line):
            yield block
            block = ""
        hyphen = block.endswith("-") and line[:1].islower() or block.endswith(SOFT_HYPHEN)
        block = block[:-1] + line if hyphen else f"{block} {line}"
        if len(line) < full and not line.endswith(SOFT_HYPHEN) and line.rpartition(" ")[2].lower() not in STOP_WORDS:
            yield block
            block = ""
    yield block


def _joined(blocks: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Puts together what a page's end cut in two: a block without a full stop, and one that begins in small letters."""
    before: tuple[str, str] | None = None
    for place, text in blocks:
        if not text.strip():
            continue
        if before and before[0] != place and before[1].rstrip()[-1].isalnum() and text.lstrip()[0].islower():
            before = before[0], f"{before[1].rstrip()} {text.lstrip()}"
            continue
        if before:
            yield before
        before = place, text
    if before:
        yield before
