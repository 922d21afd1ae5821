"""Text of unknown origin inside Markdown and LaTeX: shown as it is, never taken for markup. (HTML: jinja2 escapes.)"""

from __future__ import annotations

import re

from relearn_lite.report.untrusted import visible

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}",  # behind a line's end a bare one would begin an option
    "—": "---", "–": "--", "−": "$-$", "↑": r"$\uparrow$",
    "↓": r"$\downarrow$", "→": r"$\rightarrow$", "∞": r"$\infty$",
}  # fmt: skip


def inline(text: str) -> str:
    """Text that Markdown shows as it is: no HTML, links, images, mentions or table cells come out of it."""
    flat = " ".join(visible(text).split())
    return re.sub(r"([\\`*_{}\[\]<>()#!|~$&])", r"\\\1", flat).replace("@", "@\u2060").replace("://", ":\u2060//")


def fenced(text: str, language: str = "text") -> str:
    """A code block that the text cannot close: its fence is longer than any run of backticks in the text."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def latex(text: str) -> str:
    """Text that LaTeX sets as it is, in one line."""
    return "".join(_LATEX.get(character, character) for character in " ".join(visible(text).split()))
