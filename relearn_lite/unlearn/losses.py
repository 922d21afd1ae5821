"""Unlearning losses: pure functions of logits at supervised positions, composed into methods.

A method is one forget term and weighted retain terms; the published names in METHODS are shorthands. The terms stand
one concept a file in `relearn_lite.unlearn.terms`; this is how they are put together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relearn_lite.unlearn.masks import MemFlex, Sure
from relearn_lite.unlearn.terms import FORGET_TERMS, METHODS, RETAIN_TERMS
from relearn_lite.unlearn.terms.declaration import Method

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FORGET_TERMS", "METHODS", "PUBLISHED", "RETAIN_TERMS", "Method", "method_loss", "parameter", "total"]

PUBLISHED: dict[str, Any] = {  # recipe key under `unlearn` -> published hyper-parameters
    **{term.key: term.published for term in FORGET_TERMS.values() if term.key},
    "sure": Sure(),
    "memflex": MemFlex(),
}


def parameter(method: Method, key: str) -> Any:
    """A method's hyper-parameters under a recipe key; the published ones where it has none of its own."""
    return method.parameters.get(key, PUBLISHED[key])


def forget_loss(method: Method, batches: Mapping[str, Any]) -> Tensor:
    """The forget term of one step, not weighted; `batches` holds what the term's `batches` names."""
    term = FORGET_TERMS[method.forget]
    inputs = [batches[name] for name in term.batches]
    return term.loss(*inputs, parameter(method, term.key)) if term.key else term.loss(*inputs)


def factors(method: Method, dual: float | None = None) -> tuple[float, float]:
    """What the forget term and the sum of the retain terms are multiplied by. dual: PDU's weight, default its start."""
    forget, retain = method.forget_weight, 1.0
    if method.mask == "memflex":
        weights = parameter(method, "memflex")
        forget, retain = forget * weights.forget_weight, retain * weights.retain_weight
    if FORGET_TERMS[method.forget].constrained:
        retain *= parameter(method, "pdu").start if dual is None else dual
    return forget, retain


def retained(method: Method, terms: Mapping[str, Tensor]) -> Tensor | int:
    """The sum of the weighted retain terms, named `retain_<term>`; 0 where there is none."""
    return sum(weight * terms[f"retain_{name}"] for name, weight in method.retain.items() if f"retain_{name}" in terms)


def total(method: Method, terms: Mapping[str, Tensor], dual: float | None = None) -> Tensor:
    """The loss of a step, given its terms `forget` and `retain_<name>`. A piece of a batch may lack one of them."""
    forget, retain = factors(method, dual)
    return forget * terms.get("forget", 0) + retain * retained(method, terms)


def method_loss(
    name: str, batches: Mapping[str, Mapping[str, Any]], beta: float = 0.1, kl_positions: str = "all"
) -> Tensor:
    """The whole loss of a published method on plain tensors, as a check of training against published numbers.

    batches: `forget`, `retain`, and for methods with two answers to a question `preferred` and `dispreferred`, each
    with `policy_logits` and `reference_logits` (B, T, V) and `labels` (B, T), -100 where not supervised. For relearn
    the answers of `forget` are the new ones, for idk and jensun refusals, else the original ones. beta: of npo, dpo and
    altpo; other hyper-parameters are the published ones. kl_positions: `answer`, as in training, or `all`, as the
    published code has it (padding and prompt included).

    Raises ValueError for rmu, which is a loss of hidden states, not of logits.
    """
    from relearn_lite.unlearn.logprobs import flatten, shift

    method = METHODS[name]
    method = Method(method.forget, method.retain, method.forget_weight, method.mask, {"beta": beta})
    term = FORGET_TERMS[method.forget]
    if "layer" in (term.sees, *(RETAIN_TERMS[retain].sees for retain in method.retain)):
        raise ValueError(f"{name} is a loss of hidden states, not of logits: see relearn_lite.unlearn.terms.rmu")
    names = ("preferred", "dispreferred") if len(term.batches) > 1 else ("forget",)
    given = {part: shift(**batches[name]) for part, name in zip(term.batches, names, strict=True)}
    terms = {"forget": forget_loss(method, given)}
    for retain in method.retain:
        view = flatten if retain == "kl" and kl_positions == "all" else shift
        terms[f"retain_{retain}"] = RETAIN_TERMS[retain].loss(view(**batches["retain"]))
    return total(method, terms)
