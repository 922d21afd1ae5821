"""The stages in order, what each depends on, and the run folder that remembers them."""

from relearn_lite.pipeline.check import check
from relearn_lite.pipeline.pipeline import in_first_process, run

__all__ = ["check", "in_first_process", "run"]
