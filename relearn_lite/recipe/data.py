"""Tables of questions and answers: files, hub data sets, parts of a benchmark."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from relearn_lite.recipe.base import RecipePath, Section
from relearn_lite.recipe.presets import PAIRS, REQUESTS, TABLES


class Source(Section):
    """One table of questions and answers: a file, a hub data set, or a part of a known benchmark."""

    path: RecipePath | None = None
    """A .json, .jsonl, .csv or .parquet file."""
    dataset: str | None = None
    """A data set on the hub, such as locuslab/TOFU."""
    config: str | None = None
    """The configuration of the hub data set, where it has several."""
    split: str = "train"
    """The split of the hub data set."""
    revision: str | None = None
    """Branch, tag or commit of the hub data set."""
    preset: Literal[*TABLES] | None = None
    """A table of a known benchmark, such as tofu/forget10 or tofu/real_authors."""
    folder: RecipePath | None = None
    """Reads the preset's files from this folder, not from the hub."""
    question: str | None = None
    """Column that holds the question. Default: `question`, or what the preset says."""
    answer: str | None = None
    """Column that holds the answer. Default: `answer`, or what the preset says."""
    paraphrase: str | None = None
    """Column with a paraphrase of the question, never trained on; the model is asked it too."""
    paraphrased_answer: str | None = None
    """Column with a paraphrase of the answer, for the truth ratio; never trained on."""
    wrong_answers: str | None = None
    """Column with a list of wrong answers, for truth ratio and multiple choice; never trained on."""
    limit: int | None = Field(None, ge=1)
    """Takes only this many rows, from the start."""

    @model_validator(mode="after")
    def _at_most_one_origin(self) -> Source:
        given = [key for key in ("path", "dataset", "preset") if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} are both given: choose one")
        if self.folder is not None and given in (["path"], ["dataset"]):
            raise ValueError(
                "folder is where a preset's files lie, and there is no preset: remove it, or choose a preset"
            )
        return self

    @property
    def has_origin(self) -> bool:
        """False where the source only narrows what `data.preset` gives, such as `{limit: 40}`."""
        return any((self.path, self.dataset, self.preset))


class FinetuneSource(Source):
    """A table that `finetune` teaches."""

    repeat: int = Field(1, ge=1)
    """How often each row is seen in one epoch: more for what must be known firmly."""


_OWN_ANSWERS = BeforeValidator(lambda value: {"preset": REQUESTS} if value == "self" else value)


class Data(Section):
    """What to forget, what to keep, and what to ask afterwards."""

    preset: Literal[*PAIRS] | None = None
    """A known benchmark: fills in `forget` and `retain` (and `generic` where it has one)."""
    folder: RecipePath | None = None
    """Reads the preset's files from this folder, not from the hub."""
    forget: Source | None = None
    """The forget set: questions and answers that the model must no longer give."""
    retain: Source | None = None
    """The retain set: similar questions and answers that the model must keep."""
    forget_eval: Source | None = None
    """Questions to measure forgetting with. Default: the forget set."""
    retain_eval: Source | None = None
    """Questions to measure retention with. Default: the retain set."""
    forget_select: Source | None = None
    """Questions that evaluation in training and sweeps choose by; never reported. Default: a share of `forget_eval`."""
    retain_select: Source | None = None
    """Likewise for retention. Default: a share of `retain_eval`."""
    select_fraction: Annotated[float, Field(ge=0, lt=1)] | Literal["auto"] = "auto"
    """The share of the evaluation questions that is set apart to choose by, where there are none of their own. `auto`: a
    quarter where something is chosen (`unlearn.evaluate_every`, a sweep), else none."""
    generic: Annotated[Source | None, _OWN_ANSWERS] = None
    """General questions and answers, mixed into training against catastrophic forgetting. `self`: about 100 requests
    that come with the project, answered by the vanilla model before training, so that what is kept is what it was."""
    holdout: Source | None = None
    """Questions like those of the forget set that the model never saw, for membership inference to compare with."""
    real_authors: Source | None = None
    """Real authors, with wrong answers: a third of TOFU's model utility."""
    world_facts: Source | None = None
    """World facts, with wrong answers: a third of TOFU's model utility."""

    @model_validator(mode="after")
    def _complete(self) -> Data:
        for name in ("forget", "retain"):
            source = getattr(self, name)
            if self.preset is None and not (source and source.has_origin):
                raise ValueError(
                    f"{name}: nothing says where it is; give it a path, a dataset or a preset, or set data.preset"
                )
        for name in set(type(self).model_fields) - {"preset", "folder", "forget", "retain", "select_fraction"}:
            source = getattr(self, name)
            if source is not None and not source.has_origin:
                raise ValueError(f"{name}: nothing says where it is; give it a path, a dataset or a preset")
        if self.folder is not None and self.preset is None:
            raise ValueError(
                "folder is where the files of data.preset lie, and there is none: set data.preset, or remove it"
            )
        return self
