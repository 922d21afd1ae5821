"""Stage report: what a person reads."""

from __future__ import annotations

from typing import Any

from relearn_lite.core.files import write_text
from relearn_lite.pipeline.stages.work import Work


def report(work: Work) -> dict[str, Any]:
    """report.html and report.md."""
    from relearn_lite.report.html import render_html
    from relearn_lite.report.markdown import render_markdown
    from relearn_lite.report.run_results import read_run

    results, mask = read_run(work.folder), work.recipe.report.mask
    write_text(work.folder / "report.md", render_markdown(results, mask))
    write_text(work.folder / "report.html", render_html(results, mask))
    return {}
