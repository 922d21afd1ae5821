"""A Modelfile's TEMPLATE, run by Go's own template engine, which is what Ollama hands a conversation to."""

import json
import re
import shutil
import subprocess

import pytest

from relearn_lite.data.examples import chat_ids
from relearn_lite.export.ollama import modelfile
from relearn_lite.models.transformers_backend import EMBEDDED

pytestmark = [
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
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n"
    "{% endif %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TALK = [
    {"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": 'In "{{ there }}".'},
    {"role": "user", "content": "And then?"},
]  # fmt: skip


@pytest.fixture(scope="module")
def render(tmp_path_factory):
    folder = tmp_path_factory.mktemp("go")
    (folder / "render.go").write_text(RENDER)
    subprocess.run(["go", "build", "-o", "render", "render.go"], cwd=folder, check=True)

    def rendered(template, messages):
        asked = json.dumps({"Template": template, "Messages": messages})
        return subprocess.run([folder / "render"], input=asked, capture_output=True, text=True, check=True).stdout

    return rendered


@pytest.mark.parametrize("chat_template", [None, CHATML], ids=["embedded", "with a system line"])
@pytest.mark.parametrize("turns", [1, 3])
def test_go_writes_a_conversation_to_the_letter_as_the_chat_template_does(render, chat_template, turns):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
    if chat_template:
        tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
        tokenizer.chat_template = chat_template
    template = re.search(r'TEMPLATE """(.*?)"""', modelfile("m.gguf", tokenizer), re.S)[1]
    wanted = tokenizer.decode(chat_ids(tokenizer, TALK[:turns])).removeprefix(tokenizer.bos_token or "")
    assert render(template, TALK[:turns]) == wanted
