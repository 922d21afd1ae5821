"""ROUGE-1 and ROUGE-L recall (Lin 2004), stemmed, by the rouge-score package: what returns of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.declaration import Metric, MetricValues
from relearn_lite.text.words import script, script_runs

PARTS = ("rouge1", "rougeL")


def rouge_recall(response: str, reference: str) -> dict[str, float | None]:
    """{"rouge1": ..., "rougeL": ...}, each 0 to 1. None for a reference without words: nothing could be recalled."""
    scorer = _scorer()
    if not scorer._tokenizer.tokenize(reference):
        return dict.fromkeys(PARTS)
    scores = scorer.score(reference, response)
    return {part: float(scores[part].recall) for part in PARTS}


@cache
def _scorer():
    from rouge_score.rouge_scorer import RougeScorer
    from rouge_score.tokenizers import DefaultTokenizer

    return RougeScorer(list(PARTS), tokenizer=AnyScriptTokenizer(DefaultTokenizer(use_stemmer=True)))


class AnyScriptTokenizer:
    """rouge-score's own tokens where the text is Latin; that tokenizer drops every other script, which then scores 0.

    Words of scripts with spaces are tokens as they are, in lower case; in Chinese, Japanese, Thai and other scripts
    without spaces each character is one.
    """

    def __init__(self, latin):
        self.latin = latin

    def tokenize(self, text: str) -> list[str]:
        tokens: list[str] = []
        for kind, run in script_runs(text):
            if kind == "latin":
                tokens += self.latin.tokenize(run)
            elif kind == "spaced":
                tokens.append(run.casefold())
            else:
                tokens += [char for char in run if script(char) != "mark"]
        return tokens


def measure(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """ROUGE recall of each answer against the original answer."""
    scores = [rouge_recall(answer.generated_response, answer.ground_truth) for answer in answers]
    no_words = "the original answer has no words"
    return {part: MetricValues.of([score[part] for score in scores], no_words) for part in PARTS}


METRICS = (Metric("rouge", measure, parts=PARTS),)
