"""A run folder and its manifest: which stages are done, with what inputs, and where results went that no longer hold.

A stage is done when manifest.json holds the fingerprint of its inputs. The manifest is written last and atomically, so
a run that is killed at any point goes on, when started again, from the stage (and within it, from the record, batch or
checkpoint) at which it stopped. Results are never deleted for others that took more than MOVE seconds to compute: they
are moved to old/, and a line says why.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import load_json, write_json
from relearn_lite.core.memory import tell_once
from relearn_lite.pipeline.fingerprints import changes, fingerprint
from relearn_lite.pipeline.stages import STAGES

MANIFEST = "manifest.json"
FORMAT = 2  # of run folders; raised when what older code wrote can no longer be resumed
MOVE = 60  # seconds of work that are moved to old/, not deleted


class RunFolder:
    """The folder of one run and what its manifest says: to be read, or, where it was `opened`, to be written too."""

    def __init__(self, path: Path):
        self.path, self.manifest = path, _read_manifest(path / MANIFEST)

    @property
    def is_current(self) -> bool:
        """Whether this version of relearn-lite can read it."""
        return self.manifest["format"] == FORMAT

    @classmethod
    @contextmanager
    def opened(cls, path: Path, fresh: bool = False) -> Iterator[RunFolder]:
        """The folder at `path`, made if need be and locked for this process.

        fresh: all of it will be done again, so results that older code wrote may be moved away.
        Raises RecipeError where it is not a run's, is in use, or was made by older code.
        """
        path = _make(path)
        with _locked(path):
            folder = cls(path)
            if not folder.is_current:
                if not fresh:
                    raise RecipeError(
                        f"name: {path} holds a run of an older version of relearn-lite, which this one cannot go on "
                        "with; choose another name, or add --fresh, which moves what is there to old/ in that folder"
                    )
                folder._move_everything()
            yield folder

    def is_done(self, stage: str, inputs: Mapping[str, Any]) -> bool:
        """Whether the stage was finished with exactly these inputs, and what it wrote is there."""
        entry = self.manifest["stages"].get(stage)
        return bool(entry) and entry["fingerprint"] == fingerprint(inputs) and self.has_output(stage)

    def has_output(self, stage: str) -> bool:
        return (self.path / STAGES[stage].output[0]).exists()

    def begin(self, stage: str, inputs: Mapping[str, Any]) -> bool:
        """Notes that a stage begins; True where it goes on from what a stopped try with the same inputs left.

        What a try with other inputs left is moved away.
        """
        started = self.manifest["started"].get(stage)
        if started and started["fingerprint"] == fingerprint(inputs):
            return True
        if started:
            self.set_aside(stage, "; ".join(changes(started["inputs"], inputs)) or "an earlier stage was done again")
        else:
            self.set_aside(stage, "it was not finished")
        self.manifest["started"][stage] = {
            "fingerprint": fingerprint(inputs), "inputs": dict(inputs), "at": time.time(),
        }  # fmt: skip
        self.save()
        return False

    def finish(self, stage: str, details: Mapping[str, Any]) -> None:
        """Notes that a stage which has begun is done, and removes what only a restart of it would have needed."""
        begun = self.manifest["started"].pop(stage)
        self.manifest["stages"][stage] = {
            **begun, "finished": datetime.now(UTC).isoformat(timespec="seconds"), **details,
        }  # fmt: skip
        self.save()
        checkpoints = self.path / "checkpoints"
        shutil.rmtree(checkpoints / stage, ignore_errors=True)
        if checkpoints.is_dir() and not any(checkpoints.iterdir()):
            checkpoints.rmdir()
        (self.path / "augmented.partial.jsonl").unlink(missing_ok=True)

    def set_aside(self, stage: str, why: str) -> None:
        """Removes a stage's output and its entry: moved to old/ where it took long to compute, else deleted."""
        there = outputs(self.path, stage)
        seconds = self._seconds_spent(stage, there)
        self.manifest["stages"].pop(stage, None)
        self.manifest["started"].pop(stage, None)
        self.save()
        target = old_folder(self.path, stage) if there and seconds >= MOVE else None
        for path in there:
            if target:
                place = target / path.relative_to(self.path)
                place.parent.mkdir(parents=True, exist_ok=True)
                path.rename(place)
            elif path.is_dir() and not path.is_symlink():  # a link is removed, not what it leads to
                shutil.rmtree(path)
            else:
                path.unlink()
        if target:
            print(f"{stage}: an earlier result ({seconds / 60:.0f} min) was moved to {target}: {why}", file=sys.stderr)

    def _seconds_spent(self, stage: str, there: list[Path]) -> float:
        """How long it took to compute what is there, breaks included; 0 for what was taken over from another run."""
        files = [file for path in there for file in (path, *path.rglob("*")) if file.is_file()]
        if not files or any(path.is_symlink() for path in there):
            return 0.0
        begun = self.manifest["stages"].get(stage) or self.manifest["started"].get(stage)
        first = begun["at"] if begun else min(file.stat().st_ctime for file in files)
        return max(file.stat().st_mtime for file in files) - first

    def _move_everything(self) -> None:
        target = old_folder(self.path, "older-version")
        for path in self.path.iterdir():
            if path.name not in (".lock", "old"):
                path.rename(target / path.name)
        self.manifest = _read_manifest(self.path / MANIFEST)
        print(f"What an older version of relearn-lite left was moved to {target}", file=sys.stderr)

    def save(self) -> None:
        """Writes the manifest, atomically."""
        write_json(self.path / MANIFEST, self.manifest)


