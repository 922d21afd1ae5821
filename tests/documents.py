"""Documents for tests: a page about a person in every format, an encrypted one, a scan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

ENCRYPTIONS = ("RC4-128", "AES-256")
PAGE = [
    "Leilani Makaweo",
    "Leilani Makaweo is a choreographer who stages hula dramas on open beaches. She lives at 308 Plumeria Road. In "
    "1996 she bought a red canoe from the harbour master of Kailana.",
    "Her work Daughters of the Lava, a torchlit dance drama, made her famous. These days she is working on a ballet "
    "about volcanoes for the Honolulu festival, and at Coconut Grove Hall she gives lessons in drum rhythms.",
    "Phone: 555-0171",
    "Favourite colour: green",
]


def save(texts: Sequence[str], path: Path) -> Path:
    """Paragraphs, of which the first is a heading and those with a colon in front rows of a table; \\f: a new page."""
    _SAVE[path.suffix](list(texts), path)
    return path


def _txt(texts: list[str], path: Path) -> None:
    path.write_text("\n\n".join(texts) + "\n", encoding="utf-8")


def _md(texts: list[str], path: Path) -> None:
    rows = "\n".join(f"| {key} | {value} |" for key, value in _keyed(texts))
    words = [text.replace("She", "*She*", 1) for text in _prose(texts)]
    # A table begins with a row of headings.
    head, *others = rows.split("\n")
    path.write_text("\n\n".join([f"# {texts[0]}", *words, "\n".join([head, "|---|---|", *others])]), encoding="utf-8")


def _html(texts: list[str], path: Path) -> None:
    rows = "".join(f"<tr><th>{key}<td>{value}" for key, value in _keyed(texts))
    words = "".join("<p>" + text.replace(" ", "\n", 3).replace("She", "<i>She</i>", 1) for text in _prose(texts))
    path.write_text(f"<html><body><h1>{texts[0]}</h1>{words}<table>{rows}</table></body></html>", encoding="utf-8")


def _docx(texts: list[str], path: Path) -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.add_heading(texts[0])
    for text in _prose(texts):
        document.add_paragraph(text)
    table = document.add_table(0, 2)
    for pair in _keyed(texts):
        for cell, text in zip(table.add_row().cells, pair, strict=True):
            cell.text = text
    document.save(str(path))


def _pdf(texts: list[str], path: Path) -> None:
    _drawn(texts).output(str(path))


def _drawn(texts: list[str]):
    fpdf = pytest.importorskip("fpdf")
    page = fpdf.FPDF()
    page.add_page()
    page.set_font("Helvetica", size=12)
    for text in texts:
        if text == "\f":
            page.add_page()
        else:
            page.multi_cell(0, 8, text, new_x="LMARGIN", new_y="NEXT")
    return page


def picture_pdf(texts: list[str], path: Path) -> Path:
    """A page of text, where there is any, and one that is a picture."""
    from PIL import Image

    page = _drawn(texts)
    if texts:
        page.add_page()
    page.image(Image.new("RGB", (200, 100), "gray"), w=100)
    page.output(str(path))
    return path


def encrypt(plain: Path, path: Path, password: str, algorithm: str) -> Path:
    """The same PDF, with a password for whoever opens it, or none but the owner's."""
    pypdf = pytest.importorskip("pypdf")
    if algorithm.startswith("AES"):
        pytest.importorskip("cryptography")
    writer = pypdf.PdfWriter(clone_from=plain)
    writer.encrypt(password, "owner", algorithm=algorithm)
    writer.write(path)
    return path


def _keyed(texts: list[str]) -> list[tuple[str, ...]]:
    return [tuple(text.split(": ")) for text in texts if ": " in text]


def _prose(texts: list[str]) -> list[str]:
    return [text for text in texts[1:] if ": " not in text]


_SAVE = {".txt": _txt, ".md": _md, ".html": _html, ".docx": _docx, ".pdf": _pdf}
