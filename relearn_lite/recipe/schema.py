"""The whole recipe, and what must hold between its sections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from relearn_lite.recipe.analyze import Analyze
from relearn_lite.recipe.attacks import Attacks
from relearn_lite.recipe.augment import Augment
from relearn_lite.recipe.base import Section, run_name
from relearn_lite.recipe.collect import Collect
from relearn_lite.recipe.compare import Compare, with_changes
from relearn_lite.recipe.data import Data
from relearn_lite.recipe.evaluate import Evaluate
from relearn_lite.recipe.generate import Generate
from relearn_lite.recipe.model import Model, Unlearned
from relearn_lite.recipe.report import Report
from relearn_lite.recipe.trainer import Trainer
from relearn_lite.recipe.training import Finetune
from relearn_lite.recipe.unlearn import Unlearn


class Recipe(Section):
    """The whole job: which model forgets what, how, and how that is measured."""

    name: Annotated[str, AfterValidator(run_name)]
    """The run goes to runs/<name>."""
    seed: int = Field(42, ge=0, lt=2**32)
    """Everything random follows from it."""
    model: Model = Model()
    data: Data
    collect: Collect = Collect()
    """Used where `data.forget` names a subject, a topic or documents."""
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
    """null: no analysis; {}: all of it."""
    attacks: Attacks | None = None
    """null: no attacks; {}: all of them."""
    compare: Compare | None = None
    """Methods for `main.py compare`; a plain run ignores them."""
    trainer: Trainer = Trainer()
    report: Report = Report()

    @property
    def base_model(self) -> Literal["vanilla", "without_adapter", "separate"]:
        """Where to find the base model, the one before `finetune` and `model.adapters`.

        `without_adapter`: in vanilla's weights, with its LoRA off. `separate`: in weights of its own, since finetune
        changed all of them. `vanilla`: nothing was taught here, or random weights were, which are no language model.
        """
        if self.model.adapters:
            return "without_adapter"
        if self.finetune is None or self.model.init == "random":
            return "vanilla"
        return "without_adapter" if self.finetune.lora else "separate"

    @property
    def _trainings(self) -> list[Unlearn]:
        """The settings of `unlearn`, and of each method of `compare`."""
        return [*([self.unlearn] if self.unlearn else []), *(self.compare.methods if self.compare else [])]

    @property
    def selects(self) -> bool:
        """Whether something is chosen by questions: the weights that are kept, when training stops, a sweep's point."""
        return any(each.evaluate_every or each.searches or getattr(each, "sweep", None) for each in self._trainings)

    @property
    def own_words(self) -> bool:
        """`data.own_words`, with `auto` decided: a benchmark's answers are trained as they were published."""
        asked = self.data.own_words
        return bool(self._trainings) and self.data.preset is None if asked == "auto" else asked

    @property
    def select_fraction(self) -> float:
        """The share of the evaluation questions that is set apart to choose by; `data.select_fraction`, decided."""
        asked = self.data.select_fraction
        return (0.25 if self.selects else 0.0) if asked == "auto" else asked

    @model_validator(mode="before")
    @classmethod
    def _methods_extend_unlearn(cls, tree: Any) -> Any:
        """Fills each method of `compare` up with the keys of `unlearn`, so that it is checked and shown as it will run.
        """
        compare = tree.get("compare") if isinstance(tree, dict) else None
        if not isinstance(compare, dict) or not isinstance(compare.get("methods"), list):
            return tree
        base = tree.get("unlearn") or {}
        try:
            Unlearn.model_validate(base)
        except ValueError:  # its mistakes are reported once, not once per method
            base = {}
        base = base | ({"sweep": compare["sweep"]} if compare.get("sweep") else {})
        methods = [with_changes(base, each) if isinstance(each, dict) else each for each in compare["methods"]]
        return {**tree, "compare": {**compare, "methods": methods}}

    def contradictions(self) -> Iterator[str]:
        own = [key for key in ("forget_select", "retain_select") if getattr(self.data, key) is None]
        if self.selects and not self.select_fraction and own:
            yield (
                "data.select_fraction: 0 sets no questions apart, and evaluate_every, auto and sweep choose by such; "
                f"give a share such as 0.25, or questions of their own as data.{' and data.'.join(own)}"
            )
        chooses = any(each.keep_best or getattr(each, "sweep", None) for each in self._trainings)
        if chooses and self.evaluate.evaluators.language_model == "none":
            yield (
                "evaluate.evaluators.language_model: none, but keep_best and sweep choose by fluency too; name one, "
                "such as base"
            )
        if self.compare is not None and self.compare.ratings and self.evaluate.evaluators.judge is None:
            yield (
                f"compare.ratings: {', '.join(self.compare.ratings)} need a judge, and nobody is named; name one as "
                "evaluate.evaluators.judge, such as {writer: local, model: ...}, or give []"
            )
        if self.data.collects and self.finetune is not None:
            yield (
                "finetune: teaches what data.forget holds, and there it is still to be collected from a model that "
                "knows it; remove finetune, and name a model that was taught already as model.name"
            )
        if self.data.collects and self.compare is not None:
            yield (
                "compare: needs its questions beforehand, and data.forget names what is to be collected; run this "
                "recipe without compare and with --until collect, then give its forget.jsonl and retain.jsonl as "
                "data.forget.path and data.retain.path"
            )
        if self.unlearned is not None and self.unlearn is not None:
            yield (
                "unlearned: names a model that was unlearned already, and unlearn makes one; add unlearn: null to "
                "measure the former, or remove unlearned"
            )
        if self.unlearned is not None and self.unlearned.server:
            yield from self._against_server()
        elif self.analyze is not None and self.unlearned is not None and self.unlearned.model is not None:
            yield (
                "analyze: compares two models by switching adapters on one, and unlearned.model names full weights; "
                "give unlearned.adapter, or analyze: null"
            )
        if self.data.texts:
            yield from self._with_text(self.data.texts[0])
        if self.model.offload_embeddings and "mia_gradnorm" in self.evaluate.metrics:
            yield (
                "model.offload_embeddings: true, and mia_gradnorm in evaluate.metrics takes gradients of all weights; "
                "embeddings in main memory have none; set it to false, or leave mia_gradnorm out"
            )
        full = self.finetune is not None and self.finetune.lora is None
        if full and self.model.quantization != "none":
            yield "finetune.lora: null trains all weights, which needs model.quantization: none"
        if self.finetune is not None and self.model.adapters:
            yield (
                "model.adapters: they are on the model from the start, and finetune would teach a model without them; "
                "give finetune: null, with what an earlier run was taught as the first adapter (runs/NAME/vanilla)"
            )
        if self.model.init == "random" and not full:
            yield "model.init: random needs a finetune section with lora: null, to train the model from scratch"

    def _with_text(self, part: str) -> Iterator[str]:
        """A text is no question: nothing can be put around it."""
        for name in ("paraphrase", "jailbreak") if self.attacks else ():
            if getattr(self.attacks, name):
                yield f"attacks.{name}: puts questions in other words, and data.{part} is a text; set it to false"
        if self.unlearned is not None and self.unlearned.server:
            yield (
                f"unlearned.server: puts its chat template around every question, and data.{part} is a text, which is "
                "continued without; give the model as unlearned.model or unlearned.adapter"
            )

    def _against_server(self) -> Iterator[str]:
        """A server answers questions in its own chat template, and nothing more of its model can be had."""
        sections = {"analyze": self.analyze, "attacks": self.attacks, "evaluate.general": self.evaluate.general}
        for name, section in sections.items():
            if section is not None:
                yield f"{name}: needs the model itself, and unlearned.server answers questions only; set {name}: null"
        if self.model.chat_template != "auto":
            yield (
                "model.chat_template: a server writes questions in its own template, so unlearned.server needs auto; "
                "or give the model as unlearned.model or unlearned.adapter"
            )
        if self.generate.sampling != "greedy":
            yield "generate.sampling: published cannot be asked of every server (top_k); unlearned.server needs greedy"