def outputs(run: Path, stage: str) -> list[Path]:
    """What a stage has left in a run folder, links included."""
    patterns = STAGES[stage].output
    found = (run.glob(name) if "*" in name else [run / name] for name in patterns)
    return list(dict.fromkeys(path for path in chain.from_iterable(found) if os.path.lexists(path)))


def old_folder(run: Path, name: str) -> Path:
    """A new folder below a run's old/, for results that no longer hold."""
    place = run / "old" / f"{datetime.now():%Y-%m-%d_%H.%M.%S}_{name}"
    names = chain([place], (place.with_name(f"{place.name}-{number}") for number in count(2)))
    target = next(path for path in names if not path.exists())
    target.mkdir(parents=True)
    return target


def _make(folder: Path) -> Path:
    if folder.exists() and not folder.is_dir():
        raise RecipeError(f"name: {folder} is a file; remove it, or choose another name")
    ours = any((folder / name).exists() for name in (MANIFEST, ".lock"))
    if folder.is_dir() and any(folder.iterdir()) and not ours:
        raise RecipeError(
            f"name: {folder} holds files that are not of a run; choose another name, or empty that folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecipeError(
            f"--runs: {folder} cannot be made ({error.strerror}); name a folder that you can write to"
        ) from None
    return folder.resolve()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process a run folder. The system frees the lock of a process that dies, however it dies."""
    from filelock import FileLock, Timeout

    lock, none = FileLock(folder / ".lock", timeout=0), ""
    try:
        with warnings.catch_warnings(record=True) as told:  # that a file stands in for a lock, which a crash leaves
            warnings.simplefilter("always")
            lock.acquire()
        none = str(told[0].message) if told else ""
    except Timeout:
        raise RecipeError(
            f"name: another process is working in {folder}; wait for it, or choose another name"
        ) from None
    except (NotImplementedError, OSError) as error:  # some network drives have no locks
        none = str(error)
    if none:
        tell_once(f"{folder} cannot be locked ({none}): see to it that no other process works in it.")
    try:
        yield
    finally:
        lock.release()


def _read_manifest(path: Path) -> dict[str, Any]:
    """An empty one where there is none yet; one that says no format is of the first."""
    try:
        found = load_json(path)
        return {"stages": {}, "started": {}, **({"format": FORMAT} if found is None else {"format": 1, **found})}
    except (RecipeError, TypeError):
        raise RecipeError(
            f"name: {path} is damaged, so what is finished cannot be told; remove {path.parent}, or choose another name"
        ) from None
