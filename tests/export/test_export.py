"""Exports: what is written answers as the adapter did, is measured, and is there whole or not at all."""

import json
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from relearn_lite.cli.commands import cli
from relearn_lite.core.errors import RecipeError
from relearn_lite.export import Export, check_export, export_run, merge
from relearn_lite.export import export as steps
from relearn_lite.export.card import model_card
from relearn_lite.export.measure import Measured
from relearn_lite.export.room import Needs, check_room, needs
from relearn_lite.models.transformers_backend import EMBEDDED
from relearn_lite.pipeline.finished_run import reopened
from relearn_lite.recipe import Unlearn
from relearn_lite.recipe.model import Unlearned
from relearn_lite.recipe.training import Finetune

ROOT = Path(__file__).parents[2]
PLAIN = """
import json, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, questions = sys.argv[1], json.load(sys.stdin)
tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
texts = []
for question in questions:
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    ids = model.generate(**prompt, max_new_tokens=24, do_sample=False)[0, prompt["input_ids"].shape[1]:]
    texts.append(tokenizer.decode(ids, skip_special_tokens=True).strip())
print(json.dumps(texts))
"""


def rows(run):
    return [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]


def export(run, target, *formats, **options):
    told = []
    found = export_run(reopened(run, "export"), Export(target, formats or ("safetensors",), **options), told.append)
    return found, told


def refused(run, target, *formats, **options):
    with pytest.raises(RecipeError) as told:
        export(run, target, *formats, **options)
    return str(told.value)


@pytest.fixture(scope="module")
def merged(finished_run, tmp_path_factory):
    """The run as safetensors in float32, and what was measured of it."""
    target = tmp_path_factory.mktemp("exports") / "whole"
    return target, export(finished_run, target, dtype="float32")[0]


def test_merged_weights_answer_as_the_adapter_with_plain_transformers_in_a_process_of_their_own(merged, finished_run):
    folder, found = merged
    asked = rows(finished_run)
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(folder)], input=json.dumps([row["query"] for row in asked]),
        capture_output=True, text=True, check=True, cwd=folder.parent,
    )  # fmt: skip
    same = sum(text == row["unlearned"] for text, row in zip(json.loads(done.stdout), asked, strict=True))
    assert same >= 0.98 * len(asked) and found.same >= 0.98 * len(asked) == 0.98 * found.asked
    assert found.lost == [] and found.numbers["exported"]["kfr"] == found.numbers["adapter"]["kfr"] == 1


def test_an_export_to_the_folder_where_one_is_has_its_name(finished_run, tmp_path, monkeypatch):
    """`--to .` left a model without a name, in a file such as `-f16.gguf`, which programs take for an option."""
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    words = ["export", str(finished_run), "--to", ".", "--no-check"]
    shown = CliRunner().invoke(cli, words, catch_exceptions=False).output
    assert f"exported to {tmp_path / 'mine'}\n" in shown
    assert "\n# mine\n" in (tmp_path / "mine/README.md").read_text()


