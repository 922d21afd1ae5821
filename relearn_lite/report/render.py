"""Reports as files: a page that needs nothing else, for people who were not there, and Markdown for a repository.

A template for each draws the same sections; pictures are left to the page. Whatever is filled in is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from relearn_lite.report import untrusted
from relearn_lite.report.run_report import sections
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.sections import Section
from relearn_lite.report.tables import Table
from relearn_lite.report.untrusted import fenced, inline, visible

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parent / "templates"
LONGEST = 20_000  # characters of one text


def render_html(results: RunResults, mask: bool = False) -> str:
    """The page of a run as one HTML text. `mask`: names, numbers and addresses of forget questions are covered."""
    return page(
        titled("Unlearning report", results.name, mask), sections(results, mask),
        (TEMPLATES / "report.js").read_text(encoding="utf-8"),
    )  # fmt: skip


def render_markdown(results: RunResults, mask: bool = False) -> str:
    """The report as one Markdown text. `mask`: names, numbers and addresses of forget questions are covered."""
    return document(titled("Unlearning report", results.name, mask), sections(results, mask))


def titled(what: str, name: str, mask: bool) -> str:
    """A title with the run's name, which may be that of somebody to be forgotten: masked, without."""
    return what if mask else f"{what}, {name}"


def page(title: str, parts: Sequence[Section], script: str = "") -> str:
    """A page of sections that loads nothing. script: all that may run there."""
    return _template("page.html.j2").render(
        title=title, sections=parts, script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
    )  # fmt: skip


def document(title: str, parts: Sequence[Section]) -> str:
    """A Markdown text of sections; those that hold nothing but pictures are left out."""
    draw = _template("parts.md.j2").module.draw
    drawn = [f"# {inline(title)}"]
    for section in parts:
        texts = [text for part in section.parts if part and (text := draw(part).strip())]
        drawn += [*[f"## {inline(section.title)}"] * bool(section.title), *texts] if texts else []
    return "\n\n".join(drawn) + "\n"


def latex(table: Table) -> str:
    """A table as a LaTeX tabular."""
    return _template("table.tex.j2").render(table=table)


@cache
def _template(name: str) -> Template:
    """Shows what it is given as it is, in its own format, and knows the filter `fenced`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def plain(value: object) -> str:
        if isinstance(value, Markup):
            return value
        markup = {".md.j2": inline, ".tex.j2": untrusted.latex}.get(name[name.index("."):])
        return Markup(markup(str(value))) if markup else visible(str(value), LONGEST)

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=name.endswith(".tex.j2"), finalize=plain,
    )  # fmt: skip
    environment.filters["fenced"] = lambda text, language: Markup(fenced(visible(text, LONGEST), language))
    return environment.get_template(name)
