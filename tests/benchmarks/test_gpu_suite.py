"""The suite for a card, without one: results are kept check by check, and what is fetched comes together again."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import gpu_checks  # noqa: E402
import gpu_prepare  # noqa: E402
import gpu_suite  # noqa: E402


def check(name, code, seconds=20, read=gpu_checks.printed, **settings):
    """A check that runs one line of Python."""
    return gpu_checks.Check(name, "a trial", (f'-c "{code}"',), seconds, read, **settings)


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_suite, "environment", lambda: {
        "date": "2026-11-28", "card": None, "torch": "2.13.0", "packages": {"peft": "0.21.2"}
    })
    return lambda: gpu_suite.Suite(tmp_path / "out", rehearsal=True)


def kept(tmp_path):
    return json.loads((tmp_path / "out" / "results.json").read_text())["checks"]


def test_every_result_is_there_at_once_and_once_again(suite, tmp_path):
    begun = suite()
    assert begun.run(check("good", "print('words'); print('{}')".format('{{}}')), 20) == "done"
    assert kept(tmp_path)["good"]["numbers"] == {}
    assert begun.run(check("bad", "import sys; sys.exit('it broke')"), 20) == "failed"
    assert kept(tmp_path)["bad"]["numbers"] == {"why": "it broke", "status": 1}
    assert begun.run(check("silent", "print('no JSON')"), 20) == "failed"
    assert kept(tmp_path)["silent"]["numbers"]["why"].startswith("no numbers: JSONDecodeError")
    assert begun.run(check("card", "", needs_card="it needs bf16"), 20) == "not on a CPU"
    assert set(suite().results) == {"good", "bad", "silent", "card"}  # another call goes on with these
    assert "it broke" in (tmp_path / "out" / "log.txt").read_text()


def test_a_check_that_hangs_is_ended_with_all_it_started(suite, tmp_path):
    """By its own limit: that is its result. By the end of the call: it has none, and comes next time."""
    child = f"import time, pathlib; time.sleep(4); pathlib.Path({str(tmp_path / 'lives')!r}).touch()"
    (tmp_path / "child.py").write_text(child)
    hangs = f"import subprocess, sys; subprocess.run([sys.executable, {str(tmp_path / 'child.py')!r}])"
    one = suite()
    assert one.run(check("cut", hangs, seconds=20), seconds=1) == "out of time" and "cut" not in one.results
    assert one.run(check("slow", hangs, seconds=0.2), seconds=20) == "out of time"
    assert kept(tmp_path)["slow"]["numbers"] == {"limit": 2}
    subprocess.run([sys.executable, "-c", "import time; time.sleep(4)"])
    assert not (tmp_path / "lives").exists()


def test_results_of_a_card_and_of_a_rehearsal_are_not_mixed(suite, tmp_path):
    suite()
    with pytest.raises(SystemExit, match="holds the results of a rehearsal"):
        gpu_suite.Suite(tmp_path / "out", rehearsal=False)


def test_without_a_card_it_says_so_and_measures_nothing(tmp_path):
    command = [sys.executable, BENCHMARKS / "gpu_suite.py", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin", "CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 1 and "torch finds no card" in done.stderr
    assert json.loads((tmp_path / "results.json").read_text())["checks"] == {}


def test_every_check_can_be_filled_in_for_a_card_and_for_a_cpu():
    places = dict.fromkeys(("folder", "scratch", "models", "lengths"), "/x")
    for one in gpu_checks.CHECKS:
        for sizes in (gpu_checks.CARD, gpu_checks.CPU):
            for command in one.commands:
                script = command.format_map(sizes | places).split()[0]
                assert script == "-m" or (BENCHMARKS.parent / script).is_file()
    assert len({one.name for one in gpu_checks.CHECKS}) == len(gpu_checks.CHECKS)


def test_the_table_tells_what_was_not_seen():
    one = gpu_checks.CHECKS[0]
    found = {
        "state": "done", "seconds": 3.0, "numbers": {"peak_mb": 7.123456, "why": None}, "date": "2026-12-01",
        "card": "a card", "torch": "2.11", "versions": {"peft": "0.21", "unsloth": None},
    }  # fmt: skip
    lines = gpu_suite.table({one.name: found}, rehearsal=False).splitlines()
    assert lines[0] == "2026-12-01, a card, torch 2.11, peft 0.21."
    assert "peak mb 7.123; why -" in lines[4] and "**not seen**" in lines[5]
    assert len(lines) == 4 + len(gpu_checks.CHECKS)


def wheel(folder, name, needs=(), size=10, version="1.0"):
    file = folder / f"{name}-{version}-py3-none-any.whl"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {need}" for need in needs]
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", f"TEXT = {'x' * size!r}\n")
        archive.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(lines))
        archive.writestr(f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{name}-{version}.dist-info/RECORD", "")
    return file


def only(folder):
    """Settings of pip and uv by which there is nothing but this folder's wheels."""
    folder.joinpath("none").mkdir()
    links = {f"{tool}_FIND_LINKS": str(folder) for tool in ("PIP", "UV")}
    return {**links, "PIP_NO_INDEX": "1", "UV_DEFAULT_INDEX": (folder / "none").as_uri()}


