"""Everything that only a card can tell, in one command, most important first.

    python benchmarks/gpu_suite.py --minutes 9      on a card: as many checks as nine minutes hold; again: those missing
    python benchmarks/gpu_suite.py --rehearse       on a CPU, in tiny shapes: whether everything is ready for a card
    python benchmarks/gpu_suite.py --list           the checks and what each is expected to take

Every check (gpu_checks.py) is a process of its own with a limit. In --out lie results.json, written anew after each
check, table.md for gpu.md, and log.txt with all that was printed; models and runs lie in scratch/ there. A check that
has a result is not done again, unless --only names it. Where the time is up a check is left for the next call, without
a result. This file needs nothing but Python; what the checks need, gpu_prepare.py fetches beforehand.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gpu_checks import CARD, CHECKS, CPU, Check, Place
from gpu_environment import ROOT, environment

VERSIONS = ("transformers", "peft", "bitsandbytes", "lightning", "unsloth")
DONE, FAILED, LATE, NOT_HERE = "done", "failed", "out of time", "not on a CPU"


class Suite:
    """The results so far, and where they and what the checks make are kept."""

    def __init__(self, out: Path, rehearsal: bool):
        self.out, self.scratch, self.rehearsal = out, out / "scratch", rehearsal
        self.scratch.mkdir(parents=True, exist_ok=True)
        file = out / "results.json"
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"rehearsal": rehearsal}
        if kept["rehearsal"] != rehearsal:
            what = "a rehearsal" if kept["rehearsal"] else "a card"
            sys.exit(f"--out: {out} holds the results of {what}; name another folder")
        self.results: dict[str, dict[str, Any]] = kept.get("checks", {})
        self.machine = environment()
        self.save()

    def save(self) -> None:
        """Both files are there whole or as they were before."""
        found = {"rehearsal": self.rehearsal, "machine": self.machine, "checks": self.results}
        _write(self.out / "results.json", json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        _write(self.out / "table.md", table(self.results, self.rehearsal))

    def run(self, check: Check, seconds: float) -> str:
        """Runs one check, at most so many seconds, and returns its state."""
        if self.rehearsal and check.needs_card:
            return self._note(check, NOT_HERE, 0.0, {"why": check.needs_card})
        limit = 5 * check.limit if self.rehearsal else check.limit  # a CPU is slower, and may have other work to do
        folder, began = self.scratch / check.name, time.monotonic()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        said, until = "", began + min(seconds, limit)
        for command in check.commands:
            status, text = self._process(check, command, until)
            said += text
            if status is None:  # cut off: by its own limit, which is a result, or by the end of this call
                took = time.monotonic() - began
                return self._note(check, LATE, took, {"limit": limit}) if took >= limit else LATE
            if status:
                words = (said.strip().splitlines() or ["it said nothing"])[-1]
                return self._note(check, FAILED, time.monotonic() - began, {"why": words[:500], "status": status})
        took = time.monotonic() - began
        try:
            numbers = check.read(Place(folder, said))
        except Exception as error:  # whatever a file that is not as expected raises: the other checks go on
            return self._note(check, FAILED, took, {"why": f"no numbers: {type(error).__name__}: {error}"})
        return self._note(check, DONE, took, numbers)

    def _process(self, check: Check, command: str, until: float) -> tuple[int | None, str]:
        """Exit status and what was printed; None where time was up and all that it had started was ended."""
        filled = command.format_map(
            (CPU if self.rehearsal else CARD) | {
                "folder": str(self.scratch / check.name), "scratch": str(self.scratch),
                "models": str(self.scratch / "models"), "lengths": str(self.out / "lengths.json"),
            }
        )  # fmt: skip
        settings = {**os.environ, **check.environment, "PYTHONUNBUFFERED": "1"}
        if self.rehearsal:
            settings["UNSLOTH_FORCE_CPU"] = "1"
        log = self.out / "log.txt"
        with log.open("a", encoding="utf-8") as file:
            file.write(f"\n=== {check.name}: {filled}\n")
        begin = log.stat().st_size
        with log.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, *shlex.split(filled)], cwd=ROOT, env=settings, stdout=file, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
            try:
                status = process.wait(timeout=max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                status = None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        with log.open("rb") as file:
            file.seek(begin)
            return status, file.read().decode(errors="replace")

    def _note(self, check: Check, state: str, seconds: float, numbers: dict[str, Any]) -> str:
        self.results[check.name] = {
            "state": state, "seconds": round(seconds, 1), "expected_seconds": check.seconds, "numbers": numbers,
            "date": self.machine["date"], "card": self.machine["card"], "torch": self.machine["torch"],
            "versions": {name: self.machine["packages"].get(name) for name in VERSIONS},
        }  # fmt: skip
        self.save()
        return state


def _write(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)


def table(results: dict[str, dict[str, Any]], rehearsal: bool) -> str:
    """All checks as Markdown, under a line for every machine that was used."""
    machines = dict.fromkeys(
        f"{one['date']}, {one['card'] or 'no card'}, torch {one['torch']}, "
        + ", ".join(f"{name} {found}" for name, found in one["versions"].items() if found) + "."
        for one in results.values()
    )  # fmt: skip
    lines = ["Rehearsed on a CPU in tiny shapes: its numbers say nothing of a card.", ""] if rehearsal else []
    lines += [*machines, "", "| check | | what it found | seconds | expected on a card |", "|---|---|---|---|---|"]
    for check in CHECKS:
        one = results.get(check.name, {"state": "not seen", "seconds": "-", "numbers": {}})
        told = "; ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in one["numbers"].items())
        found = told if one["state"] == DONE else f"**{one['state']}** {told}".strip()
        cells = (check.name, check.what, found, one["seconds"], check.seconds)
        lines.append("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "-" if value is None else str(value)


def main() -> None:
    names = [check.name for check in CHECKS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="how long this call may take")
    parser.add_argument("--only", action="append", choices=names, help="do this check, again if need be; repeatable")
    parser.add_argument("--out", type=Path, help="default: runs/gpu_suite, of a rehearsal runs/gpu_rehearsal")
    parser.add_argument("--rehearse", action="store_true", help="tiny shapes, on a CPU")
    parser.add_argument("--list", action="store_true", help="print the checks, do nothing")
    options = parser.parse_args()
    if options.list:
        for check in CHECKS:
            print(f"{check.name:18} {check.seconds:4} s  {check.what}")
        print(f"{'together':18} {sum(check.seconds for check in CHECKS):4} s")
        return
    end = time.monotonic() + 60 * options.minutes
    out = options.out or ROOT / "runs" / ("gpu_rehearsal" if options.rehearse else "gpu_suite")
    suite = Suite(out.resolve(), options.rehearse)
    machine = suite.machine
    print(f"Python {machine['python']}, torch {machine['torch']}, card {machine['card']}")
    print(f"packages that are missing: {', '.join(machine['missing']) or 'none'}")
    if not options.rehearse and not machine["card"]:
        sys.exit(f"torch finds no card ({machine.get('why', 'it works, but there is none')}); --rehearse needs none")
    for check in CHECKS:
        left = end - time.monotonic()
        if check.name not in (options.only or names) or (check.name in suite.results and not options.only):
            continue
        if left < check.seconds and not options.rehearse or left <= 0:
            print(f"{check.name}: left for the next call", flush=True)
            continue
        print(f"{check.name} ...", flush=True)
        state = suite.run(check, left)
        left = "" if check.name in suite.results else ", left for the next call"
        print(f"{check.name}: {state}{left}", flush=True)
    print(f"{suite.out}: results.json, table.md, log.txt")


if __name__ == "__main__":
    main()
