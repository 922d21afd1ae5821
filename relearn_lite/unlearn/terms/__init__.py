"""Every loss term and method, found in the files of this folder. Importing this does not load torch.

To add one: create relearn_lite/unlearn/terms/<name>.py with a pure function and dicts FORGET and RETAIN of its
declarations, and METHODS for published compositions. Recipes then know them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from relearn_lite.unlearn.terms.declaration import ForgetTerm, Method, RetainTerm

__all__ = ["FORGET_TERMS", "METHODS", "RETAIN_TERMS"]

_modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
_modules.sort(key=lambda module: module.__name__ != f"{__name__}.relearn")  # the project's own method stands first


def _gathered(kind: str) -> dict:
    return {name: declared for module in _modules for name, declared in getattr(module, kind, {}).items()}


FORGET_TERMS: dict[str, ForgetTerm] = _gathered("FORGET")
RETAIN_TERMS: dict[str, RetainTerm] = _gathered("RETAIN")
METHODS: dict[str, Method] = _gathered("METHODS")
