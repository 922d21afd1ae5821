"""Natural language inference: by rule (embedded), or a transformers text-classification model by name."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.core.hub import only_what_is_here
from relearn_lite.judges.answer_cache import AnswerCache
from relearn_lite.judges.entities import NO_ENTITIES, word_form
from relearn_lite.text.number_words import numbers
from relearn_lite.text.words import words

LABELS = ("entailment", "neutral", "contradiction")
_AFFIRMING = frozenset("other only just merely least many".split())  # none other than, not only
_CLAUSE_END = re.compile(r"[.!?](?:\s|$)|[,;:()]|\s[-–—]\s|\b(?:but|and|or)\b")
SAME_FRAME = 0.5  # share of content words, without numbers and negations, that two texts must have in common
_YEAR = 4  # digits: two dates of other years may share the day
NEGATIONS = frozenset("not never no none nobody nothing neither nor without cannot".split())
ANTONYMS = frozenset(
    frozenset(pair.split("/"))
    for pair in """
    male/female man/woman men/women boy/girl father/mother son/daughter brother/sister husband/wife
    alive/dead living/deceased born/died married/unmarried married/single employed/unemployed first/last early/late
    old/young older/younger eldest/youngest oldest/youngest before/after always/never true/false true/untrue
    fiction/nonfiction fictional/real public/private urban/rural northern/southern eastern/western north/south east/west
    rich/poor increase/decrease increased/decreased positive/negative positively/negatively success/failure like/dislike
    love/hate won/lost win/lose accept/reject accepted/rejected known/unknown famous/unknown same/different more/less
    """.split()
)


class LexicalNLI:
    """Says contradiction only of texts that say the same but for a number, a negation, an antonym, or yes and no, and
    of a hypothesis that says nothing but a part of the premise so: "It is not Orsk", "3,100 euros".

    A negation counts where what it negates, the next content word of its clause, stands in the other text: "is not the
    capital" does; "Cairo, not Alexandria" and "it is no secret that" do not.

    Conservative on purpose: two answers with different content are `neutral`, and entity coverage tells them apart.
    It sees no contradiction in `a teacher` against `a lawyer`.
    """

    name = "lexical rules"
    embedded = True

    def label(self, pairs: Sequence[tuple[str, str]]) -> list[str | None]:
        return [_label(premise, hypothesis) for premise, hypothesis in pairs]


def _label(premise: str, hypothesis: str) -> str:
    given, said = _forms(premise), _forms(hypothesis)
    if not given or not said:
        return "neutral"
    if {given[0], said[0]} == {"yes", "no"}:
        return "contradiction"
    content, claim = _content(given), _content(said)
    same_polarity = _negated(premise, claim) == _negated(hypothesis, content)
    comparable = _same_frame(content, claim) or (claim and claim <= content)
    if comparable and (not same_polarity or _differ(given, said)):
        return "contradiction"
    entailed = claim <= content and _numbers(said) <= _numbers(given) and same_polarity
    return "entailment" if entailed else "neutral"


def _same_frame(content: set[str], claim: set[str]) -> bool:
    return bool(content | claim) and len(content & claim) / len(content | claim) >= SAME_FRAME


def _differ(given: list[str], said: list[str]) -> bool:
    for digits in (1, _YEAR):
        found = [{number for number in _numbers(forms) if len(number) >= digits} for forms in (given, said)]
        if all(found) and not found[0] & found[1]:
            ours, theirs = ([n for n in numbers(" ".join(forms)) if len(n.shown) >= digits] for forms in (given, said))
            return not any(one.same(two) for one in ours for two in theirs)  # 84,500 is 84.5k
    only_given, only_said = set(given) - set(said), set(said) - set(given)
    return any(frozenset((a, b)) in ANTONYMS for a in only_given for b in only_said)


def _forms(text: str) -> list[str]:
    expanded = re.sub(r"n['’]t\b", " not", text.casefold())
    return [word_form(word) for word in words(expanded)]


def _content(forms: list[str]) -> set[str]:
    return {form for form in forms if form not in NO_ENTITIES and form not in NEGATIONS and not form[0].isdigit()}


def _numbers(forms: list[str]) -> set[str]:
    """All numbers, those inside a date one by one, since 05/25/1930 and May 25, 1930 are the same day."""
    return {part.lstrip("0") or "0" for form in forms for part in re.findall(r"\d+", form)}


def _negated(text: str, other: set[str]) -> bool:
    """Whether a text negates what `other`, the content of another, says.

    Two negations cancel out; the opening `no` of an answer is its polarity and not counted again.
    """
    count = 0
    for clause in _CLAUSE_END.split(re.sub(r"^\W*no\b", "", text.casefold())):
        forms = _forms(clause)
        for place in (n for n, form in enumerate(forms) if form in NEGATIONS):
            if forms[place + 1 : place + 2] and forms[place + 1] in _AFFIRMING:
                continue
            count += next((f for f in forms[place + 1 :] if f in NEGATIONS or _content([f])), "") in other
    return count % 2 == 1


class TransformersNLI:
    """A text-classification model trained on NLI: a hub id such as tasksource/deberta-base-long-nli, or a folder.

    Which output means what is read from its config (`id2label`): the order differs between models. Pairs that are
    longer than the model allows are cut at the end of the longer text.
    """

    embedded = False

    def __init__(self, name: str, batch_size: int = 16):
        import torch
        from transformers import pipeline

        device = "cuda" if torch.cuda.is_available() else "cpu"
        only_what_is_here(name)
        try:
            self.classifier = pipeline("text-classification", name, device=device, batch_size=batch_size)
        except (OSError, ValueError, ImportError) as error:
            raise RecipeError(
                f"evaluate.evaluators.nli: '{name}' could not be loaded ({first_line(error)}). Allowed: 'embedded', "
                "a folder with a text-classification model, or a hub id that this machine can reach."
            ) from error
        self.name, config = name, self.classifier.model.config
        read_labels(config.id2label, name)
        # Some tokenizers give 1e30 for "no limit": then the model's own table of positions is the limit, without its
        # first rows up to that of padding, which in RoBERTa's are no token's.
        positions, modules = getattr(config, "max_position_embeddings", 512), self.classifier.model.named_modules()
        padding = next((getattr(m, "padding_idx", None) for n, m in modules if n.endswith("position_embeddings")), None)
        positions -= 0 if padding is None else padding + 1
        self.max_length = min(self.classifier.tokenizer.model_max_length, positions)
        self._labels = AnswerCache()

    def label(self, pairs: Sequence[tuple[str, str]]) -> list[str | None]:
        return self._labels.get_all(pairs, self._classify)

    def _classify(self, pairs: list[tuple[str, str]]) -> list[str | None]:
        """An empty text neither follows nor contradicts. A score that is no number is a failure."""
        texts = [pair for pair in pairs if all(text.strip() for text in pair)]
        texts.sort(key=lambda pair: len(pair[0]) + len(pair[1]))  # little padding
        inputs = [{"text": premise, "text_pair": hypothesis} for premise, hypothesis in texts]
        outputs = self.classifier(inputs, truncation=True, max_length=self.max_length) if inputs else []
        labels = {
            pair: _label_of(output["label"]) if math.isfinite(output["score"]) else None
            for pair, output in zip(texts, outputs, strict=True)
        }
        return [labels.get(pair, "neutral") for pair in pairs]


def _label_of(text: object) -> str:
    return str(text).strip().lower()


def read_labels(id2label: Mapping[int, str], name: str) -> list[str]:
    """The labels of a model's outputs, from its config. Raises RecipeError where they are not the three."""
    labels = list(map(_label_of, id2label.values()))
    if sorted(labels) != sorted(LABELS):
        raise RecipeError(
            f"evaluate.evaluators.nli: the config of '{name}' names its outputs {', '.join(labels)}. Needed: "
            f"{', '.join(LABELS)}. Take a model trained on three-way NLI, or mend id2label in its config.json."
        )
    return labels
