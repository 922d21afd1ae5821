"""torch's own activation checkpointing, under a name that nothing replaces.

Unsloth, when it is imported, puts its own in the place of torch's, for everyone: that one is reentrant whatever it is
asked for. So this module is imported before Unsloth is; it is one of the few that import torch at once.
"""

from torch.utils.checkpoint import checkpoint

__all__ = ["checkpoint"]
