"""What the plan says of the machine that it is asked on: what matters there first, and a total where there is one."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from relearn_lite import plan
from relearn_lite.plan import machine
from relearn_lite.plan.machine import GPU, Machine, this_machine
from relearn_lite.plan.measure_asking import Work
from relearn_lite.recipe import load_recipe

DATA = "data: {forget: {path: forget.jsonl}, retain: {path: retain.jsonl}}\n"


@pytest.fixture
def recipe(tmp_path):
    def made(*overrides):
        for part in ("forget", "retain"):
            (tmp_path / f"{part}.jsonl").write_text(json.dumps({"question": part, "answer": "It is so."}) + "\n")
        (tmp_path / "recipe.yaml").write_text(f"name: t\n{DATA}")
        return load_recipe(tmp_path / "recipe.yaml", overrides)

    return made


def said(job, here, monkeypatch, **options) -> list[str]:
    monkeypatch.setattr(plan, "this_machine", lambda: here)
    lines = []
    plan.plan(job, lambda line: lines.append(line if isinstance(line, str) else f"TABLE {line.title}"), **options)
    return lines


def place(lines: list[str], beginning: str) -> int:
    return next(n for n, line in enumerate(lines) if line.startswith(beginning))


def test_without_a_gpu_memory_and_time_come_before_cards(recipe, monkeypatch):
    """It spoke of GPU memory and of cards first, and never of the machine that it was asked on."""
    lines = said(recipe(), Machine(2, 16e9, 10e9, None), monkeypatch)
    here = lines[place(lines, "this machine: no GPU, 2 CPU cores, 16.0 GB of memory, 10.0 GB of it free")]
    assert ": fits" in here and " in stage evaluate" in here
    order = [place(lines, each) for each in ("this machine", "TABLE Memory a stage", "time: ", "disk: ", "  6 GB card")]
    assert order == sorted(order)
    assert lines[order[2]].endswith("on two CPU cores of 30 GFLOP/s")
    assert lines[place(lines, "no total time: ")].endswith("--measure tries them on this machine")
    assert not [line for line in lines if "TFLOP/s" in line and lines.index(line) < order[-1]]


def test_a_model_that_is_too_large_for_the_memory_is_told(recipe, monkeypatch):
    lines = said(recipe("model.quantization=none"), Machine(2, 2e9, 0.5e9, None), monkeypatch)
    here = lines[place(lines, "this machine: ")]
    assert "does not fit" in here and "Free some memory" in here


def test_with_a_gpu_the_card_that_is_there_comes_first(recipe, monkeypatch):
    lines = said(recipe(), Machine(8, 64e9, 60e9, GPU("NVIDIA T4", 15.8e9)), monkeypatch)
    assert lines[place(lines, "this machine: ")] == "this machine: NVIDIA T4, 15.8 GB: fits"
    order = [place(lines, each) for each in ("this machine", "TABLE GPU memory a stage", "  6 GB card", "time: ")]
    assert order == sorted(order)
    assert lines[order[-1]].endswith("on a card of 20 TFLOP/s")


WORK = [Work("ask", "answers", 4, 2, 30.0), Work("unlearn", "answers for one check", 4, 0, 5.0)]


@pytest.mark.parametrize(("overrides", "told"), [
    (["unlearn=null"], "in all: about 30 s"),
    ([], "no total: training with its checks is not measured; the rest takes about 30 s"),
    (["unlearn=null", "analyze={}"], "no total: analyze is not measured"),
    (["analyze={}"], "no total: training with its checks, analyze are not measured"),
])  # fmt: skip
def test_a_total_is_given_only_where_every_stage_was_measured(recipe, monkeypatch, overrides, told):
    monkeypatch.setattr(plan, "trial", lambda *_: iter(WORK))
    monkeypatch.setattr(plan, "check", lambda _: {"forget": [1]})
    lines = said(recipe(*overrides), Machine(2, 16e9, 10e9, None), monkeypatch, measured=True)
    assert lines[-1].startswith(told), lines[-1]
    assert not [line for line in lines if line.startswith("no total time")]


def test_this_machine_is_the_one_that_it_runs_on(monkeypatch):
    import psutil

    here = this_machine()
    assert here.gpu is None and here.memory == psutil.virtual_memory().total and 0 < here.free < here.memory
    card = SimpleNamespace(name="NVIDIA X", total_memory=24_000_000_000)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda _: card)
    assert machine.this_machine().gpu == GPU("NVIDIA X", 24e9)
