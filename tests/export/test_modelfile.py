"""A Modelfile's TEMPLATE, run by Go's own template engine, which is what Ollama hands a conversation to; and by Jinja,
which has the same few words."""

import json
import re
import shutil
import subprocess

import pytest

from relearn_lite.data.examples import chat_ids
from relearn_lite.export.ollama import modelfile
from relearn_lite.models.gguf_vocabulary import _begin_texts
from relearn_lite.models.transformers_backend import EMBEDDED

GO = [
    pytest.mark.slow,  # Go compiles its library the first time
    pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed: apt-get install golang-go"),
]
RENDER = """package main
import ("encoding/json"; "os"; "text/template")
type Message struct { Role, Content string }
func main() {
	var asked struct { Template string; Messages []Message }
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil { panic(err) }
	made := template.Must(template.New("").Option("missingkey=zero").Parse(asked.Template))
	if err := made.Execute(os.Stdout, map[string]any{"Messages": asked.Messages}); err != nil { panic(err) }
}
"""
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TEMPLATES = {
    "embedded": "own", "none": None, "no template wanted": "", "ChatML": CHATML,
    "with a system line": "<|im_start|>system\nBe kind.<|im_end|>\n" + CHATML,
    "Qwen 3, which begins with no thoughts": CHATML.replace("assistant\n", "assistant\n<think>\n\n</think>\n\n"),
    "Mistral": "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
               "{% else %} {{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}",
    "Llama 2": "{% for m in messages %}{% if m['role'] == 'user' %}{{ bos_token }}[INST] {{ m['content'] }} [/INST]"
               "{% else %} {{ m['content'] }} {{ eos_token }}{% endif %}{% endfor %}",
}  # fmt: skip
TALK = [
    {"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": 'In "{{ there }}".'},
    {"role": "user", "content": "And then?"}, {"role": "assistant", "content": "Nothing."},
    {"role": "user", "content": "Why?"},
]  # fmt: skip


def in_jinja(template, messages):
    from jinja2 import Environment

    words = {
        r"range .*": "{% for m in messages %}", r"if eq \.Role (\S+)": r"{% if m.role == \1 %}",
        r"else if eq \.Role (\S+)": r"{% elif m.role == \1 %}", r"\.Content": "{{ m.content }}",
        r"if eq \(len \(slice \$\.Messages \$i\)\) 1": "{% if loop.last %}",
    }  # fmt: skip
    opened = []

    def word(found):
        if found[1] == "end":
            return f"{{% end{opened.pop()} %}}"
        opened.extend({"range": ["for"], "if": ["if"]}.get(found[1].split()[0], []))
        return next(re.sub(go, ours, found[1]) for go, ours in words.items() if re.fullmatch(go, found[1]))

    text = re.sub(r"\{\{ (.*?) \}\}", word, template)
    return Environment(keep_trailing_newline=True).from_string(text).render(messages=messages)


@pytest.fixture(scope="module", params=["jinja", pytest.param("go", marks=GO)])
def render(request, tmp_path_factory):
    if request.param == "jinja":
        return in_jinja
    folder = tmp_path_factory.mktemp("go")
    (folder / "render.go").write_text(RENDER)
    subprocess.run(["go", "build", "-o", "render", "render.go"], cwd=folder, check=True)

    def rendered(template, messages):
        asked = json.dumps({"Template": template, "Messages": messages})
        return subprocess.run([folder / "render"], input=asked, capture_output=True, text=True, check=True).stdout

    return rendered


@pytest.mark.parametrize("chat_template", TEMPLATES.values(), ids=TEMPLATES.keys())
@pytest.mark.parametrize("turns", [1, 3, 5])
@pytest.mark.parametrize(("bos", "adds"), [("<s>", True), ("<s>", False), ("<|im_start|>", False)])
def test_a_conversation_is_written_to_the_letter_as_the_chat_template_does(render, chat_template, turns, bos, adds):
    """Between an answer and the next question the line break of ChatML was missing, and the space before an answer; and
    SmolLM2's first mark, which is its begin token and which no runtime adds. adds: whether one adds the begin token."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
    if chat_template != "own":
        tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"], "bos_token": bos})
        tokenizer.chat_template = chat_template
        if adds:
            _begin_texts(tokenizer)
    template = re.search(r'TEMPLATE """(.*?)"""', modelfile("m.gguf", tokenizer), re.S)[1]
    wanted = tokenizer.decode(chat_ids(tokenizer, TALK[:turns]))
    assert render(template, TALK[:turns]) == (wanted.removeprefix(bos) if adds else wanted)