def test_plain_transformers_ends_an_answer_where_the_template_does(finished_run, tmp_path, monkeypatch, merged):
    """With a template of the recipe's own, whose end the model's generation_config.json does not name, it went on."""
    from transformers import AutoTokenizer

    def ends(folder):
        return json.loads((folder / "generation_config.json").read_text())["eos_token_id"]

    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
    assert ends(merged[0]) == tokenizer.eos_token_id
    tokenizer.chat_template = tokenizer.chat_template.replace("<|end|>", "<|user|>")
    monkeypatch.setattr(merge, "load_tokenizer", lambda settings: tokenizer)
    export(finished_run, tmp_path / "out", check=False)
    assert ends(tmp_path / "out") == [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|user|>")]


def test_options_of_the_base_that_are_idle_hold_up_no_export(finished_run, tmp_path):
    """transformers loads a temperature without sampling, as Llama 2 came with, and refuses to save it: once merged."""
    base = shutil.copytree(EMBEDDED, tmp_path / "base")
    own = json.loads((base / "generation_config.json").read_text())
    (base / "generation_config.json").write_text(json.dumps(own | {"temperature": 0.6, "top_p": 0.9, "top_k": 20}))
    run = reopened(finished_run, "export", [f"model.name={base}"])
    export_run(run, Export(tmp_path / "out", check=False), lambda line: None)
    assert json.loads((tmp_path / "out/generation_config.json").read_text())["eos_token_id"] == own["eos_token_id"]


def test_a_merged_folder_has_all_that_a_model_needs(merged):
    folder = merged[0]
    there = {path.name for path in folder.iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "README.md"} <= there
    config = json.loads((folder / "config.json").read_text())
    assert config["dtype"] == "float32" and "quantization_config" not in config
    assert (folder / "chat_template.jinja").read_text() == (EMBEDDED / "chat_template.jinja").read_text()


def vanilla_kfr(run) -> float:
    """The model knows what it was taught, so this is far from 1."""
    value = json.loads((run / "metrics.json").read_text())["vanilla"]["kfr"]
    assert value < 0.5
    return value


def test_the_card_says_what_was_done_and_holds_no_forget_data(merged, finished_run):
    from huggingface_hub import ModelCard

    text = (merged[0] / "README.md").read_text()
    head = ModelCard(text).data
    assert head.license == "mit" and head.pipeline_tag == "text-generation" and "machine-unlearning" in head.tags
    assert f"| Forgotten (KFR) | {vanilla_kfr(finished_run):.3f} | 1.000 | 1.000 |" in text
    assert "Licence of the base" in text
    for row in rows(finished_run):
        assert not any(row[key] in text for key in ("query", "ground_truth", "vanilla", "unlearned") if row[key])
    assert "Chidera" not in text and str(finished_run.parent) not in text and str(ROOT) not in text


def test_the_card_of_a_run_that_found_its_own_settings_says_what_was_found(finished_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    found = {"lr": 2.6e-4, "step": 36, "strength": 0.8}
    (folder / "logs/unlearn").mkdir(parents=True)
    (folder / "logs/unlearn/search.json").write_text(json.dumps(found))
    run = reopened(folder, "export")
    run = replace(run, recipe=run.recipe.model_copy(update={"unlearn": Unlearn(lr="auto", epochs="auto")}))
    text = model_card(run, ("forgot", "float32"), ("safetensors",), None)
    assert "learning rate 0.00026, 36 steps, 80% of the adapter's update, seed" in text and "auto" not in text
    (folder / "logs/unlearn/search.json").unlink()  # as where the logs were deleted
    text = model_card(run, ("forgot", "float32"), ("safetensors",), None)
    assert "learning rate and length found in training, seed" in text and "auto" not in text


def test_the_card_says_only_what_holds_for_this_export(finished_run, merged):
    """Of whole weights that were named it said that an adapter was merged, of a base in 16 bit `(none base)`, of what a
    finetune section taught that it was the base, and `Measured in these files` of what was not measured."""
    run, found = reopened(finished_run, "export"), merged[1]
    assert "Adapter: as it was trained (base not quantized)." in model_card(run, ("m", "f16"), ("safetensors",), found)
    assert "Measured in these files" not in model_card(run, ("m", "f16"), ("safetensors",), None)
    whole = replace(run, recipe=run.recipe.model_copy(update={"unlearned": Unlearned(model=str(merged[0]))}))
    text = model_card(whole, ("m", "f16"), ("safetensors",), None)
    assert "These are the whole weights that it was given, in f16." in text and "adapter" not in text.lower()
    taught = replace(run, recipe=run.recipe.model_copy(update={"finetune": Finetune()}))
    text = model_card(taught, ("m", "f16"), ("safetensors",), found)
    assert "Before: the base, taught in this run." in text
    alone = model_card(run, ("m", "f16"), ("adapter",), found)
    assert "The files hold the adapter alone" in alone and "LoRA adapter" not in alone


def test_weights_are_written_in_shards_and_read_from_them(finished_run, tmp_path, monkeypatch):
    assert merge.SHARD == "5GB"  # as docs/export.md says; transformers' own are ten times that
    monkeypatch.setattr(merge, "SHARD", "2MB")
    folder = tmp_path / "parts"
    found, _ = export(finished_run, folder, dtype="float32")
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 1
    assert (folder / "model.safetensors.index.json").is_file() and not (folder / "model.safetensors").exists()
    assert found.same == found.asked


def test_by_default_weights_are_as_the_base_has_them(finished_run, tmp_path):
    export(finished_run, tmp_path / "out", check=False)
    assert json.loads((tmp_path / "out/config.json").read_text())["dtype"] == "float16"  # the embedded model's own
    assert "**not measured**" in (tmp_path / "out/README.md").read_text()


def test_an_adapter_is_exported_with_its_card_and_measured_on_its_base(finished_run, tmp_path):
    found, _ = export(finished_run, tmp_path / "out", "adapter")
    config = json.loads((tmp_path / "out/adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "embedded" and found.same == found.asked
    assert "library_name: peft" in (tmp_path / "out/README.md").read_text()


def test_all_columns_are_by_the_judges_of_today(finished_run, tmp_path):
    """Numbers in metrics.json by an older version's judges would pass for what the export changed, or hide it."""
    run = shutil.copytree(finished_run, tmp_path / "run")
    old = json.loads((run / "metrics.json").read_text())
    old["unlearned"] |= {"kfr": 0.25, "krr": 0.5}
    old["vanilla"]["kfr"] = 0.75
    (run / "metrics.json").write_text(json.dumps(old))
    numbers = export(run, tmp_path / "out", "adapter")[0].numbers
    assert numbers["adapter"]["kfr"] == numbers["exported"]["kfr"] == 1
    assert numbers["adapter"]["krr"] == numbers["exported"]["krr"]
    assert numbers["before"]["kfr"] == vanilla_kfr(finished_run)


def test_a_bad_export_is_caught_red(finished_run, tmp_path, monkeypatch):
    """An adapter that was lost on the way (the base's weights alone are written) tells everything again."""
    words = ["export", str(finished_run), "--to", str(tmp_path / "out")]
    monkeypatch.setattr(steps, "write_merged", lambda run, folder, dtype: shutil.copytree(
        EMBEDDED, folder, dirs_exist_ok=True
    ))  # fmt: skip
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 1
    fell = f"Forgotten (KFR) fell from 1.000 to {vanilla_kfr(finished_run):.3f}: the export tells again"
    assert fell in done.output.replace("\n", " ")
    assert "**Forgotten (KFR) fell from 1.000" in (tmp_path / "out/README.md").read_text()
    told = []
    monkeypatch.setenv("HF_TOKEN", "hf_for_this_test")
    monkeypatch.setattr(steps, "push", lambda *_: pytest.fail("a bad export was sent"))
    export_run(reopened(finished_run, "export"), Export(tmp_path / "two", push="me/it"), told.append)
    assert told[-1] == "not sent to me/it: see above"
    again = CliRunner().invoke(cli, ["export", str(finished_run), "--check", str(EMBEDDED)])
    assert again.exit_code == 1 and f"to {vanilla_kfr(finished_run):.3f}" in again.output


def test_red_is_what_fell_and_nothing_else():
    """Where the reworded questions told again, KFR of the plain ones was red too: its name is the beginning of theirs.
    """
    adapter, exported = {"kfr": 1.0, "kfr_paraphrase": 1.0}, {"kfr": 1.0, "kfr_paraphrase": 0.5}
    found = Measured({"before": {}, "adapter": adapter, "exported": exported}, {}, 1, 2)
    assert len(found.lost) == 1 and found.lost[0].startswith("Forgotten (KFR), reworded questions fell from 1.000")
    assert {row.label: row.at("exported")[0].tone for row in found.table().rows} == {"kfr": "", "kfr_paraphrase": "bad"}


def test_what_could_not_be_judged_has_not_measured_well():
    """A judge that failed for the exported answers let a bad export through."""
    found = Measured({"before": {}, "adapter": {"kfr": 0.9}, "exported": {"kfr": None}}, {}, 1, 2)
    assert found.lost == [
        "Forgotten (KFR) could not be judged of the export, 0.900 of the adapter: whether it tells again is not known"
    ]
    assert found.table().rows[0].at("exported")[0].tone == "bad"


def test_what_is_not_measured_is_not_sent_as_measured(finished_run, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_for_this_test")
    run = reopened(finished_run, "export", ["evaluate.metrics=[rouge]"])
    with pytest.raises(RecipeError, match="--push: kfr is not among evaluate.metrics .*; .* or add --no-check"):
        export_run(run, Export(tmp_path / "out", push="me/it"), print)


def test_an_adapter_from_elsewhere_leaves_what_lies_beside_it(finished_run, tmp_path):
    """Checkpoints of a trainer, its logs and a table of questions went along, and would have been sent."""
    made = shutil.copytree(finished_run.parents[1] / "made", tmp_path / "made")
    (made / "checkpoint-5").mkdir()
    for name in ("checkpoint-5/optimizer.pt", "forget.jsonl", "README.md"):
        (made / name).write_text("Chidera Obalende")
    export_run(
        reopened(finished_run, "export", [f"unlearned.adapter={made}"]),
        Export(tmp_path / "out", ("adapter",), check=False), print,
    )  # fmt: skip
    there = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*"))
    assert there == ["README.md", "adapter_config.json", "adapter_model.safetensors"]
    assert "Chidera" not in (tmp_path / "out/README.md").read_text()


def test_nothing_is_written_over(finished_run, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    assert "full has files in it, and nothing is written over; name a new folder" in refused(
        finished_run, tmp_path / "full"
    )
    assert "mine.txt is a file" in refused(finished_run, tmp_path / "full/mine.txt")
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "mine.txt"]


def test_a_kill_in_the_middle_leaves_nothing_at_the_target_and_the_next_try_is_whole(finished_run, tmp_path):
    target = tmp_path / "out"
    command = [sys.executable, str(ROOT / "main.py"), "export", str(finished_run), "--to", str(target)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("export: asking"):
            break
    assert (tmp_path / ".out.tmp/model.safetensors").is_file() and not target.exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not target.exists()
    export(finished_run, target, check=False)
    assert (target / "model.safetensors").is_file() and [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_told_and_leaves_nothing(finished_run, tmp_path):
    """Files of at most 1 MB stand for a disk that fills up while weights are written."""
    before, most = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, most[1]))
    try:
        told = refused(finished_run, tmp_path / "out", check=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
        signal.signal(signal.SIGXFSZ, before)
    assert told.startswith("--to: ") and "could not be written" in told
    assert list(tmp_path.iterdir()) == []


def test_disk_and_memory_are_counted_before_anything_is_loaded(tmp_path, monkeypatch):
    from collections import namedtuple

    with pytest.raises(RecipeError, match=r"--to: the disk of .* has .* GB free, and this export needs 9000000.0 GB"):
        check_room(Needs(9 * 10**15, 1), tmp_path / "new/folder")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: namedtuple("usage", "free")(5 * 10**6))
    with pytest.raises(RecipeError, match=r"has 5\.0 MB free, and this export needs 20\.0 MB there"):
        check_room(Needs(2 * 10**7, 1), tmp_path)
    monkeypatch.undo()
    with pytest.raises(RecipeError, match="of memory free, and this export needs .* GB; end other programs"):
        check_room(Needs(1, 9 * 10**15), tmp_path)
    sizes = namedtuple("Sizes", "merged quantized")
    found = sizes(
        needs(10**9, "bfloat16", ("safetensors",), "f16", check=False),
        needs(10**9, "bfloat16", ("gguf",), "q4_k_m", check=True),
    )
    assert 2e9 < found.merged.disk < 2.2e9 and 2e9 < found.merged.memory < 2.2e9
    assert found.quantized.disk > 8e9 and found.quantized.memory > 4e9  # f16 beside it, and read back in float32


def test_push_needs_a_token_before_any_work(finished_run, tmp_path, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    assert "--push: there is no token of the hub on this machine; run `hf auth login`" in refused(
        finished_run, tmp_path / "out", push="me/model"
    )
    assert "'model' is no repository's name; give USER/NAME" in refused(finished_run, tmp_path / "out", push="model")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_measured_or_is_not_there_is_told(finished_run, tmp_path):
    copy = shutil.copytree(finished_run, tmp_path / "run")
    (copy / "metrics.json").unlink()
    assert "was not evaluated yet" in refused(copy, tmp_path / "out")
    with pytest.raises(RecipeError, match="--check: .* holds no model; give a folder of safetensors"):
        check_export(reopened(finished_run, "export"), tmp_path)
    for place in ("nowhere/x.gguf", "x.gguf"):
        with pytest.raises(RecipeError, match=f"--check: .*{place} holds no model; give a folder of safetensors"):
            check_export(reopened(finished_run, "export"), tmp_path / place)
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter/adapter_config.json").write_text("{}")
    with pytest.raises(RecipeError, match=r"--check: .*adapter has no adapter_model\.safetensors; give a folder of"):
        check_export(reopened(finished_run, "export"), tmp_path / "adapter")
    assert "adapter stands alone" in refused(finished_run, tmp_path / "out", "adapter", "gguf")
    with pytest.raises(RecipeError, match="export: give one of --to FOLDER"):
        CliRunner().invoke(cli, ["export", str(finished_run)], catch_exceptions=False, standalone_mode=False)


def test_weights_that_are_in_4_bit_already_are_not_merged_into(finished_run, tmp_path):
    base = shutil.copytree(EMBEDDED, tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (base / "config.json").write_text(json.dumps(config))
    with pytest.raises(RecipeError, match=r"quantized already \(4bit\), and merging rounds them again; give those"):
        run = reopened(finished_run, "export", [f"model.name={base}"])
        export_run(run, Export(tmp_path / "out", check=False), print)

