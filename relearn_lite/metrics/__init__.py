"""Every metric, found in the files of this folder. Importing this loads neither torch nor nltk.

To add one: create relearn_lite/metrics/<name>.py with a tuple METRICS of Metric declarations next to their functions
(and COMBINED, for numbers made of other numbers). Recipes, reports and docs then know it.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from relearn_lite.metrics.declaration import Column, Combined, Key, Metric

__all__ = ["COMBINED", "DEFAULT", "KEYS", "METRICS", "Column", "Combined", "Key", "Metric", "key_of", "name_problems"]

DEFAULT = ("kfr", "krr", "ls", "rouge")
_modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
_found = {m.name: m for module in _modules for m in getattr(module, "METRICS", ())}
METRICS: dict[str, Metric] = {name: _found[name] for name in dict.fromkeys((*DEFAULT, *_found))}
COMBINED: tuple[Combined, ...] = tuple(c for module in _modules for c in getattr(module, "COMBINED", ()))
KEYS: dict[str, Key] = {
    key.name: key for key in (*(k for m in METRICS.values() for k in m.keys), *(c.key for c in COMBINED))
}
PARAPHRASE = "_paraphrase"


def key_of(name: str) -> Key | None:
    """What is declared about a number of metrics.json; `kfr_paraphrase` is read as `kfr` is. None: not a metric."""
    return KEYS.get(name.removesuffix(PARAPHRASE))


def name_problems(names: Sequence[str], where: str = "evaluate.metrics") -> list[str]:
    """One sentence for each name that is no metric, with the names that are; empty when all is well."""
    allowed = ", ".join(METRICS)
    problems = []
    for name in names:
        if name in METRICS:
            continue
        owner = next((m.name for m in METRICS.values() if any(name == k.name for k in m.keys) or name in m.parts), None)
        near = [owner] if owner else difflib.get_close_matches(str(name).lower(), METRICS, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        problems.append(f"{where}: '{name}' is not a metric.{hint} Allowed: {allowed}.")
    return problems
