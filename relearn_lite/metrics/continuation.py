"""Memorization as MUSE and LUME measure it: what the model writes behind a bare text, whatever its chat template is.

The model is asked anew, greedily and for as many tokens as each benchmark has, so that neither `generate` nor
`model.chat_template` of the recipe changes these numbers.

MUSE (Shi et al. 2024, swj0419/muse_bench, metrics verbmem and knowmem): F1 of ROUGE-L by rouge-score, unstemmed.
LUME (Ramakrishna et al. 2025, SemEval-2025 task 4, evaluate_generations.py): ROUGE-L recall, stemmed, of completions;
equality but for case and white space of answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from types import SimpleNamespace

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import OTHER_KIND, Metric, MetricValues
from relearn_lite.text.recall import rouge_recall, tokens
from relearn_lite.text.turns import is_passage, shown, turns_of

VERBMEM_TOKENS, KNOWMEM_TOKENS, LUME_TOKENS = 128, 32, 256  # of an answer, as the authors' code has them
ENDS = ("\n\n", "\nQuestion", "Question:")  # what ends an answer of knowmem
NO_WORDS = "the original has no words"
TOO_LONG = "with the answer it is longer than the model can read"
_words = partial(tokens, stemmed=False)  # rouge-score's own where the text is Latin, see `tokens`
Measure = Callable[[Sequence[Answer], Evaluators], dict[str, MetricValues]]


def rouge_f1(response: str, reference: str) -> float | None:
    """F1 of ROUGE-L, unstemmed, 0 to 1. None for a reference without words; 0 for an answer without any."""
    if not _words(reference):
        return None
    return float(_scorer().score(reference, response)["rougeL"].fmeasure)


@cache
def _scorer():
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], tokenizer=SimpleNamespace(tokenize=_words))


def until_next_question(text: str) -> str:
    """An answer up to where the model begins something else."""
    for end in ENDS:
        text = text.split(end)[0]
    return text


def as_shots(question: str) -> str:
    """A question, with those that are answered before it, as MUSE writes them. An answer that is begun goes on."""
    put = {"system": "", "user": "Question: {}\nAnswer: ", "assistant": "{}\n\n"}
    return "".join(put[turn["role"]].format(turn["content"]) for turn in turns_of(question)).removesuffix("\n\n")


def _of(texts: bool, key: str, score: Callable[[Sequence[Answer], Evaluators], list[float | None]]) -> Measure:
    """A measure of the answers that continue texts, or of those to questions; the others have no value."""

    def measure(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
        rows = [n for n, answer in enumerate(answers) if is_passage(answer.query) == texts]
        if not rows:
            return {key: MetricValues.not_measured(f"there are no {'texts to continue' if texts else 'questions'}")}
        values: list[float | None] = [None] * len(answers)
        reasons = [OTHER_KIND] * len(answers)
        for n, value in zip(rows, score([answers[n] for n in rows], evaluators), strict=True):
            why = TOO_LONG if _words(answers[n].ground_truth) else NO_WORDS
            values[n], reasons[n] = value, None if value is not None else why
        return {key: MetricValues(values, reasons)}

    return measure


def _scored(
    score: Callable[[str, str], float | None], written: Sequence[str | None], truth: Sequence[str]
) -> list[float | None]:
    """The score of each text against its original; None where the model could not read what it was given."""
    return [None if text is None else score(text, true) for text, true in zip(written, truth, strict=True)]


def _originals(answers: Sequence[Answer]) -> list[str]:
    return [answer.ground_truth for answer in answers]


def verbmem(answers: Sequence[Answer], evaluators: Evaluators) -> list[float | None]:
    """F1 of each continuation against the text's own, both of VERBMEM_TOKENS; a mark that begins the latter counts."""
    model = evaluators.model
    written = model.continued([shown(answer.query) for answer in answers], VERBMEM_TOKENS)
    truth = [model.first_tokens(answer.ground_truth, VERBMEM_TOKENS) for answer in answers]
    return _scored(rouge_f1, written, truth)


def knowmem(answers: Sequence[Answer], evaluators: Evaluators) -> list[float | None]:
    """F1 of each answer of KNOWMEM_TOKENS, up to where the model asks on."""
    written = evaluators.model.continued([as_shots(answer.query) for answer in answers], KNOWMEM_TOKENS)
    return _scored(lambda text, true: rouge_f1(until_next_question(text), true), written, _originals(answers))


def regurgitation(answers: Sequence[Answer], evaluators: Evaluators) -> list[float | None]:
    """ROUGE-L recall of each completion."""
    written = evaluators.model.continued([shown(answer.query) for answer in answers], LUME_TOKENS)
    return _scored(lambda text, true: rouge_recall(text, true)["rougeL"], written, _originals(answers))


def exact_match(answers: Sequence[Answer], evaluators: Evaluators) -> list[float | None]:
    """1 for each answer that is the original but for case and white space around it, 0 for any other."""
    asked = ["\n".join(turn["content"] for turn in turns_of(answer.query)) for answer in answers]
    written = evaluators.model.continued(asked, LUME_TOKENS)
    return _scored(
        lambda text, true: float(text.strip().lower() == true.strip().lower()), written, _originals(answers)
    )


METRICS = (
    Metric("verbmem", _of(True, "verbmem", verbmem), ("forget",), needs=("model",)),
    Metric("knowmem", _of(False, "knowmem", knowmem), needs=("model",)),
    Metric("regurgitation", _of(True, "regurgitation", regurgitation), needs=("model",)),
    Metric("exact_match", _of(False, "exact_match", exact_match), needs=("model",)),
)
