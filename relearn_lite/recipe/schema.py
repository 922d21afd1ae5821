"""The whole recipe, its smallest sections, and what sections ask of each other."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    model_validator,
)

from relearn_lite.recipe.analyze import Analyze
from relearn_lite.recipe.attacks import Attacks
from relearn_lite.recipe.augment import Augment
from relearn_lite.recipe.base import Section, run_name
from relearn_lite.recipe.compare import Compare, lay_over
from relearn_lite.recipe.data import Data
from relearn_lite.recipe.evaluate import Evaluate
from relearn_lite.recipe.generate import Generate
from relearn_lite.recipe.model import Model, Unlearned
from relearn_lite.recipe.training import Finetune
from relearn_lite.recipe.unlearn import Unlearn


class Trainer(Section):
    """Passed to lightning.Trainer: this is how training grows past one GPU."""

    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """What trains. `auto`: a CUDA GPU where there is one, else the CPU. `gpu`: a CUDA GPU."""
    devices: Annotated[int, Field(ge=1)] | Literal["auto"] = 1
    """How many devices of this machine train together, `auto`: all GPUs. Each holds the whole model and takes its share
    of the batches: the effective batch is batch_size x accumulate x devices. All but training goes on on one."""
    strategy: Literal["auto", "ddp"] = "auto"
    """How several devices train together; both are Lightning's ddp."""
    num_nodes: int = Field(1, ge=1)
    """Machines; only one is supported."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """auto: bf16-mixed on cards that have it, 16-mixed on older ones, 32-true on a CPU."""
    logger: Literal["csv", "tensorboard", "wandb", "none"] = "csv"
    """Where losses go besides the run folder's own CSV. wandb runs offline unless you log in."""

    @model_validator(mode="after")
    def _one_machine(self) -> Trainer:
        if self.num_nodes != 1:
            raise ValueError(
                f"num_nodes: found {self.num_nodes}, but training on several machines is not supported; set it to 1, "
                "and devices to how many GPUs of this machine train together"
            )
        return self


class Report(Section):
    """What the report shows."""

    mask: bool = False
    """Blocks out the specifics of forget answers, so that a report can be passed on."""


