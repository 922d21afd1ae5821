"""The model whose answers are judged, asked itself: how likely an answer is to it, and what else it would say.

Answers alone show what a model says when it is asked once. Its probabilities show what it still knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relearn_lite.core.records import QA
from relearn_lite.data.examples import Example, encode_answer, question_ids
from relearn_lite.data.tokens import opened
from relearn_lite.judges.answer_cache import AnswerCache
from relearn_lite.models.generation import NEXT_DRAW, PUBLISHED, Decoding, answer_prompts, context_length
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.logprobs import check_head
from relearn_lite.models.scoring import TokenScores, gradient_norms, token_scores, without_end
from relearn_lite.recipe import Generate, Privacy

Pair = tuple[str, str]  # (question, answer)


@dataclass(frozen=True)
class Context:
    """What metrics of the model need besides it: data that `generate` did not ask, and the recipe's choices.

    records: the QA records by id, for paraphrased and wrong answers. members: of the forget set, for membership
    inference; empty: the answers that are measured. retain_ratios: log truth ratios of a model that
    never saw the forget set, or None where the recipe names none.
    """

    records: Mapping[str, QA] = field(default_factory=dict)
    members: Sequence[QA] = ()
    holdout: Sequence[QA] = ()
    real_authors: Sequence[QA] = ()
    world_facts: Sequence[QA] = ()
    retain_ratios: Sequence[float] | None = None
    privacy: Privacy = Privacy()
    generate: Generate = Generate()
    seed: int = 0


class EvaluatedModel:
    """A model with exactly these adapters on. Every answer is scored once and kept.

    reference: the model that the `mia_reference` attack compares with; None where there is none.
    """

    def __init__(
        self, loaded: Loaded, adapters: tuple[str, ...], context: Context, reference: EvaluatedModel | None = None
    ):
        check_head(loaded.model)
        self.context, self.reference = context, reference
        self._loaded, self._adapters = loaded, adapters
        self._scores, self._norms = AnswerCache(), AnswerCache()

    def score(self, pairs: Sequence[Pair]) -> list[TokenScores | None]:
        """Each answer token by token. None: an answer without any token."""
        return self._scores.get_all(pairs, lambda new: self._compute(new, token_scores))

    def gradient_norms(self, pairs: Sequence[Pair]) -> list[float | None]:
        """L2 norm of the gradient of each answer's mean token loss, without its end token. None: no token."""

        def norms(loaded: Loaded, examples: Sequence[Example], adapters: tuple[str, ...]) -> list[float]:
            return gradient_norms(loaded, [without_end(example) for example in examples], adapters)

        return self._norms.get_all(pairs, lambda new: self._compute(new, norms))

    def samples(self, questions: Sequence[str], k: int, seed: int) -> list[list[str]]:
        """k answers to each question, sampled as published (temperature 0.7, top_p 0.9, top_k 5), seeded."""
        draws = [self._answers(questions, seed + NEXT_DRAW * draw, sampling=PUBLISHED) for draw in range(k)]
        return [list(texts) for texts in zip(*draws, strict=True)]

    def answers(self, questions: Sequence[str]) -> list[str]:
        """One answer to each question, as the recipe's `generate` section has it."""
        return self._answers(questions, self.context.seed)

    def continued(self, texts: Sequence[str], tokens: int) -> list[str | None]:
        """What the model writes behind each bare text, greedily, `tokens` at most; white space as it comes. None: the
        text and so many tokens are more than it can read."""
        limit = context_length(self._loaded)
        prompts = dict(enumerate(opened(self._loaded.tokenizer, text) for text in texts))
        prompts = {n: ids for n, ids in prompts.items() if not limit or len(ids) + tokens <= limit}
        decoding = Decoding(tokens, self.context.generate.batch_size, seed=self.context.seed, stripped=False)
        answers = answer_prompts(self._loaded, [*prompts.values()], self._adapters, decoding)
        found = {n: answer.text for n, answer in zip(prompts, answers, strict=True)}
        return [found.get(n) for n in range(len(texts))]

    def first_tokens(self, text: str, count: int) -> str:
        """The beginning of a text, `count` tokens long with the mark that begins a text, where there is one."""
        return self._loaded.tokenizer.decode(opened(self._loaded.tokenizer, text)[:count], skip_special_tokens=True)

    def _answers(self, questions: Sequence[str], seed: int, **changes: Any) -> list[str]:
        prompts = [question_ids(self._loaded.tokenizer, question) for question in questions]
        decoding = Decoding.of(self.context.generate, seed, **changes)
        return [answer.text for answer in answer_prompts(self._loaded, prompts, self._adapters, decoding)]

    def _compute(self, pairs: Sequence[Pair], compute: Callable[..., list[Any]]) -> list[Any]:
        """`compute` of those pairs whose answer has a token, None for the others."""
        encoded = {pair: encode_answer(self._loaded.tokenizer, *pair) for pair in pairs if pair[1].strip()}
        examples = {pair: each for pair, each in encoded.items() if len(each) - each.n_prompt > 1}
        values = compute(self._loaded, list(examples.values()), self._adapters)
        found = dict(zip(examples, values, strict=True))
        return [found.get(pair) for pair in pairs]
