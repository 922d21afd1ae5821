"""ROUGE-1 and ROUGE-L recall (Lin 2004), stemmed, by the rouge-score package: what returns of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import SimpleNamespace

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Metric, MetricValues
from relearn_lite.text.words import script, script_runs

PARTS = ("rouge1", "rougeL")


def rouge_recall(response: str, reference: str) -> dict[str, float | None]:
    """{"rouge1": ..., "rougeL": ...}, each 0 to 1. None for a reference without words: nothing could be recalled."""
    if not tokens(reference):
        return dict.fromkeys(PARTS)
    scores = _scorer().score(reference, response)
    return {part: float(scores[part].recall) for part in PARTS}


def tokens(text: str) -> list[str]:
    """rouge-score's own tokens where the text is Latin. It drops other scripts, whose tokens here are words in lower
    case, or characters where no spaces stand between words."""
    found: list[str] = []
    for kind, run in script_runs(text):
        if kind == "latin":
            found += _latin().tokenize(run)
        elif kind == "spaced":
            found.append(run.casefold())
        else:
            found += [char for char in run if script(char) != "mark"]
    return found


@cache
def _latin():
    from rouge_score.tokenizers import DefaultTokenizer

    return DefaultTokenizer(use_stemmer=True)


@cache
def _scorer():
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(PARTS), tokenizer=SimpleNamespace(tokenize=tokens))


def measure(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """ROUGE recall of each answer against the original answer."""
    scores = [rouge_recall(answer.generated_response, answer.ground_truth) for answer in answers]
    no_words = "the original answer has no words"
    return {part: MetricValues.of([score[part] for score in scores], no_words) for part in PARTS}


METRICS = (Metric("rouge", measure, parts=PARTS),)
