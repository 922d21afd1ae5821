"""Replies of a model, kept on disk one by one, so that a restart asks for none of them again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from relearn_lite.core.files import append_jsonl, read_partial
from relearn_lite.writers import Task


@dataclass(frozen=True)
class Reply:
    """A model's raw words. `key` stands for the task, `fingerprint` for all else that they depend on."""

    key: str = ""
    reply: str = ""
    fingerprint: str = ""


class ReplyCache:
    """Raw replies by task, each forced to disk at once, from several threads; without a path none is kept.

    fingerprint: of prompts, model and settings; a file with another one is thrown away.
    """

    def __init__(self, path: Path | None = None, fingerprint: str = ""):
        self._path, self._fingerprint, self._lock = path, fingerprint, Lock()
        self._known = {line.key: line.reply for line in read_partial(path, Reply, fingerprint)} if path else {}

    def get(self, task: Task) -> str | None:
        """The reply to a task, None where there is none yet."""
        return self._known.get(_key(task))

    def put(self, task: Task, reply: str | None) -> None:
        """Keeps a reply. None is no reply: the task will be asked again."""
        if reply is None or self._path is None:
            return
        with self._lock:
            self._known[_key(task)] = reply
            append_jsonl(self._path, [Reply(_key(task), reply, self._fingerprint)])

    def clear(self) -> None:
        """Forgets all replies: what was made of them is on disk elsewhere."""
        with self._lock:
            self._known.clear()
            if self._path:
                self._path.unlink(missing_ok=True)


def _key(task: Task) -> str:
    return hashlib.sha256(json.dumps(asdict(task), sort_keys=True).encode()).hexdigest()[:24]
