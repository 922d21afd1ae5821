"""The notebook, executed from its first cell to its last as somebody without a cloud would."""

from __future__ import annotations

import re
import shutil
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks/relearn_lite.ipynb"


# What is run in fewer steps here than by a user.
SHORTER = {
    '"recipes/quickstart.yaml"': '"recipes/quickstart.yaml", "unlearn.epochs=1", "augment.questions=[simple]"',
    'relearn("run", *ASKED, "--runs", RUNS, "--quiet")':
        'relearn("run", *ASKED, "unlearn.budget=60", "--runs", RUNS, "--quiet")',
    "LESS_MEMORY = False": 'LESS_MEMORY = True; ASKED += ["unlearn.lr=2e-3", "unlearn.epochs=1"]',
}


@pytest.mark.slow
def test_every_cell_runs_and_ends_with_a_model_to_take_home(tmp_path, monkeypatch):
    """Cells tagged `cloud` are left out. Prints what each cell took."""
    monkeypatch.setenv("RELEARN_RUNS", str(tmp_path))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    kernel = tmp_path / "jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    started = f'["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (kernel / "kernel.json").write_text(f'{{"argv": {started}, "display_name": "t", "language": "python"}}')
    book = nbformat.read(NOTEBOOK, as_version=4)
    book.cells = [cell for cell in book.cells if "cloud" not in cell.metadata.get("tags", ())]
    client = NotebookClient(book, timeout=400, resources={"metadata": {"path": str(ROOT)}})
    with client.setup_kernel():
        for number, cell in enumerate(book.cells):
            if cell.cell_type == "code":
                for written, shorter in SHORTER.items():
                    cell.source = cell.source.replace(written, shorter)
                start = time.monotonic()
                client.execute_cell(cell, number)
                print(f"{time.monotonic() - start:6.1f} s  {cell.source.splitlines()[-1][:80]}")
    shown = "".join(output.get("text", "") for cell in book.cells for output in cell.get("outputs", ()))
    assert re.search(r"known: \d+ of \d+", shown) and "fine. Stages" in shown
    assert (tmp_path / "notebook-adapter/README.md").exists()
    for run in ("quickstart", "notebook", "notebook-small"):
        assert (tmp_path / run / "report.html").exists()
        shutil.rmtree(tmp_path / run)
    assert sum("iframe" in str(cell.get("outputs", ())) for cell in book.cells) == 3


def test_the_notebook_holds_no_output_and_names_its_cloud_cells():
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    cloud = [cell for cell in code if "cloud" in cell.metadata["tags"]]
    assert len(cloud) == 3 and not any(
        re.search(r"colab|^[!%]", cell.source, re.MULTILINE) for cell in code if cell not in cloud
    )
