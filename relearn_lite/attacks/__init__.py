"""Attacks on an unlearned model: does it answer after all, when it is asked, loaded or trained in another way?

Every attack asks questions of the evaluation sets and leaves its answers in attacks/<attack>.jsonl; only then are all
of them judged, as any other answers are, so that judges and attacked model need not be in memory together.

To add one: a jailbreak prompt is an entry of jailbreaks.yaml. Any other attack is a file here that makes prompts
(`AttackPrompt`) or leaves answers (`AttackAnswer`) in a file; a key of `attacks` in relearn_lite/recipe/attacks.py; and
its place in run.py: in `run_attacks`, where it is asked, and in `_results`, where it gets its lines of the table.
relearn_lite/plan/attack.py counts its memory and its answers.
"""
