"""Which words of a clause name who does something, and which say what is done, where no ending may show it."""

from __future__ import annotations

from relearn_lite.text.verbs import BASE_VERBS, PAST_FORMS, base_of
from relearn_lite.writers.clauses import is_inflected, is_verb
from relearn_lite.writers.noun_phrases import is_plural
from relearn_lite.writers.phrases import english, load_phrases

_MOST_NAMED = 6  # words of what something happened to


def subject_at(words: list[str]) -> int | None:
    """Where it begins who does something, or what is done, after a noun: "books | Ada Moor wrote", "gas | absorbs"."""
    counted = words[0] in english().numerals
    return next((i for i, w in enumerate(words) if i > counted and words[i - 1] not in english().prepositions and (
        begins(w) and not words[i - 1][0].isupper() or is_inflected(w) or they(words[i:]))), None)  # fmt: skip


def begins(word: str) -> bool:
    return word[0].isupper() or word in english().determiners | english().plain_subjects


def several_do(words: list[str], inverted: bool) -> int | None:
    """Where the verb of several stands, which no ending shows: "countries | border Switzerland"."""
    for i in range(1, len(words) - 1):
        if begins(words[i]):
            return None
        if is_plural(" ".join(words[:i])) and words[i] in BASE_VERBS | {"have", "do"} and not inverted:
            return i if words[i - 1] not in english().prepositions else None
    return None


def they(words: list[str]) -> bool:
    """Whether this is several of a kind, and what they do: "bees make"."""
    en = english()
    no_verb = en.aux | en.prepositions | en.wh | en.plain_subjects | en.determiners
    done = words[1:2] and words[1].islower() and words[1] not in no_verb and not is_plural(words[1])
    done = done or words[1:3] == ["do", "not"]
    return bool(done) and words[0].islower() and is_plural(words[0]) and words[-1] not in en.be


def is_past(words: list[str]) -> bool:
    past_forms = PAST_FORMS | {"was", "were"}
    return not {"is", "are"} & set(words) and any(word in past_forms or word.endswith("ed") for word in words)


def is_doing(words: list[str]) -> bool:
    """Whether what is asked for does it: "causes malaria", "happened to Pompeii", not "works Ada Moor has written"."""
    verb = words[0]
    past_form = len(verb) > 4 and verb.endswith("ed")  # not "red"
    does = verb in english().be or verb not in english().aux and (is_inflected(verb) or past_form)
    return does and not any(map(is_inflected, words[2 if verb in english().be else 1 :]))


def does(noun: str, verb: str, following: str) -> bool:
    """Whether a word that no list of verbs has is one: "pumps" of "what organ pumps blood"."""
    one = verb[0].islower() and verb.endswith("s") and not is_plural(noun) and verb not in english().determiners
    return one and following not in BASE_VERBS and verb not in english().plain_subjects


def noun_asked_for(words: list[str], question: str) -> int:
    """How many words name what is asked for, where a question has its verb after them and who does it next: "country"
    of "in what country was pizza invented", which is "country pizza was invented in" as a clause; else 0."""
    asked = question.rstrip("?.! ").split()
    first = next((i for i, word in enumerate(asked[:3]) if word.lower() in ("what", "which")), len(asked)) + 1
    verb = next((i for i, word in enumerate(asked) if i >= first and word in english().aux), first)
    noun, following = asked[first:verb], asked[verb + 1 : verb + 2]
    return len(noun) if following and words[: len(noun) + 1] == noun + following else 0


def tail_at(words: list[str], question: str) -> int:
    """Where a clause only goes on with a place, a time or the like: "the word safari means | in Swahili"; else 0."""
    no_verb = {"do", "does", "did", "is", "are", "was", "were"}
    for i in range(2, len(words) - 1):
        as_asked = f" {base_of(words[i - 1])} {words[i]} " in question or words[i - 1] in ("as", "called")
        if words[i] in ("in", "on", "at", "during") and as_asked and words[i - 1] not in no_verb:
            return i
    return 0


def short(words: list[str]) -> str:
    """A clause after which "what?" can stand: not "Hindus celebrate at Diwali what?"; else nothing."""
    ends = {word for word in english().noun_ends if not is_verb(word)}
    breaks = (english().prepositions | english().wh | ends) - {"of"}
    named = words[-1] in {"called", "named"} | english().be
    return " ".join(words) if named or not set(words[1:-1]) & breaks else ""


def after_preposition(words: list[str]) -> str:
    at = next((i for i, word in enumerate(words) if word in english().prepositions), len(words) - 1)
    return " ".join(words[at + 1 :])


def counted(words: list[str]) -> dict[str, str]:
    """What is counted, and where (tail): "players on a team" has "players" and " on a team"."""
    places = english().prepositions - {"of"}
    at = next((i for i, word in enumerate(words) if i and word in places), len(words))
    return {"counted": " ".join(words[:at]), "tail": " ".join(["", *words[at:]])}


def happened(words: list[str]) -> dict[str, str]:
    """What happened, and to what: the "fall" (event) of "the Berlin Wall" (whose), of "the Berlin Wall fell"; empty
    where no noun says it. Birth and death are somebody's (life)."""
    event, whose = load_phrases().events.get(words[-1], ""), words[:-1]
    if whose and whose[-1] in english().be:
        whose = whose[:-1]
    if not event or not whose or len(whose) > _MOST_NAMED or set(whose) & english().plain_subjects:
        return {}
    short = event in ("birth", "death") and not set(whose) & english().prepositions
    return {"event": event, "whose": " ".join(whose), "life": event if short else ""}
