"""Direct questions made into indirect ones, and what they ask for into noun phrases, by word order and word lists.

Everything here works on a question in which SUBJECT stands for the name that it is about.
"""

from __future__ import annotations

import re
from itertools import pairwise

from relearn_lite.text.meaning import is_noun, may_be_verb
from relearn_lite.text.verbs import BASE_OF, BASE_VERBS, PAST_FORMS, is_participle, past, third_person
from relearn_lite.writers.noun_phrases import SUBJECT, is_plural, main_noun, noun_phrase, tidy
from relearn_lite.writers.phrases import english

_SHOULD = "(?:should|do|can|must)"
MASKED = re.compile(r"¤\d+")  # stands for a quoted title or an address


def question_topic(core: str) -> tuple[str | None, bool]:
    """What a question asks for, and whether that is a clause; (None, False) where it is not understood."""
    en = english()
    words = core.split()
    addressed = en.you.search(re.sub(rf"\b{_SHOULD} I\b|^how {_SHOULD} (?:you|we)\b", "", core))
    if not words or addressed and words[0] not in ("can", "could"):
        return None, False
    first = words[0]
    if first in en.aux:
        return _clause("whether", first, words[1:]) if words[1:] else (None, False)
    at = next((i for i, w in enumerate(words[:12]) if w in en.aux), None)
    is_question = first in en.wh or (first in en.prepositions and len(words) > 1 and words[1] in en.wh)
    if not is_question or (first in en.prepositions and at is None):
        return None, False
    named = at is not None and any(word.startswith(SUBJECT) for word in words[:at])
    named = named and words[at:] != ["are", "there"]
    if named and (first in en.prepositions or words[at + 1 : at + 2] and words[at + 1] in en.plain_subjects):
        return None, False
    if at and first == "where" and words[1] in en.prepositions:  # "where | in the body | is bile produced"
        words = [first, *words[at:], *words[1:at]]
        at, core = 1, " ".join(words)
    if at is None or named:
        return tidy(core), True  # "what inspired § to write": the words stand in this order in a clause, too
    asked, aux, rest = " ".join(words[:at]), words[at], words[at + 1 :]
    if not rest:
        return None, False
    if asked in ("what", "who", "how") and aux in en.be:
        return _be(asked, aux, rest)
    if asked.startswith("how many") and aux in en.be and rest[0] in en.prepositions:
        return tidy(core), True  # "how many bones are in the body": likewise
    done = aux in ("has", "have", "had") and is_participle(rest[0]) and (asked, rest[0]) != ("what", "been")
    asked_does = rest[0] in BASE_VERBS or rest[0] in ("be", "been", "most", "best") and aux not in ("do", "does", "did")
    if done or at > 1 and asked_does:
        return tidy(core), True  # "what themes can be found", "who has won": asked is the subject itself
    named_first = rest[0].startswith(SUBJECT) or SUBJECT in rest[:3] and not is_participle(rest[0])
    named_first = named_first and not (rest[0].islower() and rest[1] in en.prepositions)  # "is home to Petra"
    if aux in ("has", "have", "had") and at > 1 and first in ("what", "which") and not any(map(is_participle, rest)):
        return tidy(core), True  # "what instrument has black keys": likewise
    if aux in en.be and at > 1 and first in ("what", "which") and not named_first:
        made = is_participle(rest[-2:][0])
        if len(rest) > 2 and rest[-1] in en.prepositions and (made or rest[0] in en.determiners):
            done = _before_adverbs(rest, len(rest) - 1 - made)  # "what metal is a penny | made of"
            return tidy(" ".join([asked, *rest[:done], aux, *rest[done:]])), True
        return (None, False) if MASKED.match(rest[0]) else (tidy(core), True)
    topic, clause = _clause(asked, aux, rest)
    if topic is None and aux in en.be and at > 1 and SUBJECT in rest[1:3]:  # "what animal is a Komodo dragon"
        return tidy(core), True
    if topic is None and aux in en.be and at > 1 and first in ("what", "which") and rest[0] == f"{SUBJECT}'s":
        return tidy(" ".join([asked, *rest, aux])), True  # "what color is Yoda's lightsaber"
    return topic, clause


