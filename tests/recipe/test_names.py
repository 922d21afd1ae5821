"""The names that a recipe may use are those of what is there: a recipe is checked without importing any of it."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from relearn_lite import metrics
from relearn_lite.recipe import Unlearn, names
from relearn_lite.recipe.methods import FORGET_LOSSES, HYPERPARAMETERS, MASKS, METHODS, RETAIN_LOSSES
from relearn_lite.unlearn import losses

ROOT = Path(__file__).parents[2]


def without_side(key: str) -> str:
    return re.sub("_(forget|retain|general)$", "", key)


def test_metrics_and_their_parts():
    files = [import_module(f"relearn_lite.metrics.{found.name}") for found in iter_modules(metrics.__path__)]
    declared = {metric.name for file in files for metric in getattr(file, "METRICS", ())}
    assert declared == set(names.METRICS) == set(metrics.METRICS)
    assert set(names.DEFAULT_METRICS) <= set(names.METRICS)
    for name, metric in metrics.METRICS.items():
        own = {metric.key(part, side) for part in metric.parts for side in metric.sides}
        own |= {each.name for each in metrics.COMBINED if set(each.of) <= own}
        assert set(names.METRICS[name]) == {without_side(key) for key in own}, name


def test_a_writer_is_a_file_of_its_own():
    files = {path.stem for path in (ROOT / "relearn_lite" / "writers").glob("*.py")}
    assert set(names.WRITERS) <= files


def test_losses_and_what_methods_are_made_of():
    assert set(FORGET_LOSSES) == set(losses.FORGET_LOSSES) and set(RETAIN_LOSSES) == set(losses.RETAIN_LOSSES)
    for method in METHODS.values():
        assert method.forget in FORGET_LOSSES and set(method.retain) <= set(RETAIN_LOSSES) and method.mask in MASKS


@pytest.mark.parametrize("name", FORGET_LOSSES)
def test_a_loss_takes_the_hyper_parameters_that_its_name_says(name):
    loss = losses.FORGET_LOSSES[name]
    taken = len(inspect.signature(loss.values).parameters) - len(loss.trains_on)
    assert taken == (FORGET_LOSSES[name] is not None)


def test_every_hyper_parameter_section_belongs_to_a_loss_or_a_mask():
    sections = {key for key, info in Unlearn.model_fields.items() if "hyperparameters" in str(info.annotation)}
    assert sections | {"beta", "target_probability"} == set(HYPERPARAMETERS)


def test_a_recipe_is_read_without_what_it_names():
    code = (
        "import sys; from relearn_lite.recipe import load_recipe; load_recipe('recipes/quickstart.yaml')\n"
        "layers = {name.split('.')[1] for name in sys.modules if name.startswith('relearn_lite.')}\n"
        "print(sorted(layers), [name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "['core', 'recipe'] []"
