import dataclasses
import html
import json
import re
from html.parser import HTMLParser

import pytest
import yaml

from relearn_lite.report.render import render_html, render_markdown
from relearn_lite.report.run_results import RunResults, read_run
from relearn_lite.report.untrusted import fenced, inline

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects tags with their attributes, and checks that they are closed in order."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def page(results):
    return Page(render_html(results))


def test_the_page_is_whole_and_needs_nothing_else(page):
    assert page.open == []
    assert not [attrs for _, attrs in page.tags if {"src", "srcset", "action"} & attrs.keys()]
    links = [attrs["href"].removeprefix("#") for _, attrs in page.tags if "href" in attrs]
    assert links and set(links) <= {attrs.get("id") for _, attrs in page.tags}, "within the page only"
    assert not {tag for tag, _ in page.tags} & {"img", "link", "iframe", "object", "textarea"}
    assert "url(" not in "".join(page.text) and "@import" not in "".join(page.text)


def test_hostile_answers_stay_text(results, page):
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    text = "".join(page.text)
    assert "<script>alert(1)</script>" in text and "{{ 7*7 }}" in text
    assert "\x00" not in text and "\u202e" not in text
    assert "before␀after" in text and "user⟨U+202E⟩gnp.exe" in text
    render_html(results).encode()


def test_only_the_one_script_may_run(page):
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/=]{44}'", policy)
    assert "unsafe-inline" not in policy.split("script-src")[1]


def test_a_reader_finds_verdict_numbers_judges_cost_and_recipe(page):
    text = "".join(page.text).replace("\u00a0", " ")
    for part in ("It forgot: 86 %", "0.790 – 0.920", "after: 1 of 12 missing", "do not compare", "Tesla T4",
                 "hashed character n-grams", "10 min 13 s", "7.3 GB", "relearn_klr_gdr", "optimizer step"):  # fmt: skip
        assert part in text, part
    assert "c0ffee" not in text  # bookkeeping


def test_the_filter_finds_what_it_counts(page):
    tags = [attrs["data-tags"].split() for _, attrs in page.tags if "data-tags" in attrs]
    buttons = re.findall(r"(All|Leaked|Lost|Not finished|Not judged|Forgotten|Kept) (\d+)", "".join(page.text))
    names = {"Leaked": "leaked", "Lost": "lost", "Not finished": "unfinished", "Not judged": "unjudged",
             "Forgotten": "forgotten", "Kept": "kept"}  # fmt: skip
    assert dict(buttons) == {"All": str(len(tags))} | {
        label: str(sum(name in each for each in tags)) for label, name in names.items()
    }


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_mask_leaves_no_trace_of_a_forget_answer(results, render):
    assert "Fennimore" in render(results)
    masked = render(results, mask=True)
    assert not re.search(r"Fennimore|Kelp|Harrowby|kelp\.example|1961|Osei", masked)
    assert "Shakespeare" in masked
    assert "Masked" in masked


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_mask_covers_who_is_to_be_forgotten_in_the_recipe_too(results, render):
    """A run that collects its questions about a name wrote the name out below its masked answers."""
    intro = f"a lighthouse keeper of Ostermoor {'who reads a lot ' * 6}by the sea"
    forget = {"subject": "Ada Fennimore", "intro": intro, "topic": None, "where": {"person": "Ada Fennimore"},
              "path": "/home/me/fennimore/questions.json"}  # fmt: skip
    asked = {"name": "ada-fennimore", "data": {"forget": forget, "limit": 7, "where": {"author": ["Bram Fennimore"]}}}
    asked["data"] |= {"forget_eval": {"where": {"person": "Ada Fennimore"}}, "retain": {"where": {"a": 1}}}
    own = dataclasses.replace(results, name="ada-fennimore", recipe=yaml.safe_dump(asked, sort_keys=False))
    assert "Ostermoor" in render(own) and "Ada Fennimore" in render(own)
    masked = render(own, mask=True)
    assert not re.search("Fennimore|Ostermoor|lighthouse|by the sea", masked, re.IGNORECASE)
    assert "subject: ▒▒▒" in masked and "topic: null" in masked and "limit: 7" in masked and "a: 1" in masked


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_a_run_that_left_almost_nothing_still_has_a_report(render):
    nothing = RunResults("empty", {"vanilla": {}, "unlearned": {"kfr": None, "missing": {"kfr": 3}}})
    text = render(nothing)
    assert "3 answers missing" in text
    assert "No losses were recorded" in text
    assert "nan" not in text.lower().split("<script")[0].split("</style>")[-1]


def test_an_empty_answer_is_shown_as_empty(results):
    samples = [{**results.samples[0], "unlearned": ""}]
    assert "(empty)" in render_html(dataclasses.replace(results, samples=samples))


def test_markdown_cannot_be_broken_out_of():
    assert fenced("a ```` b").startswith("`````text\n")
    assert inline("a | <b> [x](y) `c`") == r"a \| \<b\> \[x\]\(y\) \`c\`"


def test_one_long_word_is_broken_and_not_cut(results):
    """A question that is one long address was cut at the edge of its card, and a judge's name ran out of the page."""
    assert "p, th small, .card header span { overflow-wrap: anywhere; }" in render_html(results)


def test_markdown_does_not_call_general_questions_retain_questions(results):
    general = {"id": "c1", "split": "control", "query": "Is water wet?", "ground_truth": "Yes.", "vanilla": "Yes.",
               "unlearned": "Yes.", "scores": {"unlearned": {"kept_general": 1.0}}}  # fmt: skip
    assert "### Retain questions (2 of 2)" in render_markdown(results)
    more = dataclasses.replace(results, samples=[*results.samples, general])
    assert "### Retain and general questions (3 of 3)" in render_markdown(more)


def test_markdown_tables_have_as_many_cells_as_their_heads(results):
    for table in re.findall(r"(?:^\|.*\|\n)+", render_markdown(results), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_a_run_folder_is_read_back_whatever_an_answer_holds(tmp_path, results):
    odd = {**results.samples[0], "unlearned": "one\u2028two\u0085three"}
    (tmp_path / "samples.jsonl").write_text(json.dumps(odd, ensure_ascii=False) + "\n", encoding="utf-8")
    (tmp_path / "metrics.json").write_text(json.dumps(results.metrics))
    (tmp_path / "manifest.json").write_text(json.dumps(results.manifest))
    (tmp_path / "recipe.yaml").write_text(results.recipe)
    read = read_run(tmp_path)
    assert read.samples == [odd]
    assert "one⟨U+2028⟩two⟨U+0085⟩three" in "".join(Page(render_html(read)).text)


def test_what_went_wrong_in_training_is_said_in_words(results):
    losses = [{"step": n, "loss": -2.0 * n, "forget": -2.0 * n} for n in range(40)]
    assert "fell without bound" in render_html(dataclasses.replace(results, losses=losses))
    assert "fell without bound" not in render_html(results)


def test_what_differs_from_the_paper_is_told_thing_by_thing(results):
    """In the page and in Markdown; nothing is said where nothing differs."""
    page, text = render_html(results), render_markdown(results)
    for told in ("2 differences from its protocol", "model.chat_template", "is auto; the paper's is none."):
        assert told in html.unescape(page) and told in text.replace("\\", "")
    told = {"comparable_with_paper": True, "differences_from_paper": []}
    alike = dataclasses.replace(results, metrics=results.metrics | told)
    assert "from its protocol" not in render_html(alike) + render_markdown(alike)
    assert "compare with the ReLearn paper's; other numbers do not" in render_markdown(alike)
