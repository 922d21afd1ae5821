"""Talking with a run's model before and after unlearning: the same weights, with the adapter off and on.

Nothing of it is written to disk: no history of questions, no answers.
"""

from relearn_lite.chat.terminal import chat

__all__ = ["chat"]
