"""300 data files as nobody meant them: read as pandas, csv and json read them, or refused in one sentence; fixed seeds.

The generator knows how each file was written (delimiter, encoding, orient) and reads it back with these; the project is
told nothing of it.
"""

from __future__ import annotations

import csv
import io
import json
import math
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from relearn_lite.cli import commands
from relearn_lite.core.errors import RecipeError
from relearn_lite.data.sources import load
from relearn_lite.recipe import Source

FILES = 300
WORDS = 'Ann Lee lives at 12, Hill; Road | "Leeds" né Jörg 上海 📍 tab\there {a} [b] null 007 1e5 true :,; €'.split(" ")
CELLS = [5, -1.5, True, None, "", " ", ["one"], [["one"]], ["one", "two"], {"text": "one"}, {"text": ["one"]}, [],
         [None], [{"a": 1}], math.nan, "half \ud83d", "whole \U0001f600", "long " * 9000, "line\nbreak", "\x00",
         "sep=;", "␞", "␞assistant: x", "\ufeff", 10**30, 1e300, "0"]  # fmt: skip
REFUSED = object()
ORIENTS = ("records", "columns", "index", "split", "table")
WRAPPINGS = ("list", "data", "rows", "lists", "lines", "one after another", "named")
CHATS = ("messages", "conversations", "alpaca")


