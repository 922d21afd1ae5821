"""`unlearn`: the method, its numbers, and who looks on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    model_validator,
)

from relearn_lite.recipe.base import Section, one_of
from relearn_lite.recipe.hyperparameters import CEU, PDU, RMU, WGA, MemFlex, SatImp, SimNPO, Sure, TaskVector, Undial
from relearn_lite.recipe.methods import DEFAULT_METHOD, FORGET_LOSSES, HYPERPARAMETERS, METHODS, RETAIN_LOSSES, Method
from relearn_lite.recipe.training import Lora, Training


class Watch(Section):
    """What is asked, and when training is stopped, where `unlearn.evaluate_every` is set."""

    questions: int = Field(12, ge=1)
    """Questions of each side, spread evenly over the evaluation sets. More judges more finely and takes longer."""
    lowest_krr: float | None = Field(0.3, ge=0, le=1)
    """Stops where less than this share of the retain questions is still answered; null never does."""
    lowest_ls: float | None = Field(0.1, ge=0, le=1)
    """Stops where the linguistic score falls below this share of vanilla's: the model babbles; null never does."""


class Unlearn(Training):
    """Trains the adapter that forgets."""

    method: Annotated[str, one_of(METHODS)] | None = None
    """A published name (docs/methods.md), default relearn_klr_gdr. Or null, with forget_loss and retain_losses spelled
    out."""
    forget_loss: Annotated[str, one_of(FORGET_LOSSES)] | None = None
    """The forget term, such as ce (learn the new answers), ga, npo or dpo."""
    retain_losses: dict[str, Annotated[float, Field(ge=0)]] | None = None
    """Weighted retain terms, such as {ce: 1.0, kl: 1.0}."""
    forget_weight: float | None = Field(None, ge=0)
    """Weight of the forget term. Default: the method's published one; 1 where there is none."""
    gradient_mask: Literal["none", "sure", "memflex"] = "none"
    """Updates only part of the adapter in each step: `sure` the neurons that matter most for the forget set, `memflex`
    the matrices where forgetting and keeping do not pull the same way. Goes with any method."""
    beta: float = Field(0.1, gt=0)
    """Sharpness of npo, dpo, dpo_idk and altpo. Other methods have sections of their own below."""
    simnpo: SimNPO = SimNPO()
    """Of simnpo."""
    undial: Undial = Undial()
    """Of undial."""
    wga: WGA = WGA()
    """Of wga."""
    satimp: SatImp = SatImp()
    """Of satimp."""
    ceu: CEU = CEU()
    """Of ceu."""
    pdu: PDU = PDU()
    """Of pdu."""
    rmu: RMU = RMU()
    """Of rmu."""
    task_vector: TaskVector = TaskVector()
    """Of task_vector."""
    sure: Sure = Sure()
    """Of the gradient mask sure."""
    memflex: MemFlex = MemFlex()
    """Of the gradient mask memflex."""
    reference: Literal["auto", "recompute", "cached"] = "auto"
    """`cached` keeps what the reference says of a row, exactly, from the first time on: one forward pass of about five
    less a step. Takes main memory, and as much disk in a checkpoint: trained tokens x hidden size x 2 bytes, 90 MB for
    KnowUnDo with a 7B model, 1.5 GB for TOFU. `auto` does so where rows are drawn more than once and this is below 1 GB
    (at 4 bytes)."""
    lora: Lora = Lora()
    """LoRA settings. Published code: r 32, alpha 32, dropout 0.05 on all linear layers."""
    evaluate_every: int | None = Field(None, ge=1)
    """Asks the model in training a few questions each so many steps, logs its answers to logs/unlearn/checks.jsonl, and
    stops it where the loss is no number or a bound of `watch` is passed. The weights are those of a run without. null:
    never."""
    keep_best: Literal["harmonic"] | None = None
    """`harmonic` keeps the adapter of that check whose harmonic mean of KFR, KRR and LS (as a share of vanilla's, at
    most 1) is highest, the first of equals. null keeps the last."""
    watch: Watch = Watch()
    """How many questions are asked, and the bounds."""

    @model_validator(mode="after")
    def _one_way_to_name_the_loss(self) -> Unlearn:
        if self.forget_loss and self.method:
            raise ValueError("method and forget_loss are both given: choose one")
        if self.retain_losses is not None and not self.forget_loss:
            raise ValueError("retain_losses needs forget_loss; a published method already says its retain terms")
        unknown = sorted(set(self.retain_losses or {}) - set(RETAIN_LOSSES))
        if unknown:
            raise ValueError(f"retain_losses: unknown term {unknown[0]!r}, allowed: {', '.join(RETAIN_LOSSES)}")
        return self

    @model_validator(mode="after")
    def _one_mask_that_has_what_it_compares(self) -> Unlearn:
        named = METHODS[self.method].mask if self.method else "none"
        if "none" not in (named, self.gradient_mask) and named != self.gradient_mask:
            raise ValueError(
                f"gradient_mask: {self.gradient_mask}, but the method {self.method} already has {named}; remove one"
            )
        if self.objective.mask == "memflex" and not self.objective.retain:
            raise ValueError(
                "gradient_mask: memflex compares forget with retain gradients, and there is no retain term; take a "
                "method with one, such as ga_gdr, or sure"
            )
        return self

    @model_validator(mode="after")
    def _a_task_vector_is_of_the_forget_set_alone(self) -> Unlearn:
        if self.objective.forget != "task_vector":
            return self
        if self.objective.retain:
            raise ValueError("retain_losses: task_vector subtracts all that was learned, so it takes no retain terms")
        if self.evaluate_every is not None:
            raise ValueError(
                "evaluate_every: task_vector learns the forget set in training and is subtracted afterwards, so checks "
                "on the way would judge the opposite; set evaluate_every and keep_best to null"
            )
        return self

    @model_validator(mode="after")
    def _a_constraint_to_keep(self) -> Unlearn:
        if self.objective.forget == "pdu" and not self.objective.retain:
            raise ValueError("retain_losses: pdu keeps a retain loss below pdu.bound; give it one, such as {ce: 1.0}")
        return self

    @model_validator(mode="after")
    def _the_best_of_something(self) -> Unlearn:
        if self.keep_best and self.evaluate_every is None:
            raise ValueError(
                "keep_best chooses among checks in training, and there are none; set evaluate_every, such as 20 steps"
            )
        return self

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """Those of single losses and masks, by their keys."""
        return {key: getattr(self, key) for key in HYPERPARAMETERS}

    @property
    def objective(self) -> Method:
        """What training minimises."""
        if self.forget_loss:
            method = Method(self.forget_loss, dict(self.retain_losses or {}))
        else:
            method = METHODS[self.method or DEFAULT_METHOD]
        weight = method.forget_weight if self.forget_weight is None else self.forget_weight
        mask = method.mask if self.gradient_mask == "none" else self.gradient_mask
        return Method(method.forget, dict(method.retain), weight, mask)
