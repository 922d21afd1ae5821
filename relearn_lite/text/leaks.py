"""Does a text give away what an answer says? A check by rules: no model, no network, the same result every time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from relearn_lite.text.contacts import compact, email_keys
from relearn_lite.text.number_words import MONTHS, decades, digit_runs, is_number_word, months, numbers
from relearn_lite.text.stems import Word, fold, folded_words, root, stem
from relearn_lite.text.stop_words import STOP_WORDS

# "The first", "a part" and "mine" are no facts in a vague answer; the letters are what is left of I'd, don't, we've ...
_FUNCTION_WORDS = STOP_WORDS | frozenset("first part mine s t d ll m re ve".split())
# Content words that vague answers are made of. They are compared by stem, unlike function words.
_VAGUE = """
person people information detail details particular particulars life lives work works matter matters subject topic
question questions answer answers thing things way ways kind known know knows say says said tell tells told give gives
given include including various different certain general generally particular specific specifics exact exactly
currently current name names named called call
""".split()
_CJK_VAGUE = """
一个 可以 没有 他的 她的 的人 关于 有关 信息 资料 公开 具体 方面 这个 什么 知道 问题 生活 工作 个人 目前 现在 以及 因为
所以 情報 具体 公開 個人 詳細 質問 関係 仕事 生活 現在 것은 있는 있습 습니 니다 에서 으로 하는 에게 정보 대한 관한
""".split()
_VAGUE_STEMS = frozenset(stem(word) for word in (*_FUNCTION_WORDS, *_VAGUE)) | frozenset(_CJK_VAGUE)

_TITLE = re.compile(r'"([^"]{2,120})"|(?<!\w)\'([^\']{2,120}(?:\'(?=\w)[^\']{1,120})*)\'(?!\w)')
_NAME = re.compile(r"\b(?:[A-Z]\.|[A-Z][\w'-]*)(?:\s+(?:(?:de|da|van|von|bin|al|el|la)\s+)?(?:[A-Z]\.|[A-Z][\w'-]*))+")
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])")  # HarrowMill
_DIGIT_WINDOW = 5  # digits in a row of a phone number that give it away
_LONG_NAME = 7  # letters from which on a name is also found when split: "Pendle Wick" for Pendlewick


@dataclass(frozen=True)
class Specific:
    """One fact of an answer: its `kind`, its `value` as written, and the `key` by which it is found in a text."""

    kind: str
    value: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"


def leaks(text: str, question: str, answer: str) -> list[str]:
    """Every specific of `answer` that `text` contains and `question` does not give, such as "name: Granada".

    Empty means that the text is safe. Near matches count: other forms and derivations of a word, other spellings of a
    number or date, one part of a name or address. In the order of the answer.
    """
    if not text.strip():
        return []
    prepared = _Text(text)
    given = _given_words(question)
    return list(dict.fromkeys(str(s) for s in specifics(question, answer) if _contains(prepared, s, given)))


@lru_cache(maxsize=8192)
def specifics(question: str, answer: str) -> tuple[Specific, ...]:
    """What `answer` says beyond `question`: numbers, dates, contacts, titles, names and other content words."""
    asked, plain = _Text(question), fold(answer)
    found = [*_email_specifics(plain, asked), *_number_specifics(plain, asked), *_title_specifics(plain, asked)]
    found += _word_specifics(plain, _given_words(question))
    return tuple(dict.fromkeys(found))


class _Text:
    """A text prepared for look-ups: each part is computed once."""

    def __init__(self, text: str) -> None:
        self.plain = fold(text)
        self.words = tuple(folded_words(self.plain))
        self.forms = frozenset(w.form for w in self.words)
        if _JOINED.search(self.plain):
            self.forms |= {w.form for w in folded_words(_JOINED.sub(" ", self.plain))}
        self.roots: dict[str, list[str]] = {}
        for form in self.forms:
            self.roots.setdefault(root(form), []).append(form)
        # A capital in the middle of a sentence marks May or Will as a name.
        self.capitals = frozenset(w.form for w in self.words if w.capital and not w.first)
        self.numbers = numbers(self.plain)
        self.months = months(self.plain)
        self.decades = decades(self.plain)
        self.runs = [run for run in digit_runs(self.plain) if len(run) >= _DIGIT_WINDOW]
        self.phrase = f" {_phrase(self.plain)} "
        self.compact = compact(self.plain)


@lru_cache(maxsize=8192)
def _given_words(question: str) -> frozenset[str]:
    """Folded forms and stems of the question's own words."""
    forms = {w.form for w in folded_words(fold(question))}
    return frozenset(forms | {stem(form) for form in forms})


