"""Tables of questions and answers: files, hub data sets, parts of a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from relearn_lite.recipe.base import YES_OR_NO, Files, Name, RecipePath, Section, ShareOrAuto, one_line
from relearn_lite.recipe.names import TOPIC_KINDS
from relearn_lite.recipe.presets import PAIRS, PERSON_OF, REQUESTS, TABLES, table_of

Cell = bool | int | float | str


def _single(where: Any) -> Any:
    """Told here in one sentence, where pydantic has one for each type that a value may be of."""
    for column, wanted in where.items() if isinstance(where, dict) else ():
        for value in wanted if isinstance(wanted, list) else [wanted]:
            if not isinstance(value, Cell):
                found = "nothing" if value is None else str(value)
                raise ValueError(f"{column} has {found}; give a text, a number or true or false, or a list of them")
    return where


def _named(where: dict[str, Any]) -> dict[str, Any]:
    if not where:
        raise ValueError("it names no column; give one with the value to keep, such as {label: 1}, or leave it out")
    if empty := [column for column, wanted in where.items() if wanted == []]:
        raise ValueError(f"{empty[0]} has an empty list, which no row could match; give at least one value")
    return where


OF_TABLES = (
    "config", "split", "revision", "question", "answer", "paraphrase", "paraphrased_answer", "wrong_answers", "group",
    "where",
)  # fmt: skip
NOTHING_TO_CUT = "passage_words cuts a text, and there is none: give text, or remove it"
Where = Annotated[dict[str, Cell | list[Cell]], BeforeValidator(_single), AfterValidator(_named)]


class Source(Section):
    """One table of questions and answers: a file, a hub data set, or a part of a known benchmark; or a text."""

    path: RecipePath | None = None
    """A .json, .jsonl, .csv, .tsv or .parquet file; the README shows what may stand in it."""
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
    text: Files = None
    """Files of text itself, such as a book, lyrics, letters or code, folders of such, or patterns: cut into passages,
    each a beginning that the model is given as it stands, without chat template, and the rest that it knows by heart.
    """
    passage_words: int = Field(60, ge=16, le=1000)
    """Words of a passage of `text`, about: whole sentences or lines. Longer ones need a larger `model.max_length` and
    `generate.max_new_tokens`."""
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
    group: str | None = None
    """Column that says to which group a row belongs, such as a person or a level: what is measured of answers is told
    for each group too."""
    where: Where | None = None
    """Keeps only the rows that have this value in this column, such as {label: 1}; a list of values keeps the rows with
    any of them, several columns keep the rows that match in all."""
    limit: int | None = Field(None, ge=1)
    """Takes only this many rows (of those that `where` keeps), from the start."""
    sample: int | None = Field(None, ge=1)
    """Takes this many rows (of those within `limit`) at random, in their order: the same ones in every run, whatever
    `seed` is, so that runs are asked alike. All rows where there are fewer."""

    def contradictions(self) -> Iterator[str]:
        origins = [key for key in ("path", "dataset", "preset", "text") if getattr(self, key) is not None]
        if len(origins) > 1:
            yield f"{origins[0]} and {origins[1]} are both given: choose one"
        if self.folder is not None and origins in (["path"], ["dataset"], ["text"]):
            yield "folder is where a preset's files lie, and there is no preset: remove it, or choose a preset"
        if self.answer is not None and self.answer == (self.question or "question"):
            yield f"answer is {self.answer!r}, the column of the questions: name another"
        elif self.question == "answer" and self.answer is None:
            yield "question is 'answer', the column of the answers: name another, or name the answers' own as answer"
        of_tables = [key for key in OF_TABLES if self._sets(key)]
        if origins == ["text"] and of_tables:
            yield f"{of_tables[0]} is for a table of questions and answers, and text is none: remove one of the two"
        if self.has_origin and not self.is_cut and self._sets("passage_words"):
            yield NOTHING_TO_CUT

    def _sets(self, key: str) -> bool:
        return getattr(self, key) != type(self).model_fields[key].default

    @property
    def is_cut(self) -> bool:
        """Whether it is text that is cut into passages."""
        table = table_of(self.preset)
        return bool(self.text or table.text and not table.whole)

    @property
    def has_origin(self) -> bool:
        """False where the source only narrows what `data.preset` gives, such as `{limit: 40}`."""
        return any((self.path, self.dataset, self.preset, self.text))

    @property
    def leaves_whole(self) -> bool:
        """Whether it says no more than where a preset's table lies: nothing of it is replaced or left out."""
        return not self.model_dump(exclude_defaults=True, exclude={"folder", "revision", "group"})


