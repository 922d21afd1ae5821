"""The compare section: what a method has of `unlearn` and of its own, and how mistakes are told."""

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe import load_recipe, to_yaml
from relearn_lite.recipe.methods import Method

HEAD = """name: t
data: {preset: people}
unlearn: {method: npo, epochs: 2, lora: {r: 4, dropout: 0}, watch: {questions: 3}}
"""


def load(tmp_path, text):
    (tmp_path / "recipe.yaml").write_text(text)
    return load_recipe(tmp_path / "recipe.yaml")


def test_a_method_lays_its_own_keys_over_the_recipe_s(tmp_path):
    recipe = load(tmp_path, HEAD + """
compare:
  sweep: {lr: [1.0e-3]}
  methods:
    - {name: same}
    - {name: own, method: ga, epochs: 5, sweep: null, lora: {alpha: 8}}
    - {name: spelled, forget_loss: ga, retain_losses: {kl: 2.0}, watch: {lowest_krr: null}}
""")
    same, own, spelled = recipe.compare.methods
    assert same.settings == recipe.unlearn and same.sweep.lr == [1e-3]
    assert (own.method, own.epochs, own.lora.r, own.lora.alpha, own.lora.dropout) == ("ga", 5, 4, 8, 0)
    assert own.sweep is None
    assert spelled.settings.objective == Method("ga", {"kl": 2.0}) and spelled.watch.questions == 3


def test_it_says_the_same_when_written_out(tmp_path):
    text = HEAD + "compare: {methods: [{name: a, lora: {alpha: 8}}, {name: b, forget_loss: ce, sweep: {epochs: [1]}}]}"
    recipe = load(tmp_path, text)
    assert load(tmp_path, to_yaml(recipe)) == recipe


def test_every_mistake_is_told_at_once_and_one_in_unlearn_only_once(tmp_path):
    with pytest.raises(RecipeError) as error:
        load(tmp_path, HEAD.replace("epochs", "epoch") + """
compare:
  methods:
    - {name: a, metod: ga, lr: -1}
    - {name: b/c, method: gaa}
    - {name: vanilla}
""")
    told = "\n".join(error.value.problems)
    assert told.count("unlearn.epoch:") == 1 and len(error.value.problems) == 6
    assert "recipe.yaml:7: compare.methods.0.metod: unknown key; did you mean 'method'?" in told
    assert "compare.methods.1.method: unknown name 'gaa'; did you mean 'ga'?" in told
    assert "vanilla is the model before unlearning" in told


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("compare: {methods: [{name: a}, {name: a}]}", "'a' is given twice"),
        ("compare: {methods: []}", "compare.methods"),
        ("compare: {methods: [{name: a, sweep: {lr: []}}]}", "compare.methods.0.sweep.lr"),
        ("compare: {sweep: {lr: [1]}, methods: [{name: a, lr: auto}]}", "sweep: tries several lr, and lr is found"),
        ("compare: {sweep: {epochs: [1]}, methods: [{name: a, epochs: auto}]}", "sweep: tries several epochs"),
        ("compare: {methods: [{name: a, keep_best: harmonic}]}", "keep_best chooses among checks during training"),
        ("evaluate: {evaluators: {language_model: none}}\ncompare: {sweep: {lr: [1]}, methods: [{name: a}]}",
         "evaluate.evaluators.language_model: none, but keep_best and sweep choose by fluency"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, section, told):
    with pytest.raises(RecipeError) as error:
        load(tmp_path, HEAD + section)
    assert told in str(error.value)
