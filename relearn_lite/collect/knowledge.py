"""Does a model know it? It is asked once for its likeliest answer and several times for sampled ones.

A model that knows says the same again; one that makes it up says something else each time (Manakul et al. 2023,
SelfCheckGPT). Where a document says what is right, each answer must tell that. What tells the same is for the run's
judges to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from relearn_lite.augment.form import is_refusal, normal_form, repeats_itself
from relearn_lite.collect.confusion import another_name, names_subject
from relearn_lite.collect.facets import NAME, Wording
from relearn_lite.core.files import read_jsonl, write_in_batches
from relearn_lite.core.records import Answer, Reply
from relearn_lite.data.examples import question_ids
from relearn_lite.models.generation import (
    GREEDY,
    NEXT_DRAW,
    PUBLISHED,
    Completion,
    Decoding,
    batches_of,
    check_fits,
    complete,
)
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.models.shared_prefix import Prefixes
from relearn_lite.text.specifics import specifics
from relearn_lite.text.words import sentences, words

MOST_QUOTES = 20  # that an answer is compared with
Tells = Callable[[Sequence[Answer]], Sequence[bool | None]]  # whether each answer tells what its ground truth tells


@dataclass(frozen=True)
class Verdict:
    """why: in words, why it counts as known or not; agree: of `draws` sampled answers, both 0 where none was asked.
    quotes: what documents say, which the answer tells too."""

    known: bool
    why: str
    answer: str
    agree: int = 0
    draws: int = 0
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asking:
    """How a model is asked: with which settings, how many sampled answers, and which share of them must agree.

    first_sentence: of each answer that one is taken alone.
    """

    max_new_tokens: int
    batch_size: int | Literal["auto"]
    seed: int
    draws: int
    agree: float
    first_sentence: bool = False


def find_known(
    loaded: Loaded, questions: Mapping[str, str], asking: Asking, folder: Path, tells: Tells,
    advance: Callable[[float], None] = lambda _: None, quotes: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, Verdict]:  # fmt: skip
    """What the vanilla model knows, by question. questions: each with the person that it is about, or an empty text.
    quotes: what documents say to a question, one of which a known answer tells.

    Every reply is kept in `folder` (greedy.jsonl, sampled.jsonl) as soon as its batch is done, and not asked for again.
    """
    once = 1 / (1 + asking.draws)  # of a question's work
    first = [(question, 0) for question in questions]
    greedy = _ask(loaded, first, asking, folder / "greedy.jsonl", lambda n: advance(n * once))
    faults = {question: _fault(question, greedy[question, 0], about) for question, about in questions.items()}
    right = _right({q: greedy[q, 0].text for q in quotes if not faults[q]}, quotes, tells)
    faults |= {question: told for question, told in right.items() if isinstance(told, str)}
    sure = [question for question in questions if not faults[question]]
    pairs = [(question, draw) for draw in range(1, asking.draws + 1) for question in sure]
    share = (1 - once) * len(questions) / max(1, len(pairs))
    sampled = _ask(loaded, pairs, asking, folder / "sampled.jsonl", lambda n: advance(n * share))
    told = _tell_the_same([
        (question, right[question][0] if question in right else greedy[question, 0].text,
         sampled[question, draw].text, question in right) for question, draw in pairs
    ], tells)  # fmt: skip
    same: dict[str, list[bool | None]] = {question: [] for question in sure}
    for (question, _), each in zip(pairs, told, strict=True):
        same[question].append(each)
    return {
        question: _verdict(greedy[question, 0].text, same[question], asking.agree, right.get(question, ()))
        if question in same
        else Verdict(False, faults[question], greedy[question, 0].text) for question in questions
    }  # fmt: skip


def _right(
    answers: Mapping[str, str], quotes: Mapping[str, Sequence[str]], tells: Tells
) -> dict[str, tuple[str, ...] | str]:
    """By question the quotes that its answer tells, or why it tells none."""
    pairs = [(question, quote) for question, text in answers.items() for quote in _nearest(quotes[question], text)]
    told = _tell_the_same([(question, quote, answers[question], True) for question, quote in pairs], tells)
    same = {question: [] for question in answers}
    for (question, quote), each in zip(pairs, told, strict=True):
        same[question].append((each, quote))
    wrong = {True: "not judged: whether it tells what the document says",
             False: "otherwise: the document says something else"}  # fmt: skip
    return {
        question: tuple(quote for each, quote in found if each) or wrong[None in dict(found)]
        for question, found in same.items()
    }


def _nearest(quotes: Sequence[str], answer: str) -> Sequence[str]:
    """The quotes that share most words with an answer: a long document may say hundreds of things of one kind."""
    said = {*words(answer.casefold())}
    return sorted(quotes, key=lambda quote: -len(said & {*words(quote.casefold())}))[:MOST_QUOTES]


def _tell_the_same(texts: Sequence[tuple[str, str, str, bool]], tells: Tells) -> list[bool | None]:
    """Whether the second text tells what the first one tells, of each (question, first, second, either way): either of
    a quote and an answer may say more than the other one."""
    ways = [(n, question, *pair) for n, (question, first, second, either) in enumerate(texts)
            for pair in [(first, second), (second, first)][: 1 + either]]  # fmt: skip
    told = tells([Answer(question, "vanilla", "forget", question, *pair) for _, question, *pair in ways])
    found: list[list[bool | None]] = [[] for _ in texts]
    for (n, *_), each in zip(ways, told, strict=True):
        found[n].append(each)
    return [True if True in each else None if None in each else False for each in found]


def _verdict(answer: str, same: Sequence[bool | None], needed: float, quotes: tuple[str, ...]) -> Verdict:
    """What the judges' words on the sampled answers come to; None of them: it could not be judged."""
    agree, draws, failed = same.count(True), len(same), same.count(None)
    told = f"{agree} of {draws} sampled answers tell {'what the document says' if quotes else 'the same'}"
    known = agree >= ceil(needed * draws - 1e-9)
    why = told if known else f"not judged: {failed} of {draws} sampled answers" if failed else f"unsure: {told}"
    return Verdict(known, why, answer, agree, draws, quotes)