class ForgetSource(Source):
    """What is to be forgotten: a table or a text; or a name, a topic or documents, of which `collect` finds out what is
    known."""

    subject: Name | None = Field(None, min_length=2, max_length=100)
    """A name, such as Ada Fennimore: questions about it are asked, and what the model knows is forgotten."""
    intro: Annotated[str, BeforeValidator(one_line)] = Field("", max_length=200)
    """Who or what that is, in a few words, such as: a lighthouse keeper of Ostermoor."""
    topic: Name | None = Field(None, min_length=2, max_length=100)
    """What is no person, with its article: a place, a work, an event, such as the Suez Canal. Rules ask what one asks
    of its `kind`; `collect.proposals` more."""
    kind: Literal[*TOPIC_KINDS] | None = None
    """Of what kind the topic is: invention also for discoveries. null: found in WordNet by name, or by `intro`."""
    documents: Files = None
    """Text, Markdown, HTML, DOCX and PDF files, folders or patterns such as letters/*.pdf: questions are made of what
    they say about people (with `subject`: about that one), and what the model knows of that is forgotten."""

    @property
    def collects(self) -> bool:
        """Whether questions are found by stage collect."""
        return any((self.subject, self.topic, self.documents))

    @property
    def about(self) -> str:
        """The name that is to be forgotten, of a person or a topic; empty where documents decide."""
        return self.subject or self.topic or ""

    def contradictions(self) -> Iterator[str]:
        yield from super().contradictions()
        if self.intro and not self.about:
            yield "intro says who or what subject or topic is, and there is neither: name one, or remove intro"
        if self.subject and "?" in self.subject:
            yield f"subject: {self.subject!r} is a question; give the name alone"
        if self.subject and " " not in self.subject and not self.intro:
            yield (
                f"subject: {self.subject!r} is one word, which may mean many things; give the whole name, or say in "
                "intro who or what it is"
            )
        if self.text and self.collects:
            yield (
                "text is forgotten word by word, and subject, topic and documents name facts to be asked about: give "
                "one of them, and a second recipe for the other"
            )
        if self.topic and (self.subject or self.documents):
            yield "topic stands alone: a subject is a person, and documents say themselves what they tell of"
        if self.kind and not self.topic:
            yield "kind says what topic is, and there is none: name one, or remove kind"
        given = self.model_dump(exclude_defaults=True, exclude={"subject", "intro", "topic", "kind", "documents"})
        if self.collects and not self.has_origin and given:
            yield f"{next(iter(given))} is for a table, and there is none: give path, dataset or preset too"


class FinetuneSource(Source):
    """A table that `finetune` teaches."""

    repeat: int = Field(1, ge=1)
    """How often each row is seen in one epoch: more for what must be known firmly."""


def _generic(value: Any) -> Any:
    return {"preset": REQUESTS} if value == "self" else value


def _control(value: Any) -> Any:
    """A file may be given alone; `none` is null."""
    return None if value == "none" else {"path": value} if isinstance(value, str) else value


# Each with what a recipe may say besides, for the JSON schema.
_Generic = Annotated[Source | None, BeforeValidator(_generic, json_schema_input_type=Source | Literal["self"] | None)]
_Control = Annotated[Source | None, BeforeValidator(_control, json_schema_input_type=Source | str | None)]
_PERSON = {"type": "string", "pattern": f"^({'|'.join(PERSON_OF)})/."}
_Preset = Annotated[Literal[*PAIRS] | None, WithJsonSchema({"anyOf": [{"enum": [*PAIRS, None]}, _PERSON]})]


