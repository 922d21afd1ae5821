"""Unlearning losses: pure functions of logits at the positions that are trained, put together as methods.

A file each, or one for a family. To add one: a function here, its `Loss` in the file's dict FORGET or RETAIN, and its
name (and, if it was published under one, its method) in `relearn_lite/recipe/methods.yaml`. Importing this does not
load torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from relearn_lite.recipe import Unlearn
from relearn_lite.recipe.hyperparameters import MemFlex
from relearn_lite.recipe.methods import FORGET_LOSSES as FORGET_KEYS
from relearn_lite.recipe.methods import METHODS, Method
from relearn_lite.recipe.methods import RETAIN_LOSSES as RETAIN_KEYS
from relearn_lite.unlearn.losses.declaration import Loss, Term

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FORGET_LOSSES", "METHODS", "RETAIN_LOSSES", "Loss", "Term", "method_loss", "terms_of"]

_modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
FORGET_LOSSES: dict[str, Loss] = {name: loss for m in _modules for name, loss in getattr(m, "FORGET", {}).items()}
RETAIN_LOSSES: dict[str, Loss] = {name: loss for m in _modules for name, loss in getattr(m, "RETAIN", {}).items()}


def terms_of(method: Method, hyperparameters: Mapping[str, Any]) -> list[Term]:
    """The forget term, the retain terms and the generic term of a method, weighted.

    hyperparameters: by their keys under `unlearn`.
    """
    factors = hyperparameters[method.mask] if method.mask == "memflex" else MemFlex(forget_weight=1, retain_weight=1)

    def term(name: str, loss: Loss, weight: float, key: str | None) -> Term:
        return Term(name, loss, weight, (hyperparameters[key],) if key else ())

    forget, retain = method.forget, [(name, weight * factors.retain_weight) for name, weight in method.retain.items()]
    generic = replace(RETAIN_LOSSES["kl"], trains_on=("generic",))
    return [
        term("forget", FORGET_LOSSES[forget], method.forget_weight * factors.forget_weight, FORGET_KEYS[forget]),
        *(term(f"retain_{name}", RETAIN_LOSSES[name], weight, RETAIN_KEYS[name]) for name, weight in retain),
        *([term("generic_kl", generic, method.generic, None)] if method.generic else []),
    ]


def method_loss(
    name: str, batches: Mapping[str, Mapping[str, Any]], beta: float = 0.1, kl_positions: str = "all"
) -> Tensor:
    """The whole loss of a published method on plain tensors, to hold training against published numbers.

    batches: `forget`, `retain`, and for methods with two answers to a question `preferred` and `dispreferred`, each
    with `policy_logits` and `reference_logits` (B, T, V) and `labels` (B, T), -100 where not supervised. For relearn
    the answers of `forget` are the new ones, for idk and jensun refusals, else the original ones. beta: of npo, dpo and
    altpo; other hyper-parameters are the published ones.
    kl_positions: `answer`, as in training, or `all`, the arithmetic of the published code: its KL is averaged over
    padding and prompt too, and its relearn_dpo takes the batch for one answer.

    Raises ValueError for rmu, which is a loss of hidden states, not of logits.
    """
    from relearn_lite.models.logprobs import every_position, one_row, shift

    settings = Unlearn(method=name, beta=beta)
    forget, *retain = terms_of(METHODS[name], settings.hyperparameters)
    if "layer" in (forget.loss.reads, *(term.loss.reads for term in retain)):
        raise ValueError(f"{name} is a loss of hidden states, not of logits: see relearn_lite.unlearn.losses.rmu")
    names = ("preferred", "dispreferred") if len(forget.loss.trains_on) > 1 else ("forget",)
    answers = [shift(**batches[part]) for part in names]
    if METHODS[name].forget == "dpo" and kl_positions == "all":
        answers = [one_row(answer) for answer in answers]
    values = forget.loss.values(*answers, *forget.hyperparameters)
    total = forget.weight * values.sum() / forget.count({forget.loss.trains_on[0]: answers[0].row_lengths})
    for term in retain:
        read = every_position if term.name == "retain_kl" and kl_positions == "all" else shift
        weight = term.weight * (settings.pdu.start if METHODS[name].forget == "pdu" else 1.0)
        total = total + weight * term.loss.values(read(**batches["retain"]), *term.hyperparameters).mean()
    return total