def prepare(*arguments, **environment):
    import os

    done = subprocess.run([sys.executable, BENCHMARKS / "gpu_prepare.py", *map(str, arguments)], capture_output=True,
                          text=True, env={**os.environ, **environment})  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheels_travel_in_parts_and_are_installed_from_them(tmp_path, monkeypatch):
    """With pip and an index of three wheels; one is had already, one is larger than a load may be."""
    index, to, place = tmp_path / "index", tmp_path / "loads", tmp_path / "place"
    index.mkdir()
    wheel(index, "first_part", needs=["second", "had>=1", "other; sys_platform == 'win32'"], size=5000)
    wheel(index, "second")
    (tmp_path / "have").write_text("had==1.0\n")
    offline = only(index)
    asked = ("--to", to, "--python", "3.12", "--have", tmp_path / "have", "--load", "0.004", "first_part")
    told = prepare(*asked, "--dry-run", **offline)
    assert "first-part 1.0" in told and "second 1.0" in told and "2 packages" in told and not to.exists()
    assert "loads" in prepare(*asked, **offline)
    loads = sorted(to.iterdir())
    assert len(loads) > 1
    assert all(sum(part.stat().st_size for part in load.glob("*.part*")) <= 4000 for load in loads)
    monkeypatch.setattr(gpu_prepare, "SUITE", tmp_path / "suite")
    for load in loads[1:]:
        assert gpu_prepare.unpack(load, place)
    assert gpu_prepare.unpack(loads[0], place) == []
    gpu_prepare.install(place)
    assert (place / "site" / "first_part.py").exists() and (place / "site" / "second.py").exists()


def test_versions_that_go_together_are_fetched(tmp_path):
    """The newest of each did not, once: transformers wants an older huggingface-hub than its other users do."""
    wheel(tmp_path, "hub", version="1.0")
    wheel(tmp_path, "hub", version="2.0")
    wheel(tmp_path, "uses", needs=["hub>=1"])
    wheel(tmp_path, "limits", needs=["hub<2"])
    offline = only(tmp_path)
    asked = ("--to", tmp_path / "loads", "--python", "3.12", "--dry-run", "uses", "limits")
    assert "hub 1.0" in prepare(*asked, **offline)
    (tmp_path / "have").write_text("hub==2.0+cu130\n")
    with pytest.raises(AssertionError, match="limits depend on hub<2"):
        prepare("--have", tmp_path / "have", *asked, **offline)


def test_a_part_that_was_changed_on_the_way_is_not_joined(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"a" * 30)
    load, other, *_ = gpu_prepare.pack([file], tmp_path / "loads", 20)
    (other / "file.part1").write_bytes(b"b" * 10)
    gpu_prepare.unpack(load, tmp_path / "place")
    with pytest.raises(SystemExit, match="not what was packed"):
        gpu_prepare.unpack(other, tmp_path / "place")