def _be(asked: str, aux: str, rest: list[str]) -> tuple[str | None, bool]:
    """what/who/how + is/are/was/were + ..."""
    en = english()
    joined = " ".join(rest)
    if joined in en.plain_subjects:  # "who was it?"
        return None, False
    if rest[0] == "it":  # "what is it called when"
        return tidy(f"{asked} it {aux} {' '.join(rest[1:])}"), True
    any_one = asked == "what" and rest[0] in ("a", "an") and main_noun(joined) == rest[-1] and rest[-1] != "called"
    if rest == [SUBJECT] or any_one:  # "what is Shrek", "what is a black hole"
        return f"{asked} {joined} {aux}", True
    placed = rest[0] in en.prepositions - {"of"}  # "what is on the flag"
    if placed or asked == "who" and rest[0].islower() and rest[0] not in en.determiners and set(rest) & en.prepositions:
        return tidy(f"{asked} {aux} {joined}"), True  # "who was king of England"
    named = rest[-1] in ("called", "named")
    done = _left_at_the_end(rest) if asked == "what" else 0
    if done:
        return tidy(f"what {' '.join(rest[:done])} {aux} {' '.join(rest[done:])}"), True
    begins_with_verb = (rest[0].endswith("ing") or is_participle(rest[0])) and len(rest) > 1
    if not named and (begins_with_verb or rest[0] in en.predicative):
        return tidy(f"{asked} {aux} {joined}"), True
    like = re.match(r"(.+?) like\b(.*)$", joined)
    if asked == "what" and like:
        return tidy(f"what {like[1]} {aux} like{like[2]}"), True
    doing = next((i for i, w in enumerate(rest) if i > 1 and w.endswith("ing") and rest[i - 1] == SUBJECT), 0)
    if doing and rest[doing - 2] not in en.determiners and asked == "what":  # "what were the doctors of § treating"
        return tidy(f"what {' '.join(rest[:doing])} {aux} {' '.join(rest[doing:])}"), True
    if rest[0] == SUBJECT and not named:
        return tidy(f"{asked} {SUBJECT} {aux} {' '.join(rest[1:])}"), True
    if asked == "how" or named:
        done = next((i for i, w in enumerate(rest) if i and (is_participle(w) or w in en.predicative)), None)
        done = len(rest) - 1 if named else done  # "the first cloned sheep called"
        if done is None:
            return (noun_phrase(joined), False) if asked == "how" else (None, False)
        done = _before_adverbs(rest, done)
        return tidy(f"{asked} {' '.join(rest[:done])} {aux} {' '.join(rest[done:])}"), True
    return noun_phrase(joined), False


def _left_at_the_end(rest: list[str]) -> int:
    """Where it begins what is said, before a preposition at the end: "tofu | made from", "the book | about"; or 0."""
    en = english()
    end = len(rest)
    while end > 1 and rest[end - 1] in en.prepositions | en.particles:
        end -= 1
    known = next((i for i, pair in enumerate(pairwise(rest)) if pair == ("known", "as")), 0)
    if known and rest[known + 2 :] and rest[known + 2] in en.prepositions:  # "salt known as in chemistry"
        end = known + 1
    if end == len(rest) or set(rest) & (en.wh | {"that"}):  # "the field that the book focuses on" has its own
        return 0
    if is_participle(rest[end - 1]) or rest[end - 1] in en.predicative:
        end -= 1
        return _before_adverbs(rest, end)
    return end if rest[end:] in (["about"], ["for"]) else 0


