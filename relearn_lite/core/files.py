"""Files that a kill at any moment leaves whole: JSON Lines that grow, texts and folders that appear at once."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields, is_dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from relearn_lite.core.errors import RecipeError, first_line

Record = TypeVar("Record")  # any dataclass of core.records; where it is written, a plain object too
Item = TypeVar("Item")

A_DAY = 24 * 3600  # seconds


def cache_folder() -> Path:
    """Where what is made once and can be made again is kept: ~/.cache/relearn-lite, or below XDG_CACHE_HOME."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "relearn-lite"


def cached_folder(target: Path, fill: Callable[[Path], None]) -> Path:
    """A folder of the cache, which is filled where it is not there.

    Where several processes make it at once each fills its own, and that of the first stays. Raises RecipeError where
    the cache cannot be written to.
    """
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise RecipeError(
            f"XDG_CACHE_HOME: the cache folder {cache_folder()} cannot be written to ({error.strerror}); set this "
            "environment variable to a folder that can be"
        ) from error
    remove_left(target.parent, f".{target.name}.*.tmp")
    own = target.with_name(f"{target.name}.{os.getpid()}")
    replace_folder(own, fill)
    try:
        own.rename(target)
    except OSError:
        shutil.rmtree(own, ignore_errors=True)
        if not target.is_dir():
            raise
    return target


def packaged_file(package: str, pattern: str) -> Path | None:
    """A file in an installed package, found without running anything of it; None where it is not installed."""
    spec = find_spec(package)
    places = (spec.submodule_search_locations if spec else None) or ()
    return next((file for place in places for file in sorted(Path(place).glob(pattern))), None)


def remove_left(folder: Path, names: str) -> None:
    """Removes folders that processes which were killed have left: those of a pattern that are older than a day."""
    for left in folder.glob(names):
        if time.time() - left.stat().st_mtime > A_DAY:
            shutil.rmtree(left, ignore_errors=True)


def write_jsonl(path: Path, records: Iterable[Record]) -> None:
    """Writes records, one JSON object a line, to a temporary name first: the file is there whole or not at all."""
    write_text(path, "".join(_line(record) for record in records))


def append_jsonl(path: Path, records: Iterable[Record]) -> None:
    """Adds records to a file that is still growing, and forces them to disk: what is finished is never lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(_line(record) for record in records))
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _told_as_damaged(path: Path) -> Iterator[None]:
    """Turns what reading a file of our own fails with into one sentence: it is whole once it is there, see below."""
    again = "; put it back, or run its recipe again with --fresh"
    try:
        yield
    except FileNotFoundError:
        raise RecipeError(f"{path} is missing{again}") from None
    except (ValueError, TypeError, AttributeError) as error:  # the last two: it holds other keys, or no objects
        raise RecipeError(f"{path} is damaged ({first_line(error)}){again}") from error


def read_jsonl(path: Path, kind: type[Record]) -> Iterator[Record]:
    """Yields the records of a file. A last line torn by a crash is left out: its work was not finished."""
    names = {f.name for f in fields(kind)}
    with _told_as_damaged(path), path.open("rb") as file:
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            yield kind(**{k: v for k, v in json.loads(raw).items() if k in names})


def load_json(path: Path) -> Any:
    """What a JSON file of our own holds; None where it is not there."""
    with _told_as_damaged(path):
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file of our own, as plain objects."""
    with _told_as_damaged(path), path.open(encoding="utf-8") as lines:  # not splitlines: answers may hold U+2028
        return [json.loads(line) for line in lines]


def read_partial(path: Path, kind: type[Record], fingerprint: str | None = None) -> list[Record]:
    """The records of a file that was growing when its run ended; [] where there is none.

    A torn last line is cut off, so that the next append starts on a line of its own. fingerprint: of what the records
    depend on; a file whose records have another one is thrown away, and [] returned.
    """
    if not path.exists():
        return []
    raw = path.read_bytes()
    whole = raw.rfind(b"\n") + 1
    if whole < len(raw):
        os.truncate(path, whole)
    records = list(read_jsonl(path, kind))
    if fingerprint and any(record.fingerprint != fingerprint for record in records):
        path.unlink()
        return []
    return records


def write_in_batches(
    target: Path, kind: type[Record], items: Sequence[Item], batches: Iterable[Sequence[Item]],
    make: Callable[[int, Sequence[Item]], Sequence[Record]], key: Callable[[Item | Record], Any],
    advance: Callable[[int], None] = lambda _: None,
) -> None:  # fmt: skip
    """Writes a record an item to `target`, in the order of `items`; a file that is there is left alone.

    batches: the items in the order in which they are made. make: (number of the batch, its items) -> their records.
    key: what an item and its record have in common. Finished batches are kept in <name>.partial.jsonl, so that a kill
    costs the batch under way. advance is told how many more items are done.
    """
    if target.exists():
        advance(len(items))
        return
    partial = target.with_suffix(".partial.jsonl")
    done = {key(record): record for record in read_partial(partial, kind)}
    for number, batch in enumerate(batches):
        if any(key(item) not in done for item in batch):
            records = [record for record in make(number, batch) if key(record) not in done]
            append_jsonl(partial, records)
            done |= {key(record): record for record in records}
        advance(len(batch))
    write_jsonl(target, [done[key(item)] for item in items])
    partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file atomically: temporary name, flush to disk, rename.

    The temporary name is the same each time, so that what a kill leaves is gone with the next try: a run folder has one
    process that writes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any, indent: int | None = 2, allow_nan: bool = True) -> None:
    """Writes a value as `write_text` writes texts. allow_nan: whether what is no number may be in it."""
    write_text(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=allow_nan) + "\n")


def _line(record: Any) -> str:
    return json.dumps(asdict(record) if is_dataclass(record) else record, ensure_ascii=False) + "\n"


def link_or_copy(link: Path, target: Path) -> None:
    """A link to a file or folder; a copy where none can be made, as on Windows without developer mode."""
    target = target.resolve()
    try:
        way = os.path.relpath(target, link.parent.resolve())
        link.symlink_to(way, target_is_directory=target.is_dir())
    except (OSError, NotImplementedError, ValueError):  # ValueError: there is no way to another drive of Windows
        (shutil.copytree if target.is_dir() else shutil.copy2)(target, link)


def replace_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Fills a folder under a temporary name, then puts it in place: it is there whole or not at all.

    What was written is removed where filling fails; after a kill, by the next try. Its files follow the umask.
    """
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        fill(temporary)
        _follow_umask(temporary)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)


def _follow_umask(folder: Path) -> None:
    """Gives the files of a folder that was just made the mode of new files: those of safetensors, which it writes under
    a temporary name, are for their owner alone."""
    usual = stat.S_IMODE(folder.stat().st_mode) & 0o666
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            with suppress(OSError):  # drives without modes
                file.chmod(usual)
