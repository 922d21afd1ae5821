"""Carrying an unlearned model away: merged weights, GGUF, Ollama's Modelfile or the adapter, with a model card.

Rounding moves weights by about as much as careful unlearning does, so what was written is loaded and asked again before
it is put in place (see docs/export.md).
"""

from relearn_lite.export.export import Export, check_export, export_run

__all__ = ["Export", "check_export", "export_run"]