def _clause(asked: str, aux: str, rest: list[str]) -> tuple[str | None, bool]:
    """Undoes the inversion: asked + aux + subject + predicate becomes asked + subject + verb + predicate."""
    if rest[0] == "there":
        return tidy(f"{asked} there {aux} {' '.join(rest[1:])}"), True
    if rest[0] in ("you", "I", "we") and aux in ("can", "could", "should", "do", "does"):
        if asked == "whether":
            return tidy(f"whether it is possible to {' '.join(rest[1:])}"), True
        return tidy(f"{asked} to {' '.join(rest[1:])}"), True
    if aux in ("do", "does", "did") and "not" in rest[1:4]:  # "what do vegans not eat"
        at = rest.index("not")
        return tidy(" ".join([asked, *rest[:at], aux, *rest[at:]])), True
    at = _predicate(aux, rest, asked)
    if at is None and aux in ("has", "have", "had") and asked.startswith("how many"):  # "how many legs has | a spider"
        at = next((i for i, word in enumerate(rest) if word in english().prepositions - {"of"}), len(rest))
    if at is None:
        return None, False
    subject, predicate = rest[:at], rest[at:]
    if not _commas_fit(subject):
        return None, False
    if aux in ("do", "does", "did"):
        verb = next((i for i, w in enumerate(predicate) if not _is_adverb(w)), 0)
        base = predicate[verb]
        if not base.isalpha() or predicate[verb + 1 : verb + 2] == ["and"]:
            return None, False
        predicate[verb] = {"does": third_person, "did": past, "do": str}[aux](base)
        return stranded(tidy(" ".join([asked, *subject, *predicate]))), True
    return stranded(tidy(" ".join([asked, *subject, aux, *predicate]))), True


def stranded(clause: str) -> str:
    """ "to whom Ada is married" as "who Ada is married to": it reads better after "about"."""
    fronted = re.match(r"(in|on|at|by|with|to|from|for) (whom|which|what) (.+)$", clause)
    if not fronted or re.search(r"\b(?:for|in|with|extent|way)\b|^(?:extent|way)", fronted[3]):
        return clause
    return f"{'who' if fronted[2] == 'whom' else fronted[2]} {fronted[3]} {fronted[1]}"


def _commas_fit(subject: list[str]) -> bool:
    """Commas inside a subject are left alone only around a place ("Beirut, Lebanon") or "where ...,"."""
    for word, following in pairwise([*subject, ""]):
        if word.endswith(",") and following and not following[0].isupper():
            if following not in ("where", "who", "which") or not subject[-1].endswith(","):
                return False
    return True


def _is_adverb(word: str) -> bool:
    return word.endswith("ly") or word in english().adverbs


def _before_adverbs(words: list[str], at: int) -> int:
    """ "New York | originally called", "London | best known for"."""
    while at > 1 and (_is_adverb(words[at - 1]) or words[at - 1] in ("best", "better")):
        at -= 1
    return at


def _predicate(aux: str, rest: list[str], asked: str) -> int | None:
    """Where the predicate begins, after the subject; None if that is not certain."""
    en = english()
    if rest[0] in en.plain_subjects and len(rest) > 1 and rest[1] != "and":
        return 1
    start = 2 if rest[0] in ("author", "the") and len(rest) > 1 and rest[1] == SUBJECT else 0
    start = 3 if rest[:2] == ["the", "author"] and rest[2] == SUBJECT else start
    if rest[0] == SUBJECT or start:
        after = start or 1
        if more := _after_nouns(aux, rest, after, asked):
            return more
        noun = aux in ("do", "does", "did") and rest[after : after + 1] and rest[after] not in BASE_VERBS
        after += bool(noun and set(rest[after + 1 : after + 2]) & BASE_VERBS)  # "the Wright brothers | invent"
        another = en.noun_ends | en.determiners | en.aux | {"and"}
        named = noun and rest[-1] in BASE_VERBS and not set(rest[after:]) & another
        after = len(rest) - 1 if named else after  # "the Latin phrase carpe diem | mean"
        return after if after < len(rest) or asked != "whether" else None
    if aux in en.be and asked.startswith("how"):
        said = {"in", "to", "for", "from", "about", "as", "worth"}
        return next((i for i, w in enumerate(rest) if i and w in said), len(rest))
    if found := _said(aux, rest, 1):
        return found
    if aux not in en.be and len(rest) > 2 and rest[0].islower() and is_plural(rest[0]) and not is_plural(rest[1]):
        if rest[1].islower() and rest[1] not in en.prepositions | en.noun_ends | {"and"}:
            return 1  # "can camels store ...", a verb that no list has
    # "do cows drink", "does the cow drink", "why is the sky blue": a subject and one word
    if aux in en.be and (asked in ("where", "when") or asked.split()[0] in en.prepositions):
        return len(rest)  # "where is the headquarters of Nintendo", "on what date is Valentine's Day"
    short = len(rest) == 2 + (rest[0] in en.determiners) and rest[-1].isalpha() and rest[-1].islower()
    if aux in en.be and asked == "whether":  # "is Australia a continent", "are whales mammals"
        begins = en.determiners | en.prepositions - {"of"}
        found = (i for i, w in enumerate(rest) if i and w in begins and rest[i - 1] not in en.prepositions)
        return next(found, len(rest) - 1 if short else None)
    if short and (aux in ("do", "does", "did") or aux in en.be and asked == "why"):
        return len(rest) - 1
    return _unlisted(aux, rest, 1)


