"""What a term says about itself, and how terms make a method. Recipes, training and docs read nothing else of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from torch import Tensor

Sees = Literal["answer", "layer"]  # a loss of `Supervised`, or one of `Layer`


class Parameters(BaseModel):
    """Hyper-parameters of one term: a section of `unlearn` in the recipe. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


@dataclass(frozen=True)
class ForgetTerm:
    """How a forget term is computed and on what.

    loss: takes one `Supervised` (or `Layer`) for each of `batches`, then the value of `key` where it has one.
    batches: what it is given, in this order: `augmented` (new answers), `refusal` ("I don't know"), `original` (the
    answers to forget). needs_reference: whether it compares with the vanilla model. key: the recipe key under `unlearn`
    that holds its hyper-parameters; published: their published values.
    """

    loss: Callable[..., Tensor]
    batches: tuple[str, ...]
    needs_reference: bool = False
    key: str | None = None
    published: Any = None
    sees: Sees = "answer"
    ascends: bool = False  # it is a loss with its sign turned: gradient masks look at the loss itself
    constrained: bool = False  # its retain terms are a constraint, see pdu
    negated: bool = False  # it is learned, and then what was learned is subtracted, see task_vector


@dataclass(frozen=True)
class RetainTerm:
    """How a retain term is computed, and whether it needs the reference model."""

    loss: Callable[[Any], Tensor]
    needs_reference: bool = False
    sees: Sees = "answer"


@dataclass(frozen=True)
class Method:
    """What training minimises: a weighted forget term and weighted retain terms.

    mask: a gradient mask, `sure` or `memflex`. parameters: values by recipe key; published ones where there is none.
    """

    forget: str
    retain: Mapping[str, float] = field(default_factory=dict)
    forget_weight: float = 1.0
    mask: Literal["none", "sure", "memflex"] = "none"
    parameters: Mapping[str, Any] = field(default_factory=dict)


def family(name: str, term: str, forget_weight: float = 1.0) -> dict[str, Method]:
    """A method alone, with cross-entropy on the retain set (`_gdr`) and with KL on it (`_klr`).

    forget_weight: that of the published loss with a retain term; alone, a weight would only rescale the loss.
    """
    return {
        name: Method(term),
        f"{name}_gdr": Method(term, {"ce": 1.0}, forget_weight),
        f"{name}_klr": Method(term, {"kl": 1.0}, forget_weight),
    }


def with_masks(methods: Mapping[str, Method]) -> dict[str, Method]:
    """Methods, and again with gradient masks under the published names; MemFlex compares with retain gradients."""
    return {
        **methods,
        **{f"{name}_sure": replace(method, mask="sure") for name, method in methods.items()},
        **{f"{name}_memflex": replace(method, mask="memflex") for name, method in methods.items() if method.retain},
    }