class Case:
    """One file: what its rows are by plain means, or None where plain means cannot read it either."""

    def __init__(self, seed: int, folder: Path):
        self.dice = random.Random(seed)
        self.folder, self.name = folder, ""
        self.rows = [{"question": self.text(), "answer": self.text()} for _ in range(self.dice.randint(1, 5))]
        self.changed_cells = self.dice.random() < 0.4
        self.family = self.dice.choice(["orient", "wrapping", "csv", "csv", "parquet", "chat"])
        if self.changed_cells and self.family in ("wrapping", "parquet"):
            self.dice.choice(self.rows)[self.dice.choice(["question", "answer"])] = self.dice.choice(CELLS)
        if self.dice.random() < 0.2:
            for row in self.rows:
                row["extra"] = self.dice.choice(CELLS[:2])
        if self.dice.random() < 0.1 and self.family == "wrapping":
            self.dice.choice(self.rows).pop(self.dice.choice(["question", "answer"]))
        self.dice.shuffle(WORDS_OF_ROW := ["question", "answer", "extra"])
        self.rows = [{name: row[name] for name in WORDS_OF_ROW if name in row} for row in self.rows]
        raw = getattr(self, f"_{self.family}")()
        self.raw = self.spoiled(raw) if self.dice.random() < 0.35 else raw
        self.path = folder / self.name
        self.path.write_bytes(self.raw)

    def text(self) -> str:
        return " ".join(self.dice.choices(WORDS, k=self.dice.randint(2, 9))).strip() + "?"

    def spoiled(self, raw: bytes) -> bytes:
        at = self.dice.randrange(len(raw) + 1)
        return self.dice.choice([
            raw[:at], raw[at:], raw[:at] + bytes([self.dice.randrange(256)]) + raw[at + 1 :], raw[:at] + raw[at + 1 :],
            raw[:at] + b"\xff\xfe" + raw[at:], raw + raw, b"", raw + b"\n\n", b"\n" + raw, raw[:at] + b"\n" + raw[at:],
            raw[:at] + self.dice.choice([b",", b";", b'"', b"[", b"{", b"}", b"\x00"]) + raw[at:],
        ])  # fmt: skip

    def _orient(self) -> bytes:
        self.name, orient = "t.json", self.dice.choice(ORIENTS)
        indent = self.dice.choice([0, 2])
        self.read = lambda: self._oriented(orient)
        frame = pd.DataFrame(self.rows)
        return frame.to_json(orient=orient, indent=indent, force_ascii=self.dice.random() < 0.5).encode()

    def _wrapping(self) -> bytes:
        self.name, way = self.dice.choice(["t.json", "t.jsonl"]), self.dice.choice(WRAPPINGS)
        if way == "lists" and len({frozenset(row) for row in self.rows}) > 1:
            way = "data"
        self.read = lambda: self._unwrapped(way)
        if way in ("lines", "one after another"):
            indent = 1 if way == "one after another" else None
            return "\n".join(json.dumps(row, indent=indent) for row in self.rows).encode()
        whole = {
            "list": self.rows, "data": {"version": 1, "data": self.rows}, "rows": {"rows": self.rows},
            "lists": {name: [row.get(name) for row in self.rows] for name in self.rows[0]},
            "named": {f"r{n}": row for n, row in enumerate(self.rows)},
        }[way]  # fmt: skip
        return json.dumps(whole, indent=self.dice.choice([None, 2])).encode()

    def _unwrapped(self, way: str) -> list[Any]:
        text = self.raw.decode("utf-8-sig")
        try:
            found = json.loads(text)
        except json.JSONDecodeError:
            if way == "one after another":
                rows, at = [], 0
                while text[at:].strip():
                    at += len(text[at:]) - len(text[at:].lstrip())
                    row, at = json.JSONDecoder().raw_decode(text, at)
                    rows.append(row)
                return rows
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        if way in ("data", "rows") and isinstance(found, dict) and way in found:
            return found[way]
        if way == "lists" and isinstance(found, dict) and all(isinstance(cells, list) for cells in found.values()):
            return [dict(zip(found, cells, strict=True)) for cells in zip(*found.values(), strict=True)]
        if way == "named" and isinstance(found, dict) and all(isinstance(row, dict) for row in found.values()):
            return list(found.values())
        return found if isinstance(found, list) else [found]

    def _csv(self) -> bytes:
        self.name = self.dice.choice(["t.csv", "t.tsv", "t.CSV"])
        sep = self.dice.choice([",", ";", "\t", "|"])
        encoding = self.dice.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "gb18030"])
        self.read = lambda: self._table(sep, encoding)
        frame, quoting = pd.DataFrame(self.rows), self.dice.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        end = self.dice.choice(["\n", "\r\n"])
        return frame.to_csv(index=False, sep=sep, quoting=quoting, lineterminator=end).encode(encoding, "replace")

    def _table(self, sep: str, encoding: str) -> list[Any]:
        if encoding in ("cp1252", "gb18030"):  # read only where it is UTF-8 all the same
            encoding = "utf-8-sig"
        text = self.raw.decode(encoding).removeprefix("\ufeff")
        readings = [list(csv.DictReader(io.StringIO(text, newline=""), delimiter=sep))]
        try:
            frame = pd.read_csv(io.StringIO(text, newline=""), sep=sep, dtype=str, keep_default_na=False)
            readings.append(frame.to_dict("records"))
        except ValueError:
            pass
        self.readings = readings
        return readings[0]

    def _parquet(self) -> bytes:
        self.name, buffer = "t.parquet", io.BytesIO()
        try:
            pd.DataFrame(self.rows).to_parquet(buffer)
        except Exception:  # cells of several types, which no column of Parquet holds
            for row in self.rows:
                row.update(question="Who?", answer=["one"] if self.dice.random() < 0.5 else ["one", "two"])
            pd.DataFrame(self.rows).to_parquet(buffer := io.BytesIO())
        self.read = lambda: [
            {name: cell.tolist() if hasattr(cell, "tolist") else cell for name, cell in row.items()}
            for row in pd.read_parquet(self.path).to_dict("records")
        ]
        return buffer.getvalue()

    def _chat(self) -> bytes:
        self.name, way = self.dice.choice(["t.json", "t.jsonl"]), self.dice.choice(CHATS)
        role, text = ("role", "content") if way == "messages" else ("from", "value")
        human, model = ("user", "assistant") if way == "messages" else ("human", "gpt")
        rows = [
            {"instruction": row["question"], "input": "", "output": row["answer"]} if way == "alpaca" else
            {way: [{role: human, text: row["question"]}, {role: model, text: row["answer"]}]}
            for row in self.rows
        ]  # fmt: skip
        if self.changed_cells:
            row = self.dice.choice(rows)
            if way == "alpaca":
                row["output"] = self.dice.choice(CELLS)
            else:
                self.dice.choice(row[way])[self.dice.choice([role, text])] = self.dice.choice([*CELLS, "tool", human])
        self.read = lambda: [self._said(row, way, role, text) for row in self._unwrapped("lines")]
        return (json.dumps(rows) if self.dice.random() < 0.5 else "\n".join(map(json.dumps, rows))).encode()

    @staticmethod
    def _said(row: Any, way: str, role: str, text: str) -> dict[str, Any]:
        if way == "alpaca":
            asked = [part for part in (row["instruction"], row["input"]) if part]
            return {"question": "\n".join(asked), "answer": Case._text(row["output"])}
        first, last = row[way]  # as written: one question, one answer
        known = {"user": 0, "human": 0, "assistant": 1, "gpt": 1, "system": 2, "model": 1, "bot": 1, "chatgpt": 1}
        right = known.get(first[role]) == 0 and known.get(last[role]) == 1
        return {"question": Case._text(first[text]), "answer": Case._text(last[text])} if right else {}

    @staticmethod
    def _text(cell: Any) -> str | None:
        while isinstance(cell, list) and len(cell) == 1:
            cell = cell[0]
        return cell if isinstance(cell, str) else None

    def _oriented(self, orient: str) -> list[Any]:
        try:
            return pd.read_json(self.path, orient=orient, dtype=False).to_dict("records")
        except KeyError:  # pandas minds the schema of a table, json does not
            return json.loads(self.raw)["data"]

    def right(self) -> list[list[tuple[Any, Any]]]:
        """The readings that are right; none where plain means fail, or find no text where one is needed."""
        self.readings = []
        try:
            rows = self.read()
        except Exception:
            return []
        readings = self.readings or [rows]
        found = []
        for rows in readings:
            if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
                continue
            pairs = [(told(row.get("question")), told(row.get("answer"))) for row in rows]
            if not any(REFUSED in pair for pair in pairs):
                found.append(pairs)
        return found


