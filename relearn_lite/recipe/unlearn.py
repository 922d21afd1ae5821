"""`unlearn`: the method, its hyper-parameters, and checks during training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from relearn_lite.recipe.base import CountOrAuto, Section
from relearn_lite.recipe.hyperparameters import CEU, PDU, RMU, WGA, MemFlex, SatImp, SimNPO, Sure, TaskVector, Undial
from relearn_lite.recipe.methods import (
    DEFAULT_METHOD,
    FORGET_LOSSES,
    HYPERPARAMETERS,
    MASKS,
    METHODS,
    RETAIN_LOSSES,
    Method,
)
from relearn_lite.recipe.training import Lora, Training, is_rate

BEARABLE = (1 / 35, 6.0)  # what is below or above these multiples of the expected best is told to be far off
LADDER = (0.2, 0.6, 1.5)  # rates that `lr: auto` tries, as multiples of the one that is expected to be best
FEWEST_STEPS, SHORTEST_TRIAL = 300, 10


def _expected_best(hidden_size: int) -> float:
    """The best learning rate for LoRA with alpha 32: 5e-4 (2000 / hidden_size) ** 0.781.

    Fitted to models of the Llama family by Schulman et al., "LoRA Without Regret" (2025).
    """
    return 5e-4 * (2000 / hidden_size) ** 0.781


def _rates(value: Any) -> Any:
    """`auto`, a learning rate, or a list of different ones."""
    rates = value if isinstance(value, list) else [value]
    if value == "auto" or rates and all(map(is_rate, rates)) and len(set(rates)) == len(rates):
        return value
    found = f"found {value}; " if isinstance(value, list) else ""
    raise ValueError(
        f"{found}give a finite number above 0 such as 1.0e-4, a list of different ones to try such as "
        "[3.0e-4, 1.0e-3], or auto"
    )


class Watch(Section):
    """How many questions are asked during training, and when it is stopped, where `unlearn.evaluate_every` is set or
    `lr` or `epochs` are found by asking."""

    questions: int = Field(12, ge=1)
    """Forget questions and retain questions to ask, each this many, spread evenly over the evaluation sets. More
    measure more precisely and take longer."""
    lowest_krr: float | None = Field(0.3, ge=0, le=1)
    """Stops training when the share of retain questions still answered falls below this; null: never."""
    lowest_ls: float | None = Field(0.1, ge=0, le=1)
    """Stops training when the linguistic score falls below this share of the vanilla model's, which means that the
    model babbles; null: never."""
    forgotten: float = Field(0.95, gt=0, le=1)
    """Where `lr` or `epochs` are found by asking: it has forgotten where KFR, and the share of answers that give
    nothing away, are at least this."""
    kept: float = Field(0.9, gt=0, le=1)
    """Likewise: the rest is kept where at least this share is still right of what the vanilla model answers right, of
    the retain questions and of the general ones."""
    broken: float = Field(0.05, ge=0, lt=1)
    """Likewise: the language is whole where at most this share of the forget answers is broken beyond vanilla's."""


