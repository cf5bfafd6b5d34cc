"""The ties of `segmentation/tying.py` where they come from: a tiny word model.

The corpus is generated: words belong to classes, classes follow one another in a random chain,
words of a class are as unequal as in a language (Zipf). Its structure is known, so the lowest
possible perplexity is too. Every model is a causal trellis of words with a classifier after the
last depth and an auxiliary one after the middle; what differs is which weights are tied.

Example: python benchmarks/segmentation/tying_text.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from mav_perception.io.files import write_json
from mav_perception.segmentation.networks import count_parameters
from mav_perception.segmentation.tying import ClassEmbedding, JointSpace, reflect

WORDS, CLASSES, WIDTH, DEPTHS = 1000, 20, 48, 4
TRAIN, HELD_OUT = 60_000, 20_000
BATCH, LENGTH = 32, 32

MODELS = {
    'untied': ('untied', False),
    'class embedding': ('tied', False),
    'joint space': ('joint', False),
    'reflection': ('reflected', False),
    'trellis': ('untied', True),
    'trellis and class embedding': ('tied', True),
}
"""Name -> how words are tied, and whether depths are."""


def main() -> int:
    """Train all models and print the table; 0 if the papers' claims hold."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=800)
    parser.add_argument('--json', type=Path, help='write all figures there')
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results: dict[str, list[float]] = {name: [] for name in MODELS}
    bounds = []
    runs = [(name, seed) for seed in range(arguments.seeds) for name in MODELS]
    for name, seed in tqdm(runs, disable=None):
        corpus = Corpus(seed)
        torch.manual_seed(seed)
        model = WordModel(*MODELS[name])
        results[name].append(train(model, corpus, arguments.steps))
        bounds.append(corpus.lowest_perplexity())
    sizes = {name: count_parameters(WordModel(*MODELS[name])) for name in MODELS}
    held = print_table(results, sizes, float(np.mean(bounds)))
    if arguments.json:
        table = {n: {'parameters': sizes[n], 'perplexity': results[n]} for n in MODELS}
        write_json(arguments.json, table)
    return 0 if held else 1


class Corpus:
    """Words drawn from a chain of classes."""

    def __init__(self, seed: int) -> None:
        """Draw the chain, then the text."""
        rng = np.random.default_rng(seed)
        self._follow = rng.dirichlet(np.full(CLASSES, 0.15), CLASSES)
        self._class_of = rng.permutation(WORDS) % CLASSES
        self._share = np.zeros(WORDS)
        for kind in range(CLASSES):
            members = rng.permutation(np.flatnonzero(self._class_of == kind))
            zipf = 1.0 / np.arange(1, len(members) + 1)
            self._share[members] = zipf / zipf.sum()
        kinds = [0]
        for chance in rng.random(TRAIN + HELD_OUT - 1):
            kinds.append(int(np.searchsorted(self._follow[kinds[-1]].cumsum(), chance)))
        kinds_array = np.minimum(kinds, CLASSES - 1)
        text = np.zeros(len(kinds_array), np.int64)
        for kind in range(CLASSES):
            places, members = kinds_array == kind, np.flatnonzero(self._class_of == kind)
            text[places] = rng.choice(members, places.sum(), p=self._share[members])
        self.train, self.held_out = (
            torch.from_numpy(part) for part in (text[:TRAIN], text[TRAIN:])
        )

    def lowest_perplexity(self) -> float:
        """Return the perplexity of the chain itself on the held-out words."""
        words = self.held_out.numpy()
        kinds = self._class_of[words]
        chance = self._follow[kinds[:-1], kinds[1:]] * self._share[words[1:]]
        return float(np.exp(-np.log(np.maximum(chance, 1e-12)).mean()))


