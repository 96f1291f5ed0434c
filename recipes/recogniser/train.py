"""Trains the recogniser and writes `src/songwright/evaluation/phonemes.npz`; resumable, with time left.

Usage: python recipes/recogniser/train.py --shards FOLDER --work FOLDER [--config FILE] [--steps N] [--out FILE]
"""

import argparse
import io
import json
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sounds import Example, unpack
from torch import Tensor, nn

from songwright.evaluation.mel import NUM_BANDS
from songwright.evaluation.phoneme_classes import languages, phoneme_classes
from songwright.files import write_bytes
from songwright.seeding import generator

SPANS: dict[str, tuple[int, int]] = {}
_at = 0
for _language in languages():
    _size = len(phoneme_classes(_language).names)
    SPANS[_language] = (_at, _at + _size)
    _at += _size
NUM_OUTPUTS = _at
DRAWN_OUT_SHARE = 0.6
AVERAGE_KEEPS = 0.998
"""How much of the running mean of the weights stays at every step; the mean is what is written and measured."""


class Network(nn.Module):
    """Convolutions over time with growing dilation; one output for each class of each language."""

    def __init__(self, channels: int, dilations: list[int]) -> None:
        super().__init__()
        self.first = nn.Conv1d(NUM_BANDS, channels, 5, padding=2, bias=False)
        self.first_norm = nn.BatchNorm1d(channels)
        self.layers = nn.ModuleList(
            nn.Conv1d(channels, channels, 3, padding=d, dilation=d, bias=False) for d in dilations
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in dilations)
        self.head = nn.Conv1d(channels, NUM_OUTPUTS, 1)
        self.drop = nn.Dropout(0.1)

    def forward(self, mel: Tensor) -> Tensor:
        """Returns (batch, outputs, frames) of (batch, bands, frames)."""
        x = torch.relu(self.first_norm(self.first(mel)))
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = x + self.drop(torch.relu(norm(layer(x))))
        out: Tensor = self.head(x)
        return out


def load(folder: Path, side: str) -> list[Example]:
    """Returns the examples of every finished shard of a side."""
    return [e for p in sorted(folder.glob(f"{side}-*.npz")) if ".part" not in p.name for e in unpack(dict(np.load(p)))]