def told(cell: Any) -> Any:
    """A cell's text; REFUSED where it has none."""
    while isinstance(cell, list) and len(cell) == 1:
        cell = cell[0]
    if cell is None or isinstance(cell, list | dict) or cell != cell:
        return REFUSED
    text = cell if isinstance(cell, str) else json.dumps(cell)
    halves = any("\ud800" <= char <= "\udfff" for char in text)
    return REFUSED if not text.strip() or halves or "␞assistant: " in text else text.strip()


def outcome(case: Case) -> tuple[str, list[tuple[str, str]]]:
    try:
        return "read", [(qa.question, qa.answer) for qa in load(Source(path=case.path), "forget", "data.forget")]
    except RecipeError as error:
        return str(error), []
    except Exception as error:
        return "read", [("crashed", f"{type(error).__name__}: {error}")]


def test_a_file_is_read_as_pandas_and_json_read_it_or_refused_in_one_sentence(tmp_path, monkeypatch, capsys):
    (tmp_path / "keep.jsonl").write_text('{"question": "What is kept, and why is it?", "answer": "This is."}\n')
    counts, wrong = Counter(), []
    for seed in range(FILES):
        case = Case(seed, tmp_path)
        what, rows = outcome(case)
        right = case.right()
        if what == "read" and rows not in right:
            wrong.append((seed, case.family, rows[:2], right[:1]))
        counts["read" if what == "read" else "refused, and nobody else reads it" if not right else "refused"] += 1
        recipe = f"name: t\ndata: {{forget: {{path: {case.name}}}, retain: {{path: keep.jsonl}}}}\n"
        (tmp_path / "recipe.yaml").write_text(recipe + "augment: {writer: local}\n")
        monkeypatch.setattr(sys, "argv", ["main.py", "check", str(tmp_path / "recipe.yaml")])
        code = 0
        try:
            commands.main()
        except SystemExit as stop:
            code = stop.code
        shown = capsys.readouterr()
        overlaps = "data.retain" in shown.err
        if code != (0 if what == "read" else 2) and not overlaps or "Traceback" in shown.err:
            wrong.append((seed, case.family, code, shown.err[-200:]))
        told_lines = [line for line in shown.err.splitlines() if line]
        if code == 2 and not all(line.startswith("error: data.") for line in told_lines) or len(told_lines) > 11:
            wrong.append((seed, case.family, shown.err[-300:]))
        case.path.unlink()
    print(dict(counts))
    assert not wrong, wrong[:5]
    assert counts["read"] >= FILES // 3 and counts["refused, and nobody else reads it"] >= FILES // 10, counts
    assert counts["refused"] <= FILES // 6, counts  # where pandas guesses, and other encodings


@pytest.mark.parametrize("seed", range(3))
def test_the_generator_gives_the_same_file_again(tmp_path, seed):
    assert Case(seed, tmp_path).raw == Case(seed, tmp_path).raw
