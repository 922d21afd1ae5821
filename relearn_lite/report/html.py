"""The page of a run: one file that needs nothing else, for people who were not there."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.report import RunResults
from relearn_lite.report.analysis import view as analysis_view
from relearn_lite.report.attacks import view as attacks_view
from relearn_lite.report.augmentation import HEAD
from relearn_lite.report.augmentation import view as augmentation_view
from relearn_lite.report.cost import augmentation, stages, surroundings
from relearn_lite.report.curve import HEIGHT, WIDTH, loss_curve
from relearn_lite.report.rows import headline, judged_by, judges, number, rows
from relearn_lite.report.samples import cards
from relearn_lite.report.untrusted import visible
from relearn_lite.report.verdict import verdict
from relearn_lite.unlearn.diagnostics import explain

if TYPE_CHECKING:
    from jinja2 import Environment, Template

TEMPLATES = Path(__file__).parent / "templates"


def render_html(results: RunResults, mask: bool = False) -> str:
    """The page as one HTML text. `mask`: names, numbers and addresses of forget questions are covered."""
    answered = results.answered()
    shown = cards(results.samples, mask)
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    return template("report.html.j2").render(
        name=results.name,
        masked=mask,
        verdict=verdict(results.metrics, answered),
        tables=headline(rows(results.metrics, answered)),
        comparable=bool(results.metrics.get("comparable_with_paper")),
        judged_by=judged_by(results.metrics),
        alone=not results.metrics.get("unlearned"),
        evaluators=judges(results.metrics),
        cards=shown,
        counts=Counter(card.status for card in shown) + Counter(unfinished=sum(not card.finished for card in shown)),
        analysis=analysis_view(results.analysis, mask),
        attacks=attacks_view(results.attacks, mask),
        curve=loss_curve(results.losses),
        warnings=explain(results.losses),
        size=(WIDTH, HEIGHT),
        stages=stages(results.manifest),
        augmentation=augmentation(results.manifest),
        augmentation_table={"head": HEAD, "shown": augmentation_view(results.augmentation)},
        surroundings=surroundings(results.manifest),
        recipe=results.recipe,
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def template(name: str) -> Template:
    """A template of this folder: escapes what it is given, and knows the filters `visible` and `number`."""
    return _templates().get_template(name)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=_visible, number=number)
    return environment


def _visible(value: Any, longest: int = 20_000) -> str:
    return visible(str(value), longest)
