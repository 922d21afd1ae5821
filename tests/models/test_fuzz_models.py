"""60 model folders as nobody meant them: asked as plain transformers and peft ask them, or refused in one sentence.

Fixed seeds. Each is run by the command line up to its answers; where plain libraries load the folder without making up
weights, the answers are theirs, and where they do not, the exit code is 2.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import warnings
from collections import Counter
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from relearn_lite.cli import commands
from relearn_lite.models.transformers_backend import EMBEDDED

FOLDERS, SHORT = 60, 10
QUESTIONS = ["What is the home address of Chidera Obalende?", "To whom is Chidera Obalende married?"]
NEW = 6  # tokens of an answer
KEYS = {
    "hidden_size": [32, 60, 65, None, "64"], "intermediate_size": [64, 129, -1], "num_hidden_layers": [1, 3, 0],
    "num_attention_heads": [2, 5, 8, 0], "vocab_size": [10, 3500, 2999], "max_position_embeddings": [4, 16, 4096],
    "model_type": ["gpt2", "no-such", None], "architectures": [["NoSuch"], [], None],
    "torch_dtype": ["no-such", "float16"],
    "pad_token_id": [99999, -1, None, 2], "eos_token_id": [None, [0, 1], 99999, 3], "bos_token_id": [7, 99999],
    "tie_word_embeddings": [False], "hidden_act": ["gelu", "no-such"], "rms_norm_eps": [1e-3, "x"],
    "rope_parameters": [{"rope_type": "no-such"}, {"rope_theta": 10.0, "rope_type": "default"}, 7],
    "quantization_config": [{"quant_method": "gptq", "bits": 4}, {"quant_method": "no-such"}, {},
                            {"load_in_4bit": True}],
}  # fmt: skip
TEMPLATES = [
    "{{ raise_exception('no') }}", "{% for m in messages %}", "<|user|>Hello<|end|>", "", "{{ messages }}", None,
    "{% for m in messages %}<|{{ m.role }}|>{% for p in m.content %}{{ p.text }}{% endfor %}<|end|>{% endfor %}",
    "{% for m in messages %}{{ m.content }}{% endfor %}", "{{ messages[0].content }}\n",
    "{{ messages[0]['content'] | upper }}!",
    "{% for m in messages %}[{{ m.role }}] {{ m.content | trim }}\n{% endfor %}[assistant]",
    "{% if messages[0].role != 'system' %}{{ raise_exception('system first') }}{% endif %}{{ messages[0].content }}|",
]  # fmt: skip


class Spoiled:
    """A copy of the embedded model with one thing changed, and perhaps an adapter for it with another."""

    def __init__(self, seed: int, adapter: Path, place: Path):
        self.dice = random.Random(seed)
        self.folder = shutil.copytree(EMBEDDED, place / "model")
        self.adapter = shutil.copytree(adapter, place / "lora")
        self.kind = ["config", "tokenizer", "template", "weights", "adapter", "config"][seed % 6]
        self.brings_adapter = self.kind == "adapter"
        self.told = getattr(self, f"_{self.kind}")()

    def _json(self, path: Path, **keys) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | keys))

    def _cut(self, path: Path) -> str:
        raw = path.read_bytes()
        at = self.dice.randrange(len(raw))
        path.write_bytes(self.dice.choice([raw[:at], b"", b"[]", b"{}", raw[:at] + b"\xff" + raw[at + 1 :]]))
        return f"{path.name} cut"

    def _config(self) -> str:
        if self.dice.random() < 0.15:
            return self._cut(self.folder / "config.json")
        key = self.dice.choice(list(KEYS))
        value = self.dice.choice(KEYS[key])
        self._json(self.folder / "config.json", **{key: value})
        return f"{key}={value}"

    def _tokenizer(self) -> str:
        way = self.dice.choice(["cut", "config cut", "pad", "word", "eos", "no pad", "class", "special", "gone", "bos"])
        if way == "cut":
            return self._cut(self.folder / "tokenizer.json")
        if way == "config cut":
            return self._cut(self.folder / "tokenizer_config.json")
        if way == "class":
            self._json(self.folder / "tokenizer_config.json", tokenizer_class="NoSuchTokenizer")
        elif way == "gone":
            (self.folder / "tokenizer.json").unlink()
        else:
            tokenizer = AutoTokenizer.from_pretrained(self.folder)
            if way == "word":
                tokenizer.add_tokens(["Chidera"])
            elif way == "no pad":
                tokenizer.pad_token = None
            else:
                tokenizer.add_special_tokens({"pad": {"pad_token": "[PAD]"}, "eos": {"eos_token": "[END]"},
                                              "bos": {"bos_token": "[BOS]"},
                                              "special": {"additional_special_tokens": ["<img>"]}}[way])  # fmt: skip
            tokenizer.save_pretrained(self.folder)
        return f"tokenizer: {way}"

    def _template(self) -> str:
        path = self.folder / "chat_template.jinja"
        text = path.read_text()
        at = self.dice.randrange(len(text))
        new = self.dice.choice([*TEMPLATES, text[:at], text[:at] + text[at + 1 :], text[:at] + "{" + text[at:]])
        path.unlink() if new is None else path.write_text(new)
        return f"template {new!r}"

    def _weights(self) -> str:
        path = self.folder / "model.safetensors"
        way = self.dice.choice(["cut", "gone", "one gone", "half", "sizes", "one more", "zeros"])
        if way == "cut":
            return self._cut(path)
        weights = load_file(path)
        key = self.dice.choice(sorted(weights))
        if way == "gone":
            path.unlink()
            return "weights gone"
        if way == "one gone":
            del weights[key]
        elif way == "half":
            weights = {name: weight.half() for name, weight in weights.items()}
        elif way == "one more":
            weights["model.layers.7.mlp.up_proj.weight"] = torch.zeros(3)
        else:
            weights[key] = weights[key][:-1].clone() if way == "sizes" else torch.zeros_like(weights[key])
        save_file(weights, path, {"format": "pt"})
        return f"{way}: {key}"

    def _adapter(self) -> str:
        config, path = self.adapter / "adapter_config.json", self.adapter / "adapter_model.safetensors"
        way = self.dice.choice(["none", "cut", "config cut", "r", "lora_alpha", "target_modules", "bias", "peft_type",
                                "one gone", "init", "as model", "modules_to_save", "use_rslora"])  # fmt: skip
        if way in ("cut", "config cut"):
            return self._cut(path if way == "cut" else config)
        if way == "one gone":
            weights = load_file(path)
            del weights[self.dice.choice(sorted(weights))]
            save_file(weights, path)
        elif way == "as model":
            shutil.copy(config, self.folder / config.name)
            shutil.copy(path, self.folder / path.name)
        elif way == "init":
            self._json(config, init_lora_weights=self.dice.choice(["pissa", "olora", "gaussian", False]))
        elif way != "none":
            value = {
                "r": 2, "lora_alpha": 64, "target_modules": ["q_proj"], "bias": "all", "use_rslora": True,
                "peft_type": self.dice.choice(["PROMPT_TUNING", "NO_SUCH"]), "modules_to_save": ["lm_head"],
            }[way]  # fmt: skip
            self._json(config, **{way: value})
        return f"adapter: {way}"

    def right(self) -> dict[str, list[str]] | None:
        """The answers by plain libraries; None where they fail, make up weights, or ask without the question."""
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                tokenizer = AutoTokenizer.from_pretrained(self.folder)
                model, found = AutoModelForCausalLM.from_pretrained(
                    self.folder, output_loading_info=True, dtype=torch.float32
                )
                if found["missing_keys"] or found["mismatched_keys"] or getattr(model, "_hf_peft_config_loaded", False):
                    return None
                answers = {"vanilla": self._answers(model, tokenizer)}
                if self.brings_adapter:
                    changed = json.loads((self.adapter / "adapter_config.json").read_text())
                    if changed.get("init_lora_weights") in ("pissa", "olora"):
                        return None
                    model = PeftModel.from_pretrained(model, self.adapter)
                    answers["unlearned"] = self._answers(model, tokenizer)
            return None if any("adapter keys" in str(each.message) for each in told) else answers
        except Exception:
            return None

    def _answers(self, model, tokenizer) -> list[str]:
        texts = []
        for question in QUESTIONS:
            ids = self._prompt(tokenizer, question)
            ends, new = self._ends(model, tokenizer), []
            for _ in range(NEW):
                with torch.no_grad():
                    logits = model.eval()(input_ids=torch.tensor([ids + new])).logits[0, -1]
                if not logits.isfinite().all():
                    raise ValueError("no numbers")
                new.append(int(logits.argmax()))
                if new[-1] in ends:
                    new.pop()
                    break
            texts.append(tokenizer.decode(new, skip_special_tokens=True).strip())
        return texts

    @staticmethod
    def _ends(model, tokenizer) -> set[int]:
        own = model.generation_config.eos_token_id
        return {tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])} - {None}

    @staticmethod
    def _prompt(tokenizer, question: str) -> list[int]:
        if not tokenizer.chat_template:
            return list(tokenizer(f"Question: {question}\nAnswer:").input_ids)
        for content in (question, [{"type": "text", "text": question}]):
            try:
                text = tokenizer.apply_chat_template(
                    [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
                )
            except Exception:
                continue
            if text.partition(question)[2]:
                return list(tokenizer(text, add_special_tokens=False).input_ids)
        raise ValueError("nothing is asked")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    torch.manual_seed(3)
    base, place = AutoModelForCausalLM.from_pretrained(EMBEDDED, dtype=torch.float32), tmp_path_factory.mktemp("lora")
    config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"])
    model = get_peft_model(base, config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += torch.randn_like(parameter) * 0.3
    model.save_pretrained(place)
    return place


@pytest.mark.parametrize("seeds", [
    pytest.param(range(SHORT), id="a few"), pytest.param(range(SHORT, FOLDERS), id="all", marks=pytest.mark.slow),
])  # fmt: skip
def test_a_folder_is_asked_as_plain_libraries_ask_it_or_refused(adapter, tmp_path, monkeypatch, capsys, seeds):
    counts, wrong = Counter(), []
    monkeypatch.chdir(tmp_path)
    rows = "".join(json.dumps({"question": question, "answer": "She is."}) + "\n" for question in QUESTIONS)
    (tmp_path / "forget.jsonl").write_text(rows)
    (tmp_path / "retain.jsonl").write_text('{"question": "What is kept?", "answer": "This."}\n')
    for seed in seeds:
        place = tmp_path / str(seed)
        place.mkdir()
        case = Spoiled(seed, adapter, place)
        (place / "recipe.yaml").write_text(
            "name: t\nmodel: {name: ./model, quantization: none, backend: transformers}\nunlearn: null\n"
            "data: {forget: {path: ../forget.jsonl}, retain: {path: ../retain.jsonl}}\n"
            f"generate: {{max_new_tokens: {NEW}}}\n" + "unlearned: {adapter: ./lora}\n" * case.brings_adapter
        )
        code, words = 0, ["main.py", str(place / "recipe.yaml"), "--quiet", "--until", "generate", "--runs", str(place)]
        monkeypatch.setattr(sys, "argv", words)
        capsys.readouterr()
        try:
            commands.main()
        except SystemExit as stop:
            code = stop.code
        except Exception as error:
            code = f"{type(error).__name__}: {error}"
        told, right = capsys.readouterr().err, case.right()
        answers = None if code else {
            file.stem.partition("_")[0]: [json.loads(line)["generated_response"] for line in file.open()]
            for file in sorted((place / "t" / "answers").glob("*_forget.jsonl"))
        }
        counts["asked" if code == 0 else "refused, as plain libraries fail" if right is None else "refused"] += 1
        errors = [line for line in told.splitlines() if line.startswith("error: ")]
        if code not in (0, 2) or code == 2 and len(errors) != 1 or code == 0 and answers != right:
            wrong.append((seed, case.told, code, told[-300:], answers, right))
        if code == 0:
            counts["  different answers"] += len({text for texts in answers.values() for text in texts}) > 1
        elif right is not None:
            counts[f"  {seed} {case.told}: {errors[0][:160]}"] += 1
    print(json.dumps(counts, indent=1))
    assert not wrong, wrong
    assert counts["asked"] >= len(seeds) // 5 and counts["refused"] <= len(seeds) // 4, counts
    assert counts["  different answers"] >= counts["asked"] / 2, counts