class WordModel(nn.Module):
    """A trellis over words: z_{k+1} = z_k + ReLU(V * norm(z_k) + U x), causal, kernel 2."""

    def __init__(self, words: str, tied_depths: bool) -> None:
        """Build; `words` is untied, tied, joint or reflected."""
        super().__init__()
        self.words = words
        self.embedding = ClassEmbedding(WORDS, WIDTH, projected=words == 'tied')
        self.joint = JointSpace(WIDTH, WIDTH) if words == 'joint' else None
        own = 2 if words == 'untied' else 0
        self.outputs = nn.ParameterList(torch.randn(WORDS, WIDTH) * 0.05 for _ in range(own))
        count = 1 if tied_depths else DEPTHS
        self.look_back = nn.ModuleList(nn.Conv1d(WIDTH, WIDTH, 2) for _ in range(count))
        self.inject = nn.ModuleList(nn.Conv1d(WIDTH, WIDTH, 1) for _ in range(count))
        self.norms = nn.ModuleList(nn.GroupNorm(1, WIDTH) for _ in range(DEPTHS))

    def forward(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B, WORDS, T) of the next word, and those of the middle depth."""
        features = functional.embedding(text, self.embedding.vectors).transpose(1, 2)
        hidden, middle = features, features
        for depth in range(DEPTHS):
            if depth == DEPTHS // 2:
                middle = hidden
            index = min(depth, len(self.look_back) - 1)
            normed = functional.pad(self.norms[depth](hidden), [1, 0])
            update = self.look_back[index](normed) + self.inject[index](features)
            hidden = hidden + functional.relu(update)
        return self._logits(hidden, 0), self._logits(middle, 1)

    def _logits(self, hidden: Tensor, head: int) -> Tensor:
        pixels, embedding = hidden[:, :, None], self.embedding
        if self.words == 'tied':
            logits = embedding.guess(pixels) if head else embedding.classify(pixels)
        elif self.joint is not None:
            logits = self.joint(embedding.vectors, pixels, embedding.bias)
        else:
            reflected = self.words == 'reflected'
            matrix = reflect(embedding.vectors, 1) if reflected else self.outputs[head]
            logits = functional.conv2d(pixels, matrix[:, :, None, None], embedding.bias)
        return logits[:, :, 0]


def train(model: WordModel, corpus: Corpus, steps: int) -> float:
    """Train a model and return its best perplexity on the held-out words, looked at five times."""
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=steps)
    best = float('inf')
    for step in range(steps):
        begin = torch.randint(0, TRAIN - LENGTH - 1, (BATCH, 1))
        text = corpus.train[begin + torch.arange(LENGTH + 1)]
        last, middle = model(text[:, :-1])
        loss = functional.cross_entropy(last, text[:, 1:])
        loss = loss + 0.3 * functional.cross_entropy(middle, text[:, 1:])
        loss = loss + model.embedding.penalty()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % (steps // 5) == 0:
            best = min(best, perplexity(model, corpus.held_out))
    return best


@torch.no_grad()
def perplexity(model: WordModel, words: Tensor) -> float:
    """Return exp of the mean loss on words."""
    whole = len(words) // (4 * LENGTH) * 4 * LENGTH
    text = words[:whole].view(-1, 4 * LENGTH)
    losses = [
        functional.cross_entropy(model(part[:, :-1])[0], part[:, 1:]) for part in text.split(16)
    ]
    return float(torch.stack(losses).mean().exp())


def print_table(results: dict[str, list[float]], sizes: dict[str, int], bound: float) -> bool:
    """Print it; return whether no tie is worse than the untied model by more than its spread."""
    first = np.array(results['untied'])
    print(f'lowest possible perplexity {bound:.1f}\n')
    print('| model | parameters | of untied | held-out perplexity | spread |')
    print('| --- | --- | --- | --- | --- |')
    for name, values in results.items():
        share = sizes[name] / sizes['untied']
        print(
            f'| {name} | {sizes[name]:,} | {share:.0%} | {np.mean(values):.1f} | '
            f'{np.std(values):.1f} |'
        )
    # Seeds draw corpora of their own: the models are compared on the same ones.
    return all((np.array(v) - first).mean() <= first.std() for v in results.values())


if __name__ == '__main__':
    raise SystemExit(main())
