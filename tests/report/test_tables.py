"""One table in every format: the same rows, each text shown as it is, nothing that a reader's program would run."""

import re
import subprocess
import sys
from io import StringIO

from rich.console import Console

from relearn_lite.metrics import keys
from relearn_lite.report.metric_table import label
from relearn_lite.report.render import document, latex, page
from relearn_lite.report.sections import Section
from relearn_lite.report.tables import Cell, Row, Table, measured

HOSTILE = "<b>a|b</b> & 50%_$x$ [red]{c}\\\u202e"
TABLE = Table("First <i>", {"kfr": "KFR ↑", "why": "Why | not"}, [
    Row(HOSTILE, {"kfr": measured(0.5, (0.25, 0.75), "best"), "why": Cell(HOSTILE)}, notes=("1 of 2 missing",)),
    Row("pair", {"kfr": (measured(1.0), measured(None))}),
    Row("broken", {}, failure=f"Failed: {HOSTILE}"),
], left=("why",))  # fmt: skip


def test_markdown_has_the_rows_and_no_markup_of_theirs():
    text = document("t", [Section("s", "S", [TABLE])]).partition("## S\n\n")[2]
    assert "|**0.500** (0.250 – 0.750)|" in text and "|1.000 / —|—|" in text and "1 of 2 missing" in text
    assert not re.search(r"(?<!\\)[<>$]", text) and "\u202e" not in text
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines()}) == 1
    assert text.splitlines()[1] == "|---|---:|---|---|"


def test_latex_has_the_rows_and_no_command_of_theirs():
    tex = latex(TABLE)
    assert r"\begin{tabular}{lrl}" in tex and r"\textbf{0.500} &" in tex and r"\multicolumn{2}{l}{failed}" in tex
    assert r"\textless{}b\textgreater{}a\textbar{}b" in tex and "\u202e" not in tex
    assert r"\& 50\%\_\$x\$ {[}red]\{c\}\textbackslash{}" in tex
    assert tex.count(r" \\") == 4


def test_a_narrow_terminal_leaves_out_columns_and_names_them_and_cuts_no_number():
    """At 40 columns the names of the rows were gone, and 0.986 read 0.9."""
    names = {"a": "Vanilla", "b": "Unlearned", "c": "Of vanilla's", "why": "Missing"}
    cells = {"a": measured(0.014), "b": measured(0.986), "c": Cell("5 min 31 s"), "why": Cell("2 of 72 missing after")}
    table = Table("Metric", names, [Row("Forgotten (KFR)", cells)], left=("why",)).console("t", "Judged.")
    whole = {}
    for width in (24, 36, 40, 60, 80, 200):
        console = Console(width=width, file=StringIO())
        console.print(table)
        text = console.file.getvalue()
        assert "Forgotten" in text and "0.014" in text and max(map(len, text.splitlines())) <= width
        told = " ".join(text.split()).partition("Too narrow for: ")[2].partition(".")[0].split(", ")
        whole[width] = {key for key, name in names.items() if name not in told}
        assert all(cells[key].text in text for key in whole[width] - {"why"}), width
        assert "Judged." in text
    assert whole[24] == {"a"} and {"a", "b"} <= whole[36] and whole[60] == whole[80] == whole[200] == set(names)


def test_the_console_has_the_rows_and_reads_no_markup():
    for spreads in (False, True):
        console = Console(width=150, record=True, file=StringIO())
        console.print(TABLE.console("[bold]t[/nope]", "caption", spreads))
        text = console.export_text()
        assert "[red]{c}" in text and "[bold]t[/nope]" in text and "failed" in text and "—" in text
        assert ("0.250 – 0.750" in text) == spreads


def test_a_page_has_the_rows_escaped():
    html = page("t", [Section("s", "S", [TABLE])])
    assert "&lt;b&gt;a|b&lt;/b&gt;" in html and "<b>a" not in html and "\u202e" not in html
    assert '<span class="best">0.500<small>0.250 – 0.750</small></span>' in html
    assert '<td colspan="2" class="bad">Failed: &lt;b&gt;' in html and "1 of 2 missing" in html
    assert "<script" not in html and "script-src" not in html


def test_every_metric_has_a_name_for_people():
    assert [key for key in keys() if label(key) == key] == []
    assert label("kfr_paraphrase") == "Forgotten (KFR), reworded questions"
    assert label("rougeL_forget_paraphrase") == "ROUGE-L recall, forget, reworded questions"
    assert label("yours") == "yours"


def test_importing_reports_loads_neither_matplotlib_nor_pandas_nor_torch():
    code = (
        "import sys, relearn_lite.report.render, relearn_lite.report.compare_files, relearn_lite.report.console\n"
        "print([name for name in ('matplotlib', 'pandas', 'torch', 'rich', 'jinja2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