class Data(Section):
    """What to forget, what to keep, and what to ask afterwards."""

    preset: _Preset = None
    """A known benchmark: fills in `forget` and `retain` (and `generic` where it has one), and what the ReLearn paper
    asks of it: KnowUnDo's validation questions, which `finetune` then teaches too; 200 + 200 of TOFU's questions."""
    folder: RecipePath | None = None
    """Reads the preset's files from this folder, not from the hub; other tables of the same benchmark too, where they
    name no folder of their own."""
    where: Where | None = None
    """Keeps of the preset's forget and retain tables, also of those that are only asked, the rows that have this value
    in this column, as `where` of a source does. `preset: rwku/Stephen King` is short for preset rwku with
    {subject: Stephen King}."""
    forget: ForgetSource | None = None
    """The forget set: questions and answers that the model must no longer give; or a name or documents to collect
    them from."""
    retain: Source | None = None
    """The retain set: similar questions and answers that the model must keep."""
    forget_eval: Source | None = None
    """Questions to measure forgetting with. Default: those that the preset asks, where the recipe leaves its forget set
    whole; else the forget set."""
    retain_eval: Source | None = None
    """Questions to measure retention with. Default: likewise of the retain set."""
    forget_select: Source | None = None
    """Questions that evaluation in training and sweeps choose by; never reported. Default: a share of `forget_eval`."""
    retain_select: Source | None = None
    """Likewise for retention. Default: a share of `retain_eval`."""
    select_fraction: ShareOrAuto = "auto"
    """The share of the evaluation questions that is set apart to choose by, where there are none of their own. `auto`:
    a quarter where something is chosen (`unlearn.evaluate_every`, `auto`, a sweep), else none."""
    only_known: bool = False
    """true leaves out of training and evaluation what the vanilla model does not know of the forget set; it costs the
    time to ask it all of that. What is not known is told either way, before anything is trained."""
    nothing_known: Literal["stop", "go_on"] = "stop"
    """What to do where the vanilla model knows none of the forget questions: `stop` before anything is trained, or
    `go_on`, for an experiment."""
    own_words: Annotated[Literal["auto", True, False], YES_OR_NO] = "auto"
    """Answers of a few words (`yen`) are trained as vanilla words them, where what it says to the question tells them
    (`The currency of Japan is the yen.`). `auto`: where something is unlearned, but for a preset; false: as given."""
    generic: _Generic = None
    """General questions and answers, mixed into training against catastrophic forgetting. `self`: about 300 requests
    that come with the project, answered by the vanilla model before training, so that what is kept is what it was."""
    control: _Control = Source(preset="control")
    """Short general questions, never trained on: how many that the vanilla model answers are still answered. Default:
    64 that come with the project; a file of your own (`Hot | warm.`: either will do); `none`: not asked."""
    members: Source | None = None
    """What membership inference compares with `holdout`: questions or texts. Default: the forget questions asked."""
    holdout: Source | None = None
    """Questions like those of the forget set that the model never saw, for membership inference to compare with."""
    real_authors: Source | None = None
    """Real authors, with wrong answers: a third of TOFU's model utility."""
    world_facts: Source | None = None
    """World facts, with wrong answers: a third of TOFU's model utility."""

    @model_validator(mode="before")
    @classmethod
    def _person_of_preset(cls, tree: Any) -> Any:
        """Splits `rwku/Stephen King` into the preset and the rows that it keeps."""
        if not isinstance(tree, dict) or not isinstance(tree.get("preset"), str):
            return tree
        name, _, person = tree["preset"].partition("/")
        if not person or name not in PERSON_OF:
            return tree
        column, person = PERSON_OF[name], person.replace("_", " ")
        if tree.get("where") is not None:
            raise ValueError(f"where: {name}/{person} has one too; give preset: {name} and {column}: {person} in where")
        return {**tree, "preset": name, "where": {column: person}}

    @property
    def texts(self) -> list[str]:
        """The parts that are texts themselves, or hold some, not questions alone."""
        named = {name: source for name, source in self if isinstance(source, Source) and source.has_origin}
        tables = PAIRS.get(self.preset, {}) | {name: source.preset for name, source in named.items()}
        files = {name for name, source in named.items() if source.text}
        return [part for part, table in tables.items() if table_of(table).has_text or part in files]

    @property
    def collects(self) -> bool:
        """Whether stage collect finds the questions of `forget`."""
        return self.forget is not None and self.forget.collects

    def contradictions(self) -> Iterator[str]:
        if self.where is not None and self.preset is None:
            yield "where keeps rows of data.preset, and there is none: set it, or give forget and retain a where"
        nowhere = "nothing says where it is; give it a path, a dataset or a preset"
        for name, source in self:
            if name in ("forget", "retain"):
                if self.collects and (name == "retain" and source is None or name == "forget"):
                    continue
                if self.preset is None and not (source and source.has_origin):
                    collected = ", or a subject, a topic or documents" if name == "forget" else ""
                    yield f"{name}: {nowhere}{collected}, or set data.preset"
                elif source and not source.has_origin and source._sets("passage_words") and name not in self.texts:
                    yield f"{name}: {NOTHING_TO_CUT}"
            elif isinstance(source, Source) and not source.has_origin:
                yield f"{name}: {nowhere}"
        if self.collects and self.preset:
            yield "preset fills in forget, which names what is to be collected; name its tables at their parts instead"
        if self.folder is not None and self.preset is None:
            yield "folder is where the files of data.preset lie, and there is none: set data.preset, or remove it"