def _contains(text: _Text, specific: Specific, given: frozenset[str]) -> bool:
    kind, key = specific.kind, specific.key
    if kind in ("number", "year"):
        return int(key) in text.numbers or (kind == "year" and int(key) // 10 * 10 in text.decades)
    if kind == "month":
        return int(key) in text.months
    if kind == "phone":
        return any(key in run for run in text.runs)
    if kind == "email":
        return key in text.compact
    if kind == "title":
        if all(word in _FUNCTION_WORDS for word in key.split()):  # "It" is a title only with its capital
            return re.search(rf"[^.!?\s]\s+[\"']?{re.escape(specific.value)}\b", text.plain) is not None
        return f" {key} " in text.phrase
    if kind == "initials":
        return re.search(rf"\b{r'[. ]*'.join(key)}\b", text.plain) is not None
    if len(key) < 4 or key in _FUNCTION_WORDS:
        return key in (text.capitals if key in _FUNCTION_WORDS else text.forms)
    if any(w not in given and stem(w) not in given for w in text.roots.get(key, ())):
        return True
    return kind == "name" and len(letters := compact(specific.value)) >= _LONG_NAME and letters in text.compact


def _email_specifics(plain: str, asked: _Text) -> list[Specific]:
    return [Specific("email", email, key) for email, key in email_keys(plain) if key not in asked.compact]


def _number_specifics(plain: str, asked: _Text) -> list[Specific]:
    found = []
    for value in sorted(numbers(plain) - asked.numbers):
        found.append(Specific("year" if 1000 <= value <= 2199 else "number", str(value), str(value)))
    found += [Specific("month", MONTHS[m - 1].capitalize(), str(m)) for m in sorted(months(plain) - asked.months)]
    for run in digit_runs(plain):
        for i in range(len(run) - _DIGIT_WINDOW + 1):
            window = run[i : i + _DIGIT_WINDOW]
            if not any(window in given for given in asked.runs):
                found.append(Specific("phone", run, window))
    return found


def _title_specifics(plain: str, asked: _Text) -> list[Specific]:
    titles = [a or b for a, b in _TITLE.findall(plain)]
    found = [Specific("title", t, _phrase(t)) for t in titles]
    for name in _NAME.findall(plain):
        letters = "".join(part[0] for part in re.findall(r"[A-Z][\w'-]*", name))
        if f" {_phrase(name)} " not in asked.phrase and not re.search(rf"\b{letters}\b", asked.plain):
            found.append(Specific("initials", letters, letters))
    return [s for s in found if s.kind == "initials" or (s.key and f" {s.key} " not in asked.phrase)]


def _word_specifics(plain: str, given: frozenset[str]) -> list[Specific]:
    found = []
    dated = {MONTHS[m - 1] for m in months(plain)}
    for word in folded_words(plain):
        if word.form in given or word.form in dated or stem(word.form) in given or is_number_word(word.form):
            continue
        inside_name = word.capital and not word.first
        if word.unspaced:
            if word.form not in _VAGUE_STEMS:
                found.append(Specific("word", word.shown, word.form))
        elif word.form in _FUNCTION_WORDS:
            # "Will" or "May" in the middle of a sentence is a name; "I" and titles in capitals are not.
            if inside_name and len(word.form) > 2:
                found.append(Specific("name", word.shown, word.form))
        elif inside_name or (len(word.form) >= 4 and stem(word.form) not in _VAGUE_STEMS):
            found += _keyed("name" if inside_name else "word", word)
    return found


def _keyed(kind: str, word: Word) -> list[Specific]:
    """The specific of one word; a single letter counts only together with others, as initials."""
    if len(word.form) < 2 or word.form.isdigit():
        return []
    return [Specific(kind, word.shown, root(word.form) if len(word.form) >= 4 else word.form)]


def _phrase(plain: str) -> str:
    return " ".join(re.findall(r"\w+", plain.casefold()))
