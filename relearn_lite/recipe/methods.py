"""Unlearning methods by their published names, as methods.yaml holds them: which losses each combines.

A method is one forget loss and weighted retain losses; their functions are in `relearn_lite.unlearn.losses`. A new loss
is a file there and a name in methods.yaml; a test keeps the two in step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

_TABLE = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
# Names of losses -> the key under `unlearn` that holds their hyper-parameters.
FORGET_LOSSES: dict[str, str | None] = _TABLE["forget_losses"]
RETAIN_LOSSES: dict[str, str | None] = _TABLE["retain_losses"]
MASKS = ("none", "sure", "memflex")  # hyper-parameters of a mask are under its own name
HYPERPARAMETERS = tuple(dict.fromkeys(key for key in (*FORGET_LOSSES.values(), *MASKS[1:]) if key))


@dataclass(frozen=True)
class Method:
    """What training minimises: forget_weight x the forget loss + the sum of the weighted retain losses.

    mask: the gradient mask that selects what an optimizer step updates. generic: weight of the KL to the vanilla model
    on generic rows of their own; 0: there are none.
    """

    forget: str
    retain: Mapping[str, float] = field(default_factory=dict)
    forget_weight: float = 1.0
    mask: Literal[MASKS] = "none"
    generic: float = 0.0

    @property
    def hyperparameters(self) -> set[str]:
        """The keys under `unlearn` that its losses and its mask read."""
        keys = {FORGET_LOSSES[self.forget], *(RETAIN_LOSSES[name] for name in self.retain), self.mask}
        return keys - {None, "none"}


DEFAULT_METHOD = "relearn_klr_gdr"
METHODS: dict[str, Method] = {name: Method(**row) for name, row in _TABLE["methods"].items()}