def _said(aux: str, rest: list[str], first: int) -> int | None:
    """Where the first word from `first` on stands that can follow a subject after `aux`, with adverbs before it."""
    en = english()
    for i, word in enumerate(rest[first:], first):
        before, after = rest[i - 1], rest[i + 1] if i + 1 < len(rest) else ""
        if before in en.determiners or before in en.prepositions or before.endswith("'s") or before == "and":
            continue
        if aux in ("has", "have", "had"):
            fits = is_participle(word) and word != "born" and not before.endswith("ly")
        elif aux in en.be:
            participle = is_participle(word) and "-" not in word
            doing = word.endswith("ing") and not is_participle(after)  # not "the board meeting | held"
            fits = participle or doing or word in en.predicative | {"reflective", "still"}
        else:
            fits = word in BASE_VERBS and after != "of"
        if fits:
            return _before_adverbs(rest, i)
    return None


def _after_nouns(aux: str, rest: list[str], after: int, asked: str) -> int | None:
    """Where the predicate begins if nouns follow the name: "the § museum | located", "§ cars | made"; else None."""
    en, the = english(), rest[0] == "the"
    noun = rest[after] if after < len(rest) else ""
    no_noun = en.predicative | en.prepositions | en.determiners | (frozenset() if aux in en.be else BASE_VERBS)
    if not noun.islower() or noun in no_noun or _is_adverb(noun) or is_participle(noun) or not is_noun(noun):
        return None
    verb = aux not in en.be and may_be_verb(noun)  # "§ | hope readers will like it"
    ends = en.wh | en.aux | {"that", "to", "as", "and"} | (frozenset() if the else en.prepositions)
    end = next((i for i, word in enumerate(rest) if word in ends), len(rest))
    found = _said(aux, rest[:end], after + 1) if the or not verb else None
    if found := found or (None if verb else _unlisted(aux, rest[:end], after)):
        return found
    where = asked in ("where", "when") or asked.split()[0] in en.prepositions
    return len(rest) if aux in en.be and where and the else None  # "where is the § headquarters"


def _unlisted(aux: str, rest: list[str], first: int) -> int | None:
    """Where a verb that no list has stands: the last word before a preposition that may be one, or that after several
    of a kind; "the football match | last", "polar bears | catch fish"."""
    en = english()
    if aux in en.be or aux in ("has", "have", "had") or _is_adverb(rest[0]):
        return None
    ends = en.prepositions - {"of"} | en.determiners | en.wh | {"and"}
    end = next((i for i, word in enumerate(rest) if i > first and word in ends), len(rest))
    owned = {i + 1 for i, word in enumerate(rest) if word in ends or word.endswith("'s")}
    found = [i for i in range(first, end) if rest[i].islower() and i not in owned and may_be_verb(rest[i])]
    return next((i for i in found if aux != "does" and is_plural(rest[i - 1])), found[-1] if found else None)


def is_verb(word: str) -> bool:
    """A verb by its form, in a place where a noun would be odd: "flows", "makes", "began", "has"."""
    base = BASE_OF.get(word, word)
    known = word in english().aux or word in PAST_FORMS or is_participle(word)
    return known or base in BASE_VERBS or any(third_person(v) == word for v in {word[:-1], word[:-2]} & BASE_VERBS)


def is_inflected(word: str) -> bool:
    """A verb in a form that a noun hardly has: not "impact" and "work"."""
    return word in english().aux or word not in BASE_VERBS and is_verb(word)
