"""Unlearning methods by their published names: which losses each combines, without the losses themselves.

A method is one forget loss and weighted retain losses; their functions are in `relearn_lite.unlearn.losses`, one file
each. A new loss is a file there and a name here; a test keeps the two in step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

# Names of losses -> the key under `unlearn` that holds their hyper-parameters.
FORGET_LOSSES: dict[str, str | None] = {
    "ce": None,
    "dpo": "beta",
    "ga": None,
    "npo": "beta",
    "simnpo": "simnpo",
    "idk": None,
    "dpo_idk": "beta",
    "altpo": "beta",
    "undial": "undial",
    "wga": "wga",
    "satimp": "satimp",
    "ceu": "ceu",
    "pdu": "pdu",
    "jensun": None,
    "rmu": "rmu",
    "task_vector": "task_vector",
}
RETAIN_LOSSES: dict[str, str | None] = {"ce": None, "kl": None, "js": None, "layer": "rmu"}
MASKS = ("none", "sure", "memflex")  # hyper-parameters of a mask are under its own name
HYPERPARAMETERS = tuple(dict.fromkeys(key for key in (*FORGET_LOSSES.values(), *MASKS[1:]) if key))


@dataclass(frozen=True)
class Method:
    """What training minimises: forget_weight x the forget loss + the sum of the weighted retain losses.

    mask: the gradient mask that selects what an optimizer step updates.
    """

    forget: str
    retain: Mapping[str, float] = field(default_factory=dict)
    forget_weight: float = 1.0
    mask: Literal[MASKS] = "none"

    @property
    def hyperparameters(self) -> set[str]:
        """The keys under `unlearn` that its losses and its mask read."""
        keys = {FORGET_LOSSES[self.forget], *(RETAIN_LOSSES[name] for name in self.retain), self.mask}
        return keys - {None, "none"}


def _family(name: str, forget: str, forget_weight: float = 1.0) -> dict[str, Method]:
    """A forget loss alone, with cross-entropy on the retain set (`_gdr`), and with KL divergence there (`_klr`).

    forget_weight: the published one, beside a retain term; alone, a weight would only rescale the loss.
    """
    return {
        name: Method(forget),
        f"{name}_gdr": Method(forget, {"ce": 1.0}, forget_weight),
        f"{name}_klr": Method(forget, {"kl": 1.0}, forget_weight),
    }


def _with_masks(methods: Mapping[str, Method]) -> dict[str, Method]:
    """The methods, and again with each gradient mask under its published name. MemFlex needs a retain loss."""
    return {
        **methods,
        **{f"{name}_sure": replace(method, mask="sure") for name, method in methods.items()},
        **{f"{name}_memflex": replace(method, mask="memflex") for name, method in methods.items() if method.retain},
    }


DEFAULT_METHOD = "relearn_klr_gdr"  # the paper's ReLearn
METHODS: dict[str, Method] = {
    **_family("relearn", "ce"),
    DEFAULT_METHOD: Method("ce", {"ce": 1.0, "kl": 1.0}),
    **_family("relearn_dpo", "dpo"),
    **_with_masks(_family("ga", "ga")),
    **_with_masks(_family("npo", "npo")),
    **_family("simnpo", "simnpo", forget_weight=0.125),
    **_family("idk", "idk"),
    **_family("dpo", "dpo_idk"),
    **_family("altpo", "altpo"),
    **_family("undial", "undial"),
    **_family("wga", "wga"),
    **_family("satimp", "satimp", forget_weight=0.1),
    **_family("ceu", "ceu"),
    "pdu": Method("pdu", {"ce": 1.0}),
    "jensun": Method("jensun", {"js": 1.0}),
    "rmu": Method("rmu", {"layer": 1200.0}),
    "task_vector": Method("task_vector"),
}
