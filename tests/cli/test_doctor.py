"""The doctor finds what is wrong with a machine, and keeps secrets."""

from __future__ import annotations

import shutil
import sys
from collections import namedtuple

import pytest

from relearn_lite.cli import doctor
from relearn_lite.core import environment
from relearn_lite.core.errors import RecipeError
from relearn_lite.pipeline import pipeline
from relearn_lite.recipe import load_recipe

TOKEN = "hf_this_is_secret"


def about(name: str) -> doctor.Finding:
    return next(finding for finding in doctor.examine() if finding.about == name)


def with_versions(monkeypatch, **changed: str | None) -> None:
    """Makes packages look as if another version, or none, were installed."""
    installed = {**environment.versions(), **changed}
    found = {name: number for name, number in installed.items() if number}
    monkeypatch.setattr(environment, "versions", lambda: found)
    monkeypatch.setattr(doctor, "versions", lambda: found)


def test_this_machine_is_fit(capsys):
    doctor.doctor()
    shown = capsys.readouterr().out
    assert "Runs work here." in shown
    assert all(word in shown for word in ("torch", "cores", "GB free", "hub token", "Unsloth", "GPU"))


@pytest.mark.parametrize("number", ["2.6.2", "2.6.3"])
def test_a_malicious_release_stops_everything(monkeypatch, capsys, tmp_path, number):
    with_versions(monkeypatch, lightning=number)
    with pytest.raises(SystemExit) as stop:
        doctor.doctor()
    assert stop.value.code == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert f"lightning {number} is a malicious release" in shown and "Fix first: security" in shown
    (tmp_path / "recipe.yaml").write_text("name: trial\ndata: {preset: people}\n")
    with pytest.raises(RecipeError, match="malicious release"):
        pipeline.check(load_recipe(tmp_path / "recipe.yaml"))


def test_a_good_release_is_left_alone(monkeypatch):
    with_versions(monkeypatch, lightning="2.6.4")
    assert environment.unsafe_versions() == []


def test_a_missing_package_stops_runs(monkeypatch):
    with_versions(monkeypatch, peft=None)
    assert about("packages").state == "bad" and "peft not installed" in about("packages").text
    assert doctor.verdict(doctor.examine()).startswith("No run works here yet. Fix first: packages")


def test_without_bitsandbytes_runs_work(monkeypatch):
    with_versions(monkeypatch, bitsandbytes=None)
    assert about("bitsandbytes").state == "note" and "model.quantization" in about("bitsandbytes").text


@pytest.mark.parametrize("kept", [True, False])
def test_a_python_that_compiles_everything_anew_is_told(monkeypatch, kept):
    monkeypatch.setattr(sys, "dont_write_bytecode", not kept)
    told = [finding for finding in doctor.examine() if finding.about == "Python"]
    assert [finding.state for finding in told] == ([] if kept else ["note"])


def test_a_torch_that_cannot_be_imported_is_told(monkeypatch, capsys, tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('libcudnn.so.9: cannot open shared object file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(SystemExit):
        doctor.doctor()
    shown = " ".join(capsys.readouterr().out.split())
    assert "cannot be imported (libcudnn.so.9: cannot open shared object file)" in shown and "Fix first: torch" in shown


def test_a_torchvision_that_does_not_fit_is_told(monkeypatch):
    import transformers

    def broken(name):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.delattr(transformers, "LlamaForCausalLM", raising=False)
    monkeypatch.setattr(type(transformers), "__getattr__", lambda module, name: broken(name))
    monkeypatch.setattr(doctor, "find_spec", lambda name: name == "torchvision")
    found = doctor._import_of_models()
    assert found.state == "bad" and "torchvision::nms" in found.text and "pip uninstall torchvision" in found.text


def test_a_token_is_found_and_never_shown(monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    doctor.doctor()
    shown = capsys.readouterr().out
    assert about("hub token").text == "present" and TOKEN not in shown


def test_little_space_is_told(monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**12, 10**12, 10**8))
    assert about("disk").state == "note" and "0.1 GB free" in about("disk").text
