"""Linguistic quality of answers: perplexity, Brunet's index, Honoré's statistic, RTTR, and the Linguistic Score (LS).

Words are NLTK word tokens of the lower-cased answer, punctuation included; N is their number, V that of different
ones, V1 that of those which occur once. Formulas: Xu et al. 2025 (ReLearn), appendix, and the authors' code.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cache

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.broken import fault
from relearn_lite.metrics.declaration import GENERAL, SIDES, Combined, Metric, MetricValues, Side, both_means
from relearn_lite.text.words import glue, sentences

BRUNET_OF_NOTHING = 1000.0
HONORE_CAP = 1e6
UNSPACED = "its script has no spaces between words, which are what is counted"


def rttr(text: str) -> float:
    """Root type-token ratio V / sqrt(N), the variety of words; 0 for an empty text."""
    n, v, _ = _counts(text)
    return v / math.sqrt(n) if n else 0.0


def brunet_index(text: str) -> float:
    """Brunet's index N ** (V ** -0.165), lower for richer text; 1000 for an empty one."""
    n, v, _ = _counts(text)
    return float(n ** (v**-0.165)) if n else BRUNET_OF_NOTHING


def honore_statistic(text: str) -> float:
    """Honoré's statistic 100 ln N / (1 - V1/V + 0.1), higher for richer text; 0 for N <= 1, at most 1e6."""
    n, v, once = _counts(text)
    return min(100 * math.log(n) / (1 - once / v + 0.1), HONORE_CAP) if n > 1 else 0.0


def linguistic_score(ppl: float, brunet: float, honore: float) -> tuple[float, float]:
    """(harmonic, arithmetic) mean of σ(-ln PPL), σ(-ln BI) and σ(ln HS), each argument being a data set's mean.

    σ(-ln x) = 1 / (1 + x) and σ(ln x) = x / (1 + x): this form has no logarithm of 0. Both lie in 0 to 1, higher is
    better; the harmonic one is 0 where any part is.
    """
    return both_means((1 / (1 + ppl), 1 / (1 + brunet), honore / (1 + honore)))


def tokens(text: str) -> list[str]:
    """NLTK word tokens. With NLTK's punkt data on this machine its own sentences are used, else those of `words`.

    The tokenizer takes the last full stop of a sentence off its word, so where sentences end matters. Nothing is
    downloaded.
    """
    from nltk.tokenize.destructive import NLTKWordTokenizer

    if _has_punkt():
        from nltk import word_tokenize

        return word_tokenize(text)
    tokenizer = NLTKWordTokenizer()
    return [token for sentence in sentences(text) for token in tokenizer.tokenize(sentence)]


@cache
def _has_punkt() -> bool:
    import nltk

    try:
        nltk.data.find("tokenizers/punkt_tab/english/")
    except LookupError:
        return False
    return True


@cache
def _counts(text: str) -> tuple[int, int, int]:
    """(N, V, V1) of the lower-cased text."""
    counts = Counter(tokens(text.lower()))
    return counts.total(), len(counts), sum(count == 1 for count in counts.values())


def measure(answers: Sequence[Answer], evaluators: Evaluators) -> dict[str, MetricValues]:
    """Brunet's index, Honoré's statistic and RTTR of each answer, whether its text is broken (1) or not (0), and its
    perplexity if there is a language model.

    The first three count words, so an answer in a script without spaces has none: it would be one long word.
    """
    texts = [answer.generated_response for answer in answers]
    measures = {"brunet": brunet_index, "honore": honore_statistic, "rttr": rttr}
    counted = [None if text.strip() and not glue(text) else text for text in texts]
    found = {
        part: MetricValues.of([None if text is None else of(text) for text in counted], UNSPACED)
        for part, of in measures.items()
    }
    broken = [float(fault(a.generated_response, a.query, a.finished) is not None) for a in answers]
    return {"ppl": _perplexity(answers, evaluators)} | found | {"broken": MetricValues.of(broken, "undefined")}


def _perplexity(answers: Sequence[Answer], evaluators: Evaluators) -> MetricValues:
    """exp(mean token loss) of each answer after its question, under the base language model."""
    if evaluators.language_model is None:
        places = "evaluate.evaluators.language_model, or score's --language-model"
        return MetricValues.not_measured(f"no language model was named ({places})")
    values = evaluators.language_model.perplexity([(a.query, a.generated_response) for a in answers])
    failure = getattr(evaluators.language_model, "failure", None) or "the language model gave none"
    why = [failure if a.generated_response.strip() else "empty answer" for a in answers]
    reasons = [reason if value is None else None for value, reason in zip(values, why, strict=True)]
    return MetricValues(list(values), reasons)


def _score(side: Side, name: str, which: int) -> Combined:
    of = tuple(f"{part}_{side}" for part in ("ppl", "brunet", "honore"))
    return Combined(f"{name}_{side}", of, lambda *means: linguistic_score(*means)[which])


SPEECH = (*SIDES, GENERAL)  # whatever is asked: language may break where nothing was to be forgotten
METRICS = (Metric("ls", measure, SPEECH, parts=("ppl", "brunet", "honore", "rttr", "broken")),)
COMBINED = tuple(_score(side, *score) for side in SPEECH for score in (("ls", 0), ("ls_arithmetic", 1)))
