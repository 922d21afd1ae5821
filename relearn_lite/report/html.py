"""Reports as a page: one file that needs nothing else, for people who were not there."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.report.metric_table import judged_by
from relearn_lite.report.run_report import sections
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.samples import Card
from relearn_lite.report.sections import Section
from relearn_lite.report.texts import texts
from relearn_lite.report.untrusted import visible
from relearn_lite.report.verdict import verdict

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parent / "templates"


def render_html(results: RunResults, mask: bool = False) -> str:
    """The page of a run as one HTML text. `mask`: names, numbers and addresses of forget questions are covered."""
    return page(
        f"Unlearning report, {results.name}", sections(results, mask), judged_by(results.metrics), mask,
        verdict(results.metrics, results.answered()).replace(" %", "\u00a0%"),
        (TEMPLATES / "report.js").read_text(encoding="utf-8"),
    )  # fmt: skip


def page(
    title: str, parts: Sequence[Section], judged: str, masked: bool, verdict: str = "", script: str = ""
) -> str:
    """A page of sections that loads nothing. script: all that may run there."""
    return _template().render(
        title=title, sections=parts, judged=judged, verdict=verdict, script=script,
        masked=texts("run")["masked"] if masked else "",
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
    )  # fmt: skip


def _counts(cards: Sequence[Card]) -> dict[str, int]:
    """How many answers each choice of the reader shows."""
    states = Counter(card.status for card in cards) + Counter(unfinished=sum(not card.finished for card in cards))
    return {state: states[state] for state in ("leaked", "lost", "unfinished", "unjudged")}


@cache
def _template() -> Template:
    """Escapes what it is given, and knows the filters `visible` and `counts`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(visible=_visible, counts=_counts)
    return environment.get_template("page.html.j2")


def _visible(value: Any, longest: int = 20_000) -> str:
    return visible(str(value), longest)