def _fault(question: str, reply: Reply, about: str) -> str | None:
    """Why a likeliest answer shows no knowledge, without a look at others."""
    if not reply.text.strip():
        return "no answer"
    if not reply.finished:
        return "not finished: it was cut at generate.max_new_tokens"
    if is_refusal(reply.text):
        return "refusal: it declines, or speaks of itself"
    if repeats_itself(reply.text):
        return "babble: it goes round in circles"
    if other := another_name(reply.text, about, question):
        return f"confused: it speaks of {other}"
    if not names_subject(reply.text, about, question):
        return "confused: it speaks of something else"
    if not specifics(question, reply.text):
        return "vague: it tells nothing that the question does not"
    return None


def off_the_point(answers: Mapping[Wording, str]) -> dict[Wording, str]:
    """Wordings that are answered with what belongs to another facet, and that facet.

    An answer belongs where most wordings give it; the same answer elsewhere shows that the model has none for these.
    """
    by_answer: dict[str, list[Wording]] = {}
    for wording, answer in answers.items():
        by_answer.setdefault(normal_form(answer), []).append(wording)
    found = {}
    for wordings in by_answer.values():
        (most, _), *_ = Counter(wording.facet for wording in wordings).most_common()
        found |= {wording: most for wording in wordings if wording.facet != most}
    return found


def said_of_most(rows: Mapping[str, Mapping[str, str]], tells: Tells) -> set[tuple[str, str]]:
    """(name, wording) of what the model says of most names alike: it says so of any, and knows nothing of this one.

    rows: wording -> name -> its answer, of what counts as known. The wording stands in place of the question.
    """
    pairs = [
        (wording, name, other) for wording, answers in rows.items() if len(answers) > 2
        for name in answers for other in answers if other != name
    ]  # fmt: skip
    same = tells([
        Answer(name, "vanilla", "forget", wording.replace(NAME, f"{name} {other}"), rows[wording][name],
               rows[wording][other])
        for wording, name, other in pairs
    ])  # fmt: skip
    shared: dict[tuple[str, str], int] = {}
    for (wording, name, _), told in zip(pairs, same, strict=True):
        shared[name, wording] = shared.get((name, wording), 0) + (told is True)
    return {(name, wording) for (name, wording), count in shared.items() if 2 * count > len(rows[wording]) - 1}


def _ask(
    loaded: Loaded, pairs: Sequence[tuple[str, int]], asking: Asking, file: Path, advance: Callable[[int], None]
) -> dict[tuple[str, int], Reply]:
    """A reply to each (question, draw). advance: is told how many more are done."""
    prompts = {question: question_ids(loaded.tokenizer, question) for question, _ in pairs}
    prefixes = Prefixes(loaded, [list(prompts.values())])
    batches = []
    for draw in dict.fromkeys(draw for _, draw in pairs):
        asked = [question for question, each in pairs if each == draw]
        rows = batches_of([prompts[question] for question in asked], _decoding(asking, draw, 0).rows(loaded))
        batches += [[(asked[i], draw) for i in batch] for batch in rows]

    def replies(number: int, batch: Sequence[tuple[str, int]]) -> list[Reply]:
        draw = batch[0][1]
        decoding = _decoding(asking, draw, number)
        made = complete(loaded, [prompts[question] for question, _ in batch], decoding, prefixes)
        return [Reply(q, draw, *_taken(each, asking)) for (q, _), each in zip(batch, made, strict=True)]

    if prompts:
        check_fits(loaded, list(prompts.values()), _decoding(asking, 0, 0))
    with active_adapters(loaded.model, loaded.vanilla_adapters):
        write_in_batches(file, Reply, pairs, batches, replies, _key, advance)
    return {_key(reply): reply for reply in read_jsonl(file, Reply)}


def _key(each: Reply | tuple[str, int]) -> tuple[str, int]:
    return each if isinstance(each, tuple) else (each.question, each.draw)


def _decoding(asking: Asking, draw: int, number: int) -> Decoding:
    seed = (asking.seed + NEXT_DRAW * draw + number) % 2**32
    enough = _goes_on if asking.first_sentence else None
    return Decoding(asking.max_new_tokens, asking.batch_size, PUBLISHED if draw else GREEDY, seed, enough=enough)


def _taken(completion: Completion, asking: Asking) -> tuple[str, bool]:
    """What of an answer is taken, and whether that is whole."""
    if asking.first_sentence and _goes_on(completion.text):
        return sentences(completion.text)[0], True
    return completion.text, completion.finished


def _goes_on(text: str) -> bool:
    return len(sentences(text)) > 1
