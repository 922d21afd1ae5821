"""What a report is made of: sections of paragraphs, tables, pictures and answers. `render` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from relearn_lite.report.plots import Picture
from relearn_lite.report.samples import Card
from relearn_lite.report.tables import Table
from relearn_lite.report.tiles import Tile


@dataclass(frozen=True)
class Text:
    """A paragraph that is no plain one. verdict: large; legend: small print; notice: stands out; code: as it is."""

    kind: Literal["heading", "verdict", "legend", "notice", "code"]
    text: str


@dataclass(frozen=True)
class Tiles:
    """The answer at a glance."""

    kind: ClassVar[str] = "tiles"
    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Facts:
    """(what, value) each."""

    kind: ClassVar[str] = "facts"
    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Cards:
    """Questions with their answers. choice: a page shows the first, more on demand, and a reader can choose which."""

    kind: ClassVar[str] = "cards"
    cards: Sequence[Card]
    choice: bool = False


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side, and how to read them; a page's alone. None in it was not to be had."""

    kind: ClassVar[str] = "pictures"
    pictures: Sequence[Picture | None]
    heading: str = ""
    text: str = ""


@dataclass(frozen=True)
class Folded:
    """What a page shows only when it is asked for."""

    kind: ClassVar[str] = "folded"
    summary: str
    part: Part


Part = str | Text | Tiles | Facts | Table | Pictures | Cards | Folded  # a str is a plain paragraph


@dataclass(frozen=True)
class Section:
    """parts may hold None for what there is nothing to say of."""

    name: str  # its address in the page
    title: str  # empty: what stands above all others
    parts: Sequence[Part | None]