def batch_of(examples: list[Example], size: int, frames: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Returns spectra (B, bands, T) and labels (B, T) of random stretches, with random tilt, noise and masked bands."""
    mel = np.zeros((size, frames, NUM_BANDS), np.float32)
    labels = np.full((size, frames), -100, np.int64)
    for row in range(size):
        pair = 2 * int(random.integers(len(examples) // 2))  # spoken, drawn out
        e = examples[pair + int(random.random() < DRAWN_OUT_SHARE)]
        start = int(random.integers(max(1, len(e.labels) - frames + 1)))
        if random.random() < 0.3:  # faster or slower
            length = min(frames, int((len(e.labels) - start) * (pace := float(random.uniform(0.8, 1.3)))))
            at = start + np.arange(length) / pace
            low_frame = at.astype(np.int64)
            share = (at - low_frame)[:, None].astype(np.float32)
            above = e.mel[np.minimum(low_frame + 1, len(e.mel) - 1)].astype(np.float32)
            piece = e.mel[low_frame].astype(np.float32) * (1 - share) + above * share
            told = e.labels[np.minimum(np.round(at).astype(np.int64), len(e.labels) - 1)]
        else:
            length = min(frames, len(e.labels) - start)
            piece, told = e.mel[start : start + length].astype(np.float32), e.labels[start : start + length]
        knots = np.interp(np.arange(NUM_BANDS), np.linspace(0, NUM_BANDS - 1, 6), random.normal(0, 0.25, 6))
        piece = piece + knots.astype(np.float32) + np.float32(random.normal(0, 0.1))
        if random.random() < 0.3:
            low = int(random.integers(NUM_BANDS - 6))
            piece[:, low : low + int(random.integers(2, 7))] = 0.0
        mel[row, :length] = piece + random.normal(0, 0.05, piece.shape)
        labels[row, :length] = told.astype(np.int64) + SPANS[e.language][0]
    return torch.from_numpy(mel).transpose(1, 2), torch.from_numpy(labels)


def masks() -> Tensor:
    """Returns (outputs, outputs): row of a label → minus infinity at the classes of other languages."""
    mask = torch.full((NUM_OUTPUTS, NUM_OUTPUTS), -1e4)
    for first, last in SPANS.values():
        mask[first:last, first:last] = 0.0
    return mask


def loss_of(outputs: Tensor, labels: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
    """Returns cross entropy within each language, rare classes weighted up a little."""
    logits = outputs.transpose(1, 2).float()  # (B, T, C)
    use = labels >= 0
    flat, target = logits[use], labels[use]
    flat = flat + mask[target]
    return nn.functional.cross_entropy(flat, target, weight=weights)


def class_weights(examples: list[Example]) -> Tensor:
    """Returns weights that fall with the fourth root of how often a class is heard."""
    counts = np.full(NUM_OUTPUTS, 100.0)
    for e in examples:
        first, last = SPANS[e.language]
        counts[first:last] += np.bincount(e.labels, minlength=last - first)
    weights = counts**-0.25
    return torch.tensor(weights / weights.mean(), dtype=torch.float32)


@torch.no_grad()
def frame_accuracy(network: Network, examples: list[Example]) -> float:
    """Returns the share of frames whose class is the likeliest; the network is left as it is used, not trained."""
    network.eval()
    right = total = 0
    for e in examples:
        first, last = SPANS[e.language]
        logits = network(torch.from_numpy(e.mel.astype(np.float32)).T[None])[0, first:last]
        right += int((logits.argmax(0).numpy() == e.labels).sum())
        total += len(e.labels)
    return right / max(total, 1)


def bigrams(examples: list[Example], language: str) -> np.ndarray:
    """Returns (classes, classes) log probabilities of the next phone; class 0 stands for the line's ends."""
    first, last = SPANS[language]
    counts = np.full((last - first, last - first), 0.3)
    for e in examples:
        if e.language == language and e.phones:
            row = [0, *e.phones, 0]
            np.add.at(counts, (row[:-1], row[1:]), 1.0)
    return np.log(counts / counts.sum(axis=1, keepdims=True))


def export(network: Network, examples: list[Example], dilations: list[int], path: Path) -> None:
    """Writes the network with its norms folded into the convolutions, priors and bigrams, as float16."""
    network.eval()

    def folded(conv: nn.Conv1d, norm: nn.BatchNorm1d) -> tuple[np.ndarray, np.ndarray]:
        gain = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach()
        weight = conv.weight.detach() * gain[:, None, None]  # (out, in, K)
        return weight.permute(2, 1, 0).numpy(), (norm.bias.detach() - norm.running_mean * gain).numpy()

    arrays: dict[str, Any] = {"dilations": np.array([1, *dilations])}
    pairs = [(network.first, network.first_norm), *zip(network.layers, network.norms, strict=True)]
    for i, (conv, norm) in enumerate(pairs):
        weight, bias = folded(conv, norm)
        arrays[f"weight_{i}"], arrays[f"bias_{i}"] = weight.astype(np.float16), bias.astype(np.float16)
    arrays["head_weight"] = network.head.weight.detach().numpy()[:, :, 0].T.astype(np.float16)
    arrays["head_bias"] = network.head.bias.detach().numpy().astype(np.float16)
    for language, (first, last) in SPANS.items():
        counts = np.full(last - first, 50.0)
        for e in examples:
            if e.language == language:
                counts += np.bincount(e.labels, minlength=last - first)
        arrays[f"prior_{language}"] = np.log(counts / counts.sum()).astype(np.float16)
        arrays[f"bigram_{language}"] = bigrams(examples, language).astype(np.float16)
        arrays[f"span_{language}"] = np.array([first, last])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(path, buffer.getvalue())


@torch.no_grad()
def follow(average: Network, network: Network, step: int) -> None:
    """Moves the running mean a little towards the weights; at first it forgets faster."""
    keeps = min(AVERAGE_KEEPS, (1 + step) / (10 + step))
    for mean, now in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.mul_(keeps).add_(now, alpha=1.0 - keeps)


def save_state(network: Network, average: Network, optimiser: torch.optim.Optimizer, step: int, work: Path) -> None:
    """Writes a checkpoint from which training goes on."""
    state = dict(network.state_dict()) | {f"average.{k}": v for k, v in average.state_dict().items()}
    names = [n for n, _ in network.named_parameters()]
    for i, values in optimiser.state_dict()["state"].items():
        for key in ("exp_avg", "exp_avg_sq"):
            state[f"optimiser.{names[i]}.{key}"] = values[key]
    part = work / "checkpoint.part.npz"
    np.savez(part, **{k: v.detach().numpy() for k, v in state.items()})
    part.replace(work / "checkpoint.npz")
    (work / "step.json").write_text(json.dumps({"step": step}), encoding="utf-8")


def resume(network: Network, average: Network, optimiser: torch.optim.Optimizer, work: Path) -> int:
    """Loads a checkpoint if there is one; returns the steps already made."""
    if not (work / "step.json").exists():
        return 0
    step = int(json.loads((work / "step.json").read_text(encoding="utf-8"))["step"])
    state = {k: torch.from_numpy(v.copy()) for k, v in np.load(work / "checkpoint.npz").items()}
    network.load_state_dict({k: v for k, v in state.items() if not k.startswith(("optimiser.", "average."))})
    average.load_state_dict({k.removeprefix("average."): v for k, v in state.items() if k.startswith("average.")})
    for name, parameter in network.named_parameters():
        optimiser.state[parameter] = {
            "step": torch.tensor(float(step)),
            "exp_avg": state[f"optimiser.{name}.exp_avg"],
            "exp_avg_sq": state[f"optimiser.{name}.exp_avg_sq"],
        }
    return step


def main() -> None:
    """Trains, reports, and writes the weights every so many steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--out", type=Path, default=Path("src/songwright/evaluation/phonemes.npz"))
    arguments = parser.parse_args()
    config = tomllib.loads(arguments.config.read_text(encoding="utf-8"))
    shape, plan, seed = config["network"], config["training"], config["data"]["seed"]
    steps = arguments.steps or plan["steps"]
    arguments.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    network = Network(shape["channels"], shape["dilations"])
    average = Network(shape["channels"], shape["dilations"]).eval()
    average.load_state_dict(network.state_dict())
    print(f"{sum(p.numel() for p in network.parameters())} parameters", flush=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan["learning_rate"], weight_decay=0.01)
    first = resume(network, average, optimiser, arguments.work)
    examples = load(arguments.shards, "train")
    validation = [load(arguments.shards, side) for side in ("validation", "validation_drawn")]
    weights, mask = class_weights(examples), masks()
    started, total = time.perf_counter(), 0.0
    for step in range(first, steps):
        if step % 500 == 0 and step > first:
            examples = load(arguments.shards, "train")
            weights = class_weights(examples)
        rate = plan["learning_rate"] * min(1.0, (step + 1) / 200) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = max(float(rate), 1e-5)
        mel, labels = batch_of(examples, plan["batch"], plan["frames"], generator(seed, "batch", step))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = network(mel)
        loss = loss_of(outputs, labels, mask, weights)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        follow(average, network, step)
        total += loss.item()
        if (step + 1) % plan["report_every"] == 0:
            left = (time.perf_counter() - started) / (step + 1 - first) * (steps - step - 1)
            said = f"step {step + 1} of {steps}: loss {total / plan['report_every']:.3f}, {left / 60:.1f} minutes left"
            print(f"{said}, {len(examples)} examples", flush=True)
            total = 0.0
        if (step + 1) % plan["save_every"] == 0 or step + 1 == steps:
            right = " and ".join(f"{frame_accuracy(average, rows):.3f}" for rows in validation)
            print(f"frames right on validation voices, spoken and drawn out: {right}", flush=True)
            save_state(network, average, optimiser, step + 1, arguments.work)
            export(average, examples, shape["dilations"], arguments.out)


if __name__ == "__main__":
    main()