class Unlearn(Training):
    """Trains the adapter that forgets."""

    lr: Annotated[float | list[float] | Literal["auto"], BeforeValidator(_rates)] = 1e-5
    """Peak learning rate of AdamW. A list, such as [3.0e-4, 1.0e-3]: they are tried from the same start as far as the
    first check, the lowest first, until one has forgotten half by then; that one, or else the best, goes on
    (docs/auto.md). `auto`: a list of three, by how wide the model is. The weights of the best check are kept."""
    epochs: CountOrAuto = 4
    """Passes over the data. More forget more thoroughly and take longer. `auto`: trains until it is forgotten, that is
    until two checks in a row find what `watch` asks, with a constant learning rate after the warm-up, for `budget`
    steps at most. The weights of the best check are kept."""
    budget: int | None = Field(None, ge=20)
    """Most optimizer steps with `epochs: auto`, trials of learning rates included. null: 300, or 4 epochs where these
    are more."""
    method: Literal[*METHODS] | None = None
    """A published method (docs/methods.md); default: relearn_klr_gdr. Leave it out to spell out forget_loss and
    retain_losses instead."""
    forget_loss: Literal[*FORGET_LOSSES] | None = None
    """The forget loss, such as ce (learn the new answers), ga, npo or dpo."""
    retain_losses: dict[Literal[*RETAIN_LOSSES], Annotated[float, Field(ge=0)]] | None = None
    """Retain losses with their weights, such as {ce: 1.0, kl: 1.0}."""
    retain_variants: int = Field(0, ge=0, le=10)
    """Other wordings of each retain question, put by rules, trained on with its own answer: they protect what must stay
    when it is asked in other words."""
    retain_rows: int = Field(1, ge=1, le=8)
    """Retain rows to each forget row in a step. With more, what must stay is held by more examples at a time, and a
    step takes longer: lower batch_size or accumulate in turn."""
    generic: Literal["forget", "retain"] = "forget"
    """How the generic pairs are trained: `forget`, among the new answers and by the forget loss, as published;
    `retain`, as rows of their own, one beside each forget row, where KL alone holds the model to what it was: learning
    their answers by heart costs general ability. The answers then only say where it is held, not what it learns."""
    generic_weight: float = Field(2.0, gt=0)
    """Weight of that KL, with `generic: retain`. More keeps the answers to general questions closer to what they were,
    and forgets more slowly."""
    forget_weight: float | None = Field(None, ge=0)
    """Weight of the forget loss. Default: the method's published one, else 1."""
    target_probability: float | None = Field(None, gt=0, lt=1)
    """Of the forget loss ce: tokens of new answers that are at least this likely are not trained any further, so that
    the model moves no farther than forgetting takes. null, as published: all tokens, to the end."""
    gradient_mask: Literal[MASKS] = "none"
    """Updates only part of the adapter in each step: `sure` the neurons with the largest forget gradients, `memflex`
    the matrices in which forget and retain gradients point in different directions. Works with any method."""
    beta: float = Field(0.1, gt=0)
    """Sharpness of npo, dpo, dpo_idk and altpo. Other losses have sections of their own below."""
    simnpo: SimNPO = SimNPO()
    """Hyper-parameters of simnpo."""
    undial: Undial = Undial()
    """Hyper-parameters of undial."""
    wga: WGA = WGA()
    """Hyper-parameters of wga."""
    satimp: SatImp = SatImp()
    """Hyper-parameters of satimp."""
    ceu: CEU = CEU()
    """Hyper-parameters of ceu."""
    pdu: PDU = PDU()
    """Hyper-parameters of pdu."""
    rmu: RMU = RMU()
    """Hyper-parameters of rmu, and of the retain loss `layer`."""
    task_vector: TaskVector = TaskVector()
    """Hyper-parameters of task_vector."""
    sure: Sure = Sure()
    """Hyper-parameters of the gradient mask sure."""
    memflex: MemFlex = MemFlex()
    """Hyper-parameters of the gradient mask memflex."""
    reference: Literal["auto", "recompute", "cached"] = "auto"
    """`cached` computes the vanilla model's hidden states of a row once and keeps them, exactly: it saves about one
    forward pass in five per step. It takes main memory, and as much disk in a checkpoint: trained tokens x hidden size
    x 2 bytes, 90 MB for KnowUnDo with a 7B model, 1.5 GB for TOFU. `auto` caches where rows are seen more than once
    and this takes less than 1 GB (at 4 bytes)."""
    lora: Lora = Lora()
    """LoRA settings. Published code: r 32, alpha 32, dropout 0.05 on all linear layers."""
    evaluate_every: int | None = Field(None, ge=1)
    """Every this many optimizer steps, asks the model in training a few questions, logs its answers to
    logs/unlearn/checks.jsonl, and stops training where the loss is not a number or a bound of `watch` is passed. The
    checks themselves do not change the weights. null: never; where `lr` or `epochs` are found by asking, every
    twentieth part of the steps, but not more often than every 10."""
    keep_best: Literal["harmonic"] | None = None
    """`harmonic` keeps the adapter from the check with the highest harmonic mean of KFR, KRR, LS (as a share of the
    vanilla model's, at most 1) and, of the general questions that it answered, the share that it still answers; the
    earliest among equals. null keeps the last."""
    watch: Watch = Watch()
    """How many questions the checks ask, and the bounds."""

    def contradictions(self) -> Iterator[str]:
        if self.forget_loss and self.method:
            yield "method and forget_loss are both given: choose one"
        if self.retain_losses is not None and not self.forget_loss:
            yield "retain_losses needs forget_loss; a published method has its own retain losses"
        method, own_mask = self.objective, METHODS[self.method].mask if self.method else "none"
        if "none" not in (own_mask, self.gradient_mask) and own_mask != self.gradient_mask:
            found = f"{self.gradient_mask}, but the method {self.method} already has {own_mask}"
            yield f"gradient_mask: {found}; remove one"
        if method.mask == "memflex" and not method.retain:
            yield (
                "gradient_mask: memflex compares forget with retain gradients, and there is no retain loss; take a "
                "method with one, such as ga_gdr, or sure"
            )
        if method.forget == "task_vector" and method.retain:
            yield "retain_losses: task_vector subtracts all that was learned, so it takes no retain losses"
        if method.forget == "task_vector" and self.evaluate_every is not None:
            yield (
                "evaluate_every: task_vector learns the forget set in training and is subtracted afterwards, so checks "
                "during training would judge the opposite; set evaluate_every and keep_best to null"
            )
        if method.forget == "pdu" and not method.retain:
            yield "retain_losses: pdu keeps a retain loss below pdu.bound; give it one, such as {ce: 1.0}"
        yield from self._cannot_search(method)
        if self.keep_best and self.evaluate_every is None and not self.searches:
            yield "keep_best chooses among checks during training, and there are none; set evaluate_every, such as 20"

    def _cannot_search(self, method: Method) -> Iterator[str]:
        """What does not go together with a learning rate or a length that is found by asking."""
        if method.forget == "task_vector" and self.searches:
            yield (
                "lr: task_vector learns the forget set in training and is subtracted afterwards, so nothing can be "
                "found by asking during training; give one lr and a number of epochs"
            )
        if self.searches and self.keep_best:
            yield "keep_best: with lr or epochs found by asking the best check is kept anyway; set keep_best to null"
        if self.budget is not None and self.epochs != "auto":
            yield f"budget: it limits the steps of epochs: auto, and epochs is {self.epochs}; remove one of the two"
        elif self.budget is not None and self.budget < self.fewest_steps(self.budget):
            every, fewest = self.evaluation_interval(self.budget), self.fewest_steps(self.budget)
            yield (
                f"budget: found {self.budget}, but to try {self.tried} learning rates for {every} steps each and to go "
                f"on with one to its second check takes {fewest}; give more, fewer learning rates, or a lower "
                "evaluate_every"
            )

    @property
    def searches(self) -> bool:
        """Whether the learning rate or the length of training is found by asking the model in training."""
        return self.epochs == "auto" or not isinstance(self.lr, float | int)

    @property
    def tried(self) -> int:
        """How many learning rates are tried."""
        return len(LADDER) if self.lr == "auto" else len(self.lr) if isinstance(self.lr, list) else 1

    def rates(self, hidden_size: int) -> list[float]:
        """The learning rates to try on a model so wide. `auto`: LADDER around the expected best, to two figures."""
        if self.lr == "auto":
            return [float(f"{share * _expected_best(hidden_size):.1e}") for share in LADDER]
        return list(self.lr) if isinstance(self.lr, list) else [self.lr]

    def far_off(self, hidden_size: int) -> str | None:
        """A sentence where the one learning rate is far from what LoRA on a model so wide bears; else None."""
        lowest, highest = (share * _expected_best(hidden_size) for share in BEARABLE)
        if not isinstance(self.lr, float | int) or lowest <= self.lr <= highest:
            return None
        usual = self.model_copy(update={"lr": "auto"}).rates(hidden_size)
        return (
            f"unlearn.lr: {self.lr:g} is far too {'high' if self.lr > highest else 'low'} for most models of hidden "
            f"size {hidden_size}; auto would try {', '.join(f'{rate:g}' for rate in usual)}"
        )

    def total_steps(self, steps_per_epoch: int) -> int:
        """Optimizer steps, where an epoch has so many; with `epochs: auto` the most."""
        if self.epochs != "auto":
            return super().total_steps(steps_per_epoch)
        return self.budget or max(FEWEST_STEPS, 4 * steps_per_epoch, self.fewest_steps(FEWEST_STEPS))

    def evaluation_interval(self, total_steps: int) -> int:
        """Steps between evaluations, and of a trial, where the learning rate or the length are found by asking."""
        return self.evaluate_every or min(max(SHORTEST_TRIAL, total_steps // 20), total_steps)

    def fewest_steps(self, total_steps: int) -> int:
        """Steps to try all learning rates and to go on with one of them to its second evaluation."""
        return (self.tried + 1) * self.evaluation_interval(total_steps)

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
        generic = self.generic_weight if self.generic == "retain" else 0.0
        return Method(method.forget, dict(method.retain), weight, mask, generic)

    @property
    def spelled_out(self) -> Unlearn:
        """The same settings with the method replaced by its losses, weights and mask."""
        method = self.objective
        return self.model_copy(update={
            "method": None, "forget_loss": method.forget, "retain_losses": dict(method.retain),
            "forget_weight": method.forget_weight, "gradient_mask": method.mask,
        })  # fmt: skip

    @property
    def evaluations_decide(self) -> bool:
        """Whether evaluations in training can change the adapter: by stopping it or choosing among weights."""
        bounded = self.watch.lowest_krr is not None or self.watch.lowest_ls is not None
        return self.searches or self.evaluate_every is not None and (bounded or self.keep_best is not None)
