"""Every method's loss as its paper writes it: row by row and token by token, with no regard to speed or memory."""

from dataclasses import dataclass

import torch


@dataclass
class Row:
    """One answer: logits of the model and of the reference (T, V) at the positions that predict `tokens` (T)."""

    logits: torch.Tensor
    reference: torch.Tensor
    tokens: list[int]

    def __iter__(self):
        return iter([(z, r, y) for z, r, y in zip(self.logits, self.reference, self.tokens, strict=True)])

    def logp(self):
        """Log-probability of the answer."""
        return sum((z.exp()[y] / z.exp().sum()).log() for z, _, y in self)

    def reference_logp(self):
        return sum((r.exp()[y] / r.exp().sum()).log() for _, r, y in self).detach()


def probabilities(logits):
    return logits.exp() / logits.exp().sum()


def entropy(target, logits):
    """Cross-entropy of a distribution against softmax(logits)."""
    return -(target * probabilities(logits).log()).sum()


def kl(p, q):
    there = p > 0  # 0 ln 0 = 0
    return (p[there] * (p[there] / q[there]).log()).sum()


def js(p, q):
    m = (p + q) / 2
    return (kl(p, m) + kl(q, m)) / 2


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def tokens(rows):
    return [token for row in rows for token in row]


def nll(rows):
    return mean(-probabilities(z)[y].log() for z, _, y in tokens(rows))


def weighted(rows, weight):
    """-mean of weight(p) x NLL, the weight without gradient."""
    return mean(weight(float(probabilities(z)[y].detach())) * probabilities(z)[y].log() for z, _, y in tokens(rows))


def log_sigmoid(x):
    return -(1 + (-x).exp()).log()


def preference(won, lost, beta=0.1):
    """DPO on sums over answers."""
    margins = [
        (w.logp() - w.reference_logp()) - (m.logp() - m.reference_logp()) for w, m in zip(won, lost, strict=True)
    ]
    return mean(-2 / beta * log_sigmoid(beta * margin) for margin in margins)


def relearn_dpo(won, lost, beta=0.1):
    """DPO on means over the tokens of each answer."""
    def gain(row):
        return (row.logp() - row.reference_logp()) / len(row.tokens)

    return mean(-2 / beta * log_sigmoid(beta * (gain(w) - gain(m))) for w, m in zip(won, lost, strict=True))


def without(logits, token):
    z = logits.detach().clone()
    z[token] = float("-inf")
    return z


def lowered(logits, token, by):
    z = logits.detach().clone()
    z[token] -= by
    return z


def one_hot(token, like):
    return torch.nn.functional.one_hot(torch.tensor(token), len(like)).to(like)


def layer(rows, target):
    """Mean over rows of the mean over positions of ||h - target||² / H."""
    def distance(row):
        return mean(((h - t) ** 2).sum() / len(h) for h, t in zip(row.states, target(row), strict=True))

    return mean(distance(row) for row in rows)


@dataclass
class Hidden:
    """One answer at a layer: hidden states of the model and of the reference (T, H), and the random unit vector (H)."""

    states: torch.Tensor
    reference: torch.Tensor
    direction: torch.Tensor


# The forget terms by their published method; `part` gives the rows of a batch.
FORGET = {
    "relearn": lambda part: nll(part("augmented")),
    "relearn_dpo": lambda part: relearn_dpo(part("augmented"), part("original")),
    "ga": lambda part: -nll(part("original")),
    "npo": lambda part: mean(
        -2 / 0.1 * log_sigmoid(-0.1 * (row.logp() - row.reference_logp())) for row in part("original")
    ),
    "idk": lambda part: nll(part("refusal")),
    "dpo": lambda part: preference(part("refusal"), part("original")),
    "altpo": lambda part: preference(part("augmented"), part("original")),
    "simnpo": lambda part: mean(
        -2 / 4.5 * log_sigmoid(-4.5 * row.logp() / len(row.tokens)) for row in part("original")
    ),
    "undial": lambda part: mean(
        entropy(probabilities(lowered(r, y, 10.0)), z) for z, r, y in tokens(part("original"))
    ),
    "wga": lambda part: weighted(part("original"), lambda p: p),
    "satimp": lambda part: weighted(part("original"), lambda p: p**5 * (1 - p)),
    "ceu": lambda part: mean(
        entropy(probabilities(without(z, y)), z) for row in part("original") for z, _, y in list(row)[1:]
    ),
    "pdu": lambda part: mean((z.max() - z.mean()) ** 2 for z, _, _ in tokens(part("original"))),
    "jensun": lambda part: mean(js(probabilities(z), one_hot(y, z)) for z, _, y in tokens(part("refusal"))),
    "rmu": lambda part: layer(part("original, layer"), lambda row: [6.5 * row.direction] * len(row.states)),
    "task_vector": lambda part: nll(part("original")),
}
RETAIN = {
    "gdr": lambda part: nll(part("retain")),
    "klr": lambda part: mean(kl(probabilities(r).detach(), probabilities(z)) for z, r, _ in tokens(part("retain"))),
    "js": lambda part: mean(js(probabilities(z), probabilities(r).detach()) for z, r, _ in tokens(part("retain"))),
    "layer": lambda part: layer(part("retain, layer"), lambda row: row.reference.detach()),
}
OWN_RETAIN = {"pdu": ("gdr", 100.0), "jensun": ("js", 1.0), "rmu": ("layer", 1200.0)}
FORGET_WEIGHTS = {"simnpo": 0.125, "satimp": 0.1}  # beside a retain term


def sides(method, part):
    """The forget loss of a method and the weighted sum of its retain losses, as published."""
    name, *suffixes = method.replace("relearn_dpo", "relearn-dpo").replace("task_vector", "task-vector").split("_")
    name = name.replace("-", "_")
    retain = [RETAIN[s](part) for s in suffixes if s in RETAIN]
    weight = FORGET_WEIGHTS.get(name, 1.0) if retain else 1.0
    if name in OWN_RETAIN:
        term, times = OWN_RETAIN[name]
        retain.append(times * RETAIN[term](part))
    forget, kept = weight * FORGET[name](part), sum(retain)
    return (0.4 * forget, 2.0 * kept) if "memflex" in suffixes else (forget, kept)


def plain(method, part):
    """The whole loss."""
    return sum(sides(method, part))