class Recipe(Section):
    """The whole job: which model forgets what, how, and how it is measured."""

    name: Annotated[str, AfterValidator(run_name)]
    """The run goes to runs/<name>."""
    seed: int = Field(42, ge=0, lt=2**32)
    """Everything random follows from it."""
    model: Model = Model()
    data: Data
    finetune: Finetune | None = None
    """null: the model knows the data already."""
    augment: Augment = Augment()
    unlearn: Unlearn | None = Unlearn()
    """null: only measure the model as it is, or against the one that `unlearned` names."""
    unlearned: Unlearned | None = None
    """With `unlearn: null`: a model that was unlearned already, to be measured beside `model`."""
    generate: Generate = Generate()
    evaluate: Evaluate = Evaluate()
    analyze: Analyze | None = None
    """null: no analysis; {} does all of it."""
    attacks: Attacks | None = None
    """null: no attacks; {} does all of them."""
    compare: Compare | None = None
    """Methods for `main.py compare`; a plain run takes no notice of them."""
    trainer: Trainer = Trainer()
    report: Report = Report()

    @property
    def base(self) -> Literal["vanilla", "below", "beside"]:
        """Where the base model is, the one that knew nothing yet when `finetune` began: `below` vanilla's LoRA; a model
        of its own, `beside` vanilla, where all weights were taught; `vanilla` itself where nothing was taught here, or
        to random weights, which are no model of language."""
        if self.finetune is None or self.model.init == "random":
            return "vanilla"
        return "below" if self.finetune.lora else "beside"

    @property
    def selects(self) -> bool:
        """Whether something is chosen by questions: the weights that are kept, when training stops, a sweep's point."""
        methods = self.compare.methods if self.compare else []
        trained = [settings for settings in (self.unlearn, *methods) if settings]
        return any(settings.evaluate_every for settings in trained) or any(method.sweep for method in methods)

    @property
    def select_fraction(self) -> float:
        """The share of the evaluation questions that is set apart to choose by; `data.select_fraction`, decided."""
        asked = self.data.select_fraction
        return (0.25 if self.selects else 0.0) if asked == "auto" else asked

    @model_validator(mode="after")
    def _there_is_something_to_choose_by(self) -> Recipe:
        for side in ("forget", "retain"):
            if self.selects and not self.select_fraction and getattr(self.data, f"{side}_select") is None:
                raise ValueError(
                    "data.select_fraction: 0 sets no questions apart, and evaluate_every and sweep choose by such; give "
                    f"a share such as 0.25, or questions of their own as data.{side}_select"
                )
        return self

    @model_validator(mode="before")
    @classmethod
    def _methods_begin_with_unlearn(cls, tree: Any) -> Any:
        """Lays each method of `compare` over `unlearn`, so that what is checked, shown and run is the whole of it."""
        compare = tree.get("compare") if isinstance(tree, dict) else None
        if not isinstance(compare, dict) or not isinstance(compare.get("methods"), list):
            return tree
        base = tree.get("unlearn") or {}
        try:
            Unlearn.model_validate(base)
        except ValueError:  # its mistakes are told once, not once a method
            base = {}
        first = {"sweep": compare["sweep"]} if compare.get("sweep") else {}
        methods = [lay_over(base | first, each) if isinstance(each, dict) else each for each in compare["methods"]]
        return {**tree, "compare": {**compare, "methods": methods}}

    @model_validator(mode="after")
    def _choosing_needs_a_judge_of_fluency(self) -> Recipe:
        methods = self.compare.methods if self.compare else []
        watched = [s for s in (self.unlearn, *methods) if s and s.evaluate_every]
        chooses = any(s.keep_best for s in watched) or any(method.sweep for method in methods)
        if chooses and self.evaluate.evaluators.language_model == "none":
            raise ValueError(
                "evaluate.evaluators.language_model: none, but keep_best and sweep choose by fluency too; name one, "
                "such as base"
            )
        return self

    @model_validator(mode="after")
    def _what_one_device_alone_can_do(self) -> Recipe:
        methods = self.compare.methods if self.compare else []
        for settings in (s for s in (self.unlearn, *methods) if s and self.trainer.devices != 1):
            if settings.evaluate_every:
                raise ValueError(
                    "trainer.devices: evaluate_every asks the model in training, which works on one device only; set "
                    "devices to 1, or evaluate_every to null"
                )
            if settings.objective.mask != "none":
                raise ValueError(
                    f"trainer.devices: the gradient mask {settings.objective.mask} works on one device only; set "
                    "devices to 1, or take a method without a mask"
                )
        return self

    @model_validator(mode="after")
    def _one_unlearned_model(self) -> Recipe:
        if self.unlearned is not None and self.unlearn is not None:
            raise ValueError(
                "unlearned: names a model that was unlearned already, and unlearn makes one; add unlearn: null to "
                "measure the former, or remove unlearned"
            )
        return self

    @model_validator(mode="after")
    def _analysis_switches_adapters(self) -> Recipe:
        if self.analyze is not None and self.unlearned is not None and self.unlearned.model is not None:
            raise ValueError(
                "analyze: compares two models by switching adapters on one, and unlearned.model names whole weights; "
                "give unlearned.adapter, or analyze: null"
            )
        return self

    @model_validator(mode="after")
    def _full_training_needs_full_weights(self) -> Recipe:
        full = self.finetune is not None and self.finetune.lora is None
        if full and self.model.quantization != "none":
            raise ValueError("finetune.lora: null trains all weights, which needs model.quantization: none")
        if self.model.init == "random" and not full:
            raise ValueError(
                "model.init: random needs a finetune section with lora: null, to teach the model from nothing"
            )
        return self
