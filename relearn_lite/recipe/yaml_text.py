"""YAML as recipes are written: the core schema of YAML 1.2 on PyYAML's safe loader, with the line of every key.

PyYAML alone reads YAML 1.1, where `1e-5` is text, and `no`, `1:30` and `2024-01-01` are not. Here only numbers, true,
false and null are more than text. (Octal and hexadecimal numbers of the core schema are left as text too: a recipe has
no use for them, and a commit or a name may look like one.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

MOST_VALUES = 100_000  # a recipe has some hundred; aliases of aliases could unfold to more than memory holds
PREFIX = "tag:yaml.org,2002:"
READ = {  # tag -> how its text is read; every other tag is refused
    "null": lambda text: None,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "int": int,
    "float": lambda text: float(re.sub(r"\.(inf|nan)$", r"\1", text.lower())),
    "str": str,
    "merge": str,  # << as a value is nothing special
}
PLAIN = {  # tag -> text without quotes that has it, and the characters that such text may begin with
    "null": (r"~|null|Null|NULL|", "~nN"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+", "-+0123456789"),
    "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
              "-+.0123456789"),
    "merge": (r"<<", "<"),
}  # fmt: skip

_BACKSLASH = "a backslash means something else in double quotes; use single quotes, or / in a path"
WORDS = {  # how PyYAML's words for common mistakes begin -> what to do
    "found character '\\t'": "a tab stands here; indent with spaces",
    "mapping values are not allowed": "no key can stand here; put a space behind ':' after each key, and the keys of a "
    "section in the same column",
    "expected <block end>, but found '<block mapping start>'": "this stands further to the right than the keys before; "
    "put the keys of a section in the same column",
    "but found another document": "a second document begins here; give one",
    "found unknown escape character": _BACKSLASH,
    "expected escape sequence of": _BACKSLASH,
    "found character": "no text without quotes begins with this character; put it in quotes",
    "expected alphabetic or numeric character": "a text that begins with * or & stands in quotes; put it in quotes",
    "expected ',' or": "a bracket or a comma is missing, or a # begins a comment; add it, or put the text in quotes",
    "expected <block end>, but found '<scalar>'": "something stands behind the end of a text in quotes; write '' for a "
    "' in single quotes",
    "sequence entries are not allowed": "no list can begin here; put it on lines of its own, or write [a, b]",
    "found unexpected end of stream": "a quote that was opened before is not closed; close it",
}

Place = tuple[str | int, ...]  # keys and list indices that lead to a value


class NotYaml(Exception):
    """Text that cannot be read. problems: (line or line:column, sentence) of each."""

    def __init__(self, problems: list[tuple[str, str]]):
        super().__init__(*problems)
        self.problems = problems


def parse(text: str) -> tuple[Any, dict[Place, int]]:
    """The value that YAML text holds, and the line, counted from 1, of every key and list item in it.

    Keys are text. Anchors, aliases and merge keys (<<) work; a key given twice or with nothing behind it, tags other
    than those of the core schema, and aliases that unfold to very many values are refused. Raises NotYaml.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
        reading = _Reading()
        value = None if node is None else reading.value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml([(f"{mark.line + 1}:{mark.column + 1}", _not_readable(error.problem))]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise NotYaml([(str(line), _not_readable(str(error)))]) from None
    except RecursionError:
        raise NotYaml([("1", _not_readable("it is nested too deep"))]) from None
    if reading.problems:
        raise NotYaml([(str(line), problem) for (line, _), problem in sorted(reading.problems.items())])
    return value, reading.lines


def comment_in(text: str) -> str:
    """The comment behind a value, from its # on; empty where there is none. The text is one that `parse` reads."""
    node = yaml.compose(text, Loader=_Loader)
    rest = text[node.end_mark.index :] if node else text
    return rest[rest.index("#") :] if "#" in rest else ""


def dump(value: Any) -> str:
    """YAML text of plain values that `parse` reads back exactly, and a reader of YAML 1.1 too."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # PyYAML takes these for line ends, and would read them back as \n if they were not escaped. A key that begins
        # with a space of another kind is refused where it has no quotes.
        quoted = re.search("[\x85\u2028\u2029]", data) or data != data.strip()
        return self.represent_scalar(f"{PREFIX}str", data, style='"' if quoted else None)


_Dumper.add_representer(str, _Dumper.represent_str)
for _tag, (_pattern, _first) in PLAIN.items():
    for _class in (_Loader, _Dumper):  # the latter knows YAML 1.1 too: it quotes text that is no text in either version
        _class.add_implicit_resolver(PREFIX + _tag, re.compile(rf"(?:{_pattern})\Z"), [*_first, ""])


@dataclass
class _Reading:
    """Turns nodes into values. problems: sentences by the line and column of what they are about."""

    lines: dict[Place, int] = field(default_factory=dict)
    problems: dict[tuple[int, int], str] = field(default_factory=dict)
    values: int = 0

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.values += 1
        if self.values > MOST_VALUES:
            raise yaml.MarkedYAMLError(
                problem=f"its aliases unfold to more than {MOST_VALUES} values", problem_mark=node.start_mark
            )
        tag = node.tag.removeprefix(PREFIX)
        if tag == "null" and not node.value:  # as of a section whose keys are all commented out
            return self._problem(node, place, f"nothing stands behind it; {_to_do(*map(str, place[-1:]))}")
        if isinstance(node, yaml.MappingNode) and tag == "map":
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode) and tag == "seq":
            return [self._item(item, (*place, number)) for number, item in enumerate(node.value)]
        if tag not in READ or not isinstance(node, yaml.ScalarNode):
            name = node.tag.replace(PREFIX, "!!")
            return self._problem(node, place, f"the tag {name} cannot be used here; remove it")
        try:
            return READ[tag](node.value)
        except (KeyError, ValueError):  # a tag that does not fit its value; more digits than Python reads
            return self._problem(node, place, f"{node.value[:40]!r} cannot be read as {tag}")

    def _item(self, node: yaml.Node, place: Place) -> Any:
        self.lines[place] = node.start_mark.line + 1
        return self.value(node, place)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, yaml.Node] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = key_node.value, key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(key_node, place, "a key must be a word, and this is a list or a section")
            elif key_node.style is None and key != key.strip():  # YAML knows plain spaces and tabs alone
                self._problem(key_node, place, f"{key!r} has a space of another kind in front, as text of web pages "
                              "has; put plain ones there")  # fmt: skip
            elif key in first:
                self._problem(key_node, (*place, key), f"given twice, first on line {first[key]}; remove one")
            else:
                first[key] = line
                if key_node.tag == f"{PREFIX}merge":
                    merged = self._merged(value_node, place)
                else:
                    own[key] = value_node
        for key, value_node in own.items():
            merged[key] = self.value(value_node, (*place, key))
            self.lines[(*place, key)] = first[key]
        return merged

    def _merged(self, node: yaml.Node, place: Place) -> dict[str, Any]:
        """What `<<` adds: the keys of a section or of several, of which the first that has a key counts."""
        sections = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for section in reversed(sections):
            if isinstance(section, yaml.MappingNode):
                merged |= self.value(section, place)  # counted, as every value is
            else:
                self._problem(section, (*place, "<<"), "needs a section with keys, such as *anchor")
        return merged

    def _problem(self, node: yaml.Node, place: Place, sentence: str) -> None:
        mark, key = node.start_mark, ".".join(map(str, place))
        self.problems.setdefault((mark.line + 1, mark.column + 1), f"{key}: {sentence}" if key else sentence)


def _to_do(key: str = "") -> str:
    """What to do where nothing stands behind a key."""
    if ":" in key:
        return f"put a space behind the ':', as in {key.replace(':', ': ', 1)}"
    return "give a value, null, or {} for the defaults, or indent the keys that belong to it"


def _not_readable(reason: str) -> str:
    told = next((ours for theirs, ours in WORDS.items() if (reason or "").startswith(theirs)), reason)
    return f"this is not YAML that can be read: {(told or 'unknown reason').splitlines()[0]}"
