"""What a model has already said, kept on disk reply by reply, so that a restart asks for none of it again."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from threading import Lock

from relearn_lite.core.files import cut_torn_line
from relearn_lite.writers import Task


class Replies:
    """Raw replies by task. Each is one line of `path`, forced to disk before the next thing is done with it.

    `mark` stands for everything else that a reply depends on (prompts, model, settings): a file with another mark is
    thrown away. A line torn by a kill is cut off. Several threads may put replies at once.
    """

    def __init__(self, path: Path, mark: str):
        self._path, self._mark, self._lock = path, mark, Lock()
        self._known = self._read()

    def get(self, task: Task) -> str | None:
        """The reply to a task, None where there is none yet."""
        return self._known.get(_key(task))

    def put(self, task: Task, reply: str | None) -> None:
        """Keeps a reply. None is no reply: the task will be asked again."""
        if reply is None:
            return
        line = json.dumps({"mark": self._mark, "key": _key(task), "reply": reply}, ensure_ascii=False) + "\n"
        with self._lock:
            self._known[_key(task)] = reply
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())

    def clear(self) -> None:
        """Forgets all replies: what was made of them is on disk elsewhere."""
        with self._lock:
            self._known.clear()
            self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        cut_torn_line(self._path)
        with self._path.open(encoding="utf-8") as file:  # not splitlines: replies may hold U+2028
            lines = [json.loads(line) for line in file]
        if any(line["mark"] != self._mark for line in lines):
            self._path.unlink()
            return {}
        return {line["key"]: line["reply"] for line in lines}


def _key(task: Task) -> str:
    return hashlib.sha256(json.dumps(asdict(task), sort_keys=True).encode()).hexdigest()[:24]
