"""Every metric, found in the files of this folder. Importing this loads neither torch nor nltk.

To add one: create relearn_lite/metrics/<name>.py with a function from answers to `MetricValues` and a tuple METRICS of
`Metric` declarations (and COMBINED, for numbers made of other numbers); say in numbers.yaml how to read each of its
numbers; enter its name, with these numbers, in METRICS of relearn_lite/recipe/names.py, and its name for people in
relearn_lite/report/texts.yaml. What could not be had is None with a reason, never 0.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from relearn_lite.metrics.declaration import Combined, Key, Metric, MetricValues, keys
from relearn_lite.metrics.knowledge import ABILITY
from relearn_lite.recipe import names

__all__ = ["ABILITY", "COMBINED", "METRICS", "Combined", "Key", "Metric", "MetricValues", "is_share", "key_of", "keys"]

_modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
_found = {m.name: m for module in _modules for m in getattr(module, "METRICS", ())}
METRICS: dict[str, Metric] = {name: _found[name] for name in names.METRICS}
COMBINED: tuple[Combined, ...] = tuple(c for module in _modules for c in getattr(module, "COMBINED", ()))
PARAPHRASE = "_paraphrase"
EARLIER = "_earlier"  # of forget questions of earlier requests, asked again


def key_of(name: str) -> Key | None:
    """What is declared about a number of metrics.json; `kfr_paraphrase` is read as `kfr` is. None: not a metric."""
    return keys().get(name.removesuffix(PARAPHRASE).removesuffix(EARLIER))


def is_share(name: str) -> bool:
    """Whether a number of metrics.json lies between 0 and 1 by its nature."""
    declared = key_of(name)
    return declared is not None and (declared.low, declared.high) == (0, 1)


def reworded(split: str) -> str:
    """The split that asks the same questions in the other wording."""
    return split.removesuffix(PARAPHRASE) if split.endswith(PARAPHRASE) else split + PARAPHRASE
