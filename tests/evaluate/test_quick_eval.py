"""A few questions to a model in between: what it measures, and that it leaves the model as it was."""

import pytest
import torch

from relearn_lite.evaluate.choose import make_evaluators
from relearn_lite.evaluate.quick_eval import quick_eval, selection_questions
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.pipeline.run_state import Run
from relearn_lite.recipe import Lora, load_recipe


@pytest.fixture
def work(tmp_path):
    text = (
        "name: c\nmodel: {name: embedded, quantization: none}\ngenerate: {max_new_tokens: 48}\n"
        "data: {forget: {preset: people/forget, limit: 4}, retain: {preset: people/retain, limit: 4}}\n"
    )
    (tmp_path / "recipe.yaml").write_text(text)
    return Run(load_recipe(tmp_path / "recipe.yaml"), tmp_path)


def test_a_new_adapter_is_vanilla_and_a_ruined_one_is_not(work):
    loaded = backends.load(work.recipe.model, 0)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=2), 0)
    apart = {f"{side}_select": work.data[side] for side in ("forget", "retain")}
    questions = selection_questions(apart, 2)
    assert [qa.id for qa in questions["forget"]] == [work.data["forget"][n].id for n in (0, 3)]
    ask = quick_eval(work.recipe, loaded, questions, make_evaluators(work.recipe, lambda: loaded))
    loaded.model.train()
    before = torch.get_rng_state()
    reading = ask()
    assert torch.equal(torch.get_rng_state(), before) and loaded.model.training
    assert reading.krr == 1.0 and reading.ls_share == pytest.approx(1.0)
    assert [a["split"] for a in reading.answers] == ["forget", "forget", "retain", "retain"]
    assert all(a["generated_response"] for a in reading.answers)

    with torch.no_grad():
        for name, parameter in loaded.model.named_parameters():
            if f".{UNLEARNED}." in name:
                parameter.normal_(std=1.0)
    ruined = ask()
    assert ruined.krr == 0.0 and (ruined.ls_share is None or ruined.ls_share < 0.5)
