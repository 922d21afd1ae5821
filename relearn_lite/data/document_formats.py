"""Text out of TXT, Markdown, HTML, DOCX and PDF files, as (place, text), by the packages that know these formats."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from html import unescape
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import BadZipFile, ZipFile

from relearn_lite.core.memory import tell_once

# What stands between a DOCX file's body and its text: fields of forms, what was inserted under review, smart tags.
WRAPPED = ".//w:sdt/w:sdtContent | .//w:sdt | .//w:ins | .//w:moveTo | .//w:smartTag"
BOXES = ".//*[local-name()='txbxContent'][not(ancestor::*[local-name()='Fallback'])]"  # in a paragraph, and there twice
INSTALL = "pip install -r requirements-documents.txt"
OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # how encrypted and old Office files begin
MOST_UNPACKED = 200_000_000  # bytes of a DOCX file: a small file may unpack to any size
NOT_READ = ("script", "style", "noscript", "template", "svg", "nav", "form", "head")  # of an HTML page
WESTERN = "cp1252"  # the encoding in which most older files are
BLOCKS = """address article aside blockquote body br caption dd details dialog div dl dt fieldset figcaption figure
footer h1 h2 h3 h4 h5 h6 header hr li main ol p pre section summary table tbody tfoot thead tr ul""".split()
BREAK = "\x1e"  # between blocks of an HTML page: white space that no page has
HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)  # in Markdown
BLOCK = re.compile(rf"</?(?:{'|'.join(BLOCKS)})\b[^<>]*>", re.IGNORECASE)
CELL, TAG = re.compile(r"<t[dh]\b[^<>]*>", re.IGNORECASE), re.compile(r"<[^<>]*>")
PROSE = ("p", "h1", "h2", "h3", "h4", "h5", "h6")
BROKEN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)  # by the packages, on what is no such file

Reader = Callable[[Path], Iterator[tuple[str, str]]]  # -> (place, text) of each part


class Unreadable(Exception):
    """Why a document cannot be read, to stand after its name, and what to do."""


def text_file(path: Path) -> Iterator[tuple[str, str]]:
    """Paragraphs, which blank lines part, by the line on which they begin."""
    first, lines = 1, []
    for number, line in enumerate([*decoded(path).replace("\f", "\n\n").splitlines(), ""], 1):
        if line.strip():
            first = first if lines else number
            lines.append(line)
        elif lines:
            yield f"line {first}", "\n".join(lines)
            lines = []


def whole_text(path: Path) -> Iterator[tuple[str, str]]:
    """A file of any name as it stands, blank lines too, in one part."""
    yield "", "\n".join(decoded(path).replace("\f", "\n\n").splitlines())


def markdown(path: Path) -> Iterator[tuple[str, str]]:
    """Paragraphs, headings, list items and rows of tables, by the line on which they begin."""
    from markdown_it import MarkdownIt

    row: list[str] | None = None
    for token in MarkdownIt("commonmark").enable("table").parse(decoded(path)):
        if token.type == "tr_open":
            row, line = [], token.map
        elif token.type == "tr_close":
            yield f"line {line[0] + 1}", _row(row)
            row = None
        elif token.type in ("fence", "code_block"):
            yield f"line {token.map[0] + 1}", token.content
        elif token.type == "html_block":
            for block in BLOCK.split(HIDDEN.sub(" ", token.content)):
                cells = filter(str.strip, CELL.split(block))
                yield f"line {token.map[0] + 1}", _row([unescape(TAG.sub("", cell)) for cell in cells])
        elif token.type == "inline":
            parts = map(_inline, token.children)
            if row is None:
                yield f"line {token.map[0] + 1}", "".join(parts)
            else:
                row.append("".join(parts))


def _inline(child: Any) -> str:
    """A part of a paragraph of a Markdown file."""
    if child.type == "html_inline":
        return " " if BLOCK.match(child.content) else ""
    return " " if "break" in child.type else child.content


def html(path: Path) -> Iterator[tuple[str, str]]:
    """Paragraphs, headings, list items and rows of tables, counted."""
    needed("lxml", "lxml")
    bs4 = needed("bs4", "beautifulsoup4")
    raw = path.read_bytes()
    named = bs4.dammit.EncodingDetector.find_declared_encoding(raw, is_html=True)  # bs4 would guess all others
    try:
        soup = bs4.BeautifulSoup(raw if named else decoded(path), "lxml")
        for tag in soup(NOT_READ):
            if not (tag.name == "form" and tag(PROSE)):  # with prose in it, it is the page
                tag.decompose()
        for tag in soup(BLOCKS):  # within it: to find its place among its siblings takes long, where these are many
            tag.insert(0, BREAK)
            tag.append(BREAK)
        for term in soup("dt"):
            if value := term.find_next_sibling("dd"):
                term.string = f"{BREAK}{_row([term.get_text(), value.extract().get_text()])}{BREAK}"
        for row in soup("tr"):
            cells = row(["td", "th"])
            if row.find("table") or any(len(cell(PROSE)) > 1 for cell in cells):  # it lays out a page
                for cell in cells:
                    cell.insert(0, BREAK)
            else:
                row.string = f"{BREAK}{_row([cell.get_text() for cell in cells])}{BREAK}"
        texts = (" ".join(text.split()) for text in soup.get_text().split(BREAK))
    except (RecursionError, bs4.exceptions.ParserRejectedMarkup):
        raise Unreadable("is nested too deep to be read; save it as text") from None
    yield from ((f"paragraph {n}", text) for n, text in enumerate(filter(None, texts), 1))


def docx(path: Path) -> Iterator[tuple[str, str]]:
    """Paragraphs and rows of tables, counted; without headers, footers and comments."""
    library = needed("docx", "python-docx")
    from docx.opc.exceptions import PackageNotFoundError

    with path.open("rb") as file:
        if file.read(4) == OLD_OFFICE:
            raise Unreadable("is encrypted, or a .doc under another name; save it as .docx without a password")
    try:
        with ZipFile(path) as packed:
            if sum(each.file_size for each in packed.infolist()) > MOST_UNPACKED:
                raise Unreadable("unpacks to more than 200 MB; give the text of it alone")
        document = library.Document(str(path))
        for box in reversed(document.element.body.xpath(BOXES)):
            *_, paragraph = box.iterancestors("{*}p")
            for inner in reversed(list(box)):
                paragraph.addnext(inner)
        for mark in document.element.body.xpath(WRAPPED):
            for inner in list(mark):
                mark.addprevious(inner)
        texts = filter(str.strip, _docx_blocks(document))
        yield from ((f"paragraph {n}", text) for n, text in enumerate(texts, 1))
    except (PackageNotFoundError, BadZipFile, SyntaxError, *BROKEN) as error:  # SyntaxError: of lxml
        raise Unreadable(f"is no DOCX file or is broken ({type(error).__name__}); open it and save it again") from None


def _docx_blocks(holder: Any) -> Iterator[str]:
    """Paragraphs and rows of tables of a DOCX document, or of a cell of one."""
    for block in holder.iter_inner_content():
        if hasattr(block, "rows"):
            for row in block.rows:
                yield from _docx_row(row)
        else:
            yield block.text


def _docx_row(row: Any) -> Iterator[str]:
    """A row of a table as one text; by cells and their paragraphs where it lays out a page, merged cells once."""
    cells = list({cell._tc: cell for cell in row.cells}.values())
    texts = [[text for text in _docx_blocks(cell) if text.strip()] for cell in cells]
    if any(len(some) > 1 and any(text.rstrip()[-1] in ".!?" for text in some) for some in texts):
        yield from (text for some in texts for text in some)
    else:
        yield _row([" ".join(some) for some in texts])


def pdf(path: Path) -> Iterator[tuple[str, str]]:
    """Pages; empty where a page is a picture."""
    pypdf = needed("pypdf", "pypdf")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it complains of much that it can read
    encrypted = "is encrypted; save it without a password (print it to a file), and give that"
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable(encrypted)
        for number, page in enumerate(reader.pages, 1):
            yield f"page {number}", page.extract_text()
    except pypdf.errors.DependencyError:
        raise Unreadable(f"{encrypted}; or, if it opens without one: {INSTALL}") from None
    except (pypdf.errors.PyPdfError, *BROKEN) as error:
        raise Unreadable(f"is no PDF file or is broken ({type(error).__name__}); open it and save it again") from None


def decoded(path: Path) -> str:
    """Text in UTF-8, UTF-16 or UTF-32, or in an older encoding, which is guessed, and told."""
    raw = path.read_bytes()
    encoding = json.detect_encoding(raw)  # by its mark, or where the zeros stand
    try:
        return raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

    found = from_bytes(raw)
    # Of a Western text several others are about as likely, and none is as usual; what reads it alike may stand for it.
    best = next((each for each in found if WESTERN in each.could_be_from_charset), found.best())
    if best is None:
        raise Unreadable("holds no text but binary data; give a document, or leave it out")
    encoding = WESTERN if WESTERN in best.could_be_from_charset else best.encoding
    tell_once(f"{path.name} is not UTF-8: it is read as {encoding}; if names in it look wrong, save it as UTF-8")
    return str(best)


def needed(module: str, package: str) -> ModuleType:
    """An optional package. Raises Unreadable where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise Unreadable(f"is read by the package {package}, which is not installed: {INSTALL}") from None


def _row(cells: list[str]) -> str:
    """A row of a table; of two cells the first one says what the second one is."""
    texts = [" ".join(cell.split()) for cell in cells]
    return ": ".join(texts) if len(texts) == 2 and all(texts) else ", ".join(filter(None, texts))


READERS: dict[str, Reader] = {
    ".txt": text_file, ".md": markdown, ".markdown": markdown, ".html": html, ".htm": html, ".docx": docx, ".pdf": pdf,
}  # fmt: skip
