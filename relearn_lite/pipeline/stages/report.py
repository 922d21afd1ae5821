"""Stage report: what a person reads."""

from __future__ import annotations

from typing import Any

from relearn_lite.core.files import write_text
from relearn_lite.pipeline.run_state import Run
from relearn_lite.report.render import render_html, render_markdown
from relearn_lite.report.run_results import read_run


def report(run: Run) -> dict[str, Any]:
    """report.html and report.md."""
    results, mask = read_run(run.folder), run.recipe.report.mask
    write_text(run.folder / "report.md", render_markdown(results, mask))
    write_text(run.folder / "report.html", render_html(results, mask))
    return {}
