"""Attacks on an unlearned model: does it tell after all, when it is asked, held or trained in another way?

Every attack asks questions of the evaluation sets and leaves its answers in attacks/<attack>.jsonl; only then are all
of them judged, as any other answers are, so that judges and attacked model need not be in memory together.
"""
