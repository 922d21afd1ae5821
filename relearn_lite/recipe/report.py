"""The `report` section."""

from __future__ import annotations

from relearn_lite.recipe.base import Section


class Report(Section):
    """What the report shows."""

    mask: bool = False
    """Blocks out the specifics of forget answers, so that the report can be passed on."""
