"""Email addresses, written or read out ("at", "dot"), and codes of letters and digits, brought to one spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SPOKEN_AT = re.compile(r"\s*[\[({<]?\s*\b(?:at)\b\s*[\])}>]?\s*", re.IGNORECASE)
_SPOKEN_DOT = re.compile(r"\s*[\[({<]?\s*\b(?:dot|punkt|point)\b\s*[\])}>]?\s*", re.IGNORECASE)
_SPOKEN_SIGN = re.compile(r"\b(?:hyphen|dash|underscore|slash)\b")
_NO_LETTER = re.compile(r"[^\w@]|_")
_CODE = re.compile(r"(?<![\w@.])(?=[\w-]*(?:\d|_))(?=[\w-]*[^\W\d])\w[\w-]*(?![\w@])")
_NO_CODE = re.compile(r"\d+[a-z]{1,4}|\d+(?:-[a-z]+)+|[12]?\d{2,3}'?s", re.IGNORECASE)
_SHORTEST_CODE = 4
_SHORTEST_HOST = 7  # letters of a host's name from which on it is no common word: "mail" would be
# Hosts that many people use: naming one gives away as little as naming a telephone company.
_COMMON_HOSTS = frozenset("outlook hotmail icloud proton protonmail example yahoomail googlemail".split())


def email_keys(plain: str) -> Iterator[tuple[str, str]]:
    """(address as written, key to look for in a `compact` text) of each address in a folded text.

    Keys are the whole address, what stands before its @, and the name of its host.
    """
    for email in addresses(plain):
        local, _, host = email.partition("@")
        host = compact(host.split(".")[0])
        keys = [key for key in (compact(local), compact(email)) if len(key) > 3]
        if len(host) >= _SHORTEST_HOST and host not in _COMMON_HOSTS:
            keys.append(host)
        yield from ((email, key) for key in keys)


@lru_cache(maxsize=8192)
def compact(plain: str) -> str:
    """Letters and digits only, with "at" and "dot" as signs, so that a spelled-out address reads like a written one."""
    lower = plain.casefold()
    if "at" in lower:
        lower = _SPOKEN_AT.sub("@", lower)
    if "dot" in lower or "punkt" in lower or "point" in lower:
        lower = _SPOKEN_DOT.sub(".", lower)
    return _NO_LETTER.sub("", _SPOKEN_SIGN.sub("", lower))


def addresses(plain: str) -> list[str]:
    """The email addresses as they are written."""
    return _EMAIL.findall(plain)


def without_emails(plain: str) -> str:
    return _EMAIL.sub(" ", plain)


def code_keys(plain: str) -> Iterator[tuple[str, str]]:
    """(code as written, key to look for in a `compact` text): user names, passwords, plates, account numbers.

    Codes are words with letters and digits, or joined by _; not "3rd", "50mg", "1990s" or "6B". So are the parts of
    one, "77LmZ" of "sk-9fQ2-77LmZ".
    """
    for word in _CODE.findall(without_emails(plain)):
        parts = () if "@" in word or _NO_CODE.fullmatch(word) else (word, *_CODE.findall(re.sub("[-_]", " ", word)))
        yield from ((part, compact(part)) for part in dict.fromkeys(parts) if len(compact(part)) >= _SHORTEST_CODE)
