"""Prints events a second of the composer's decoder, as it is shipped, and seconds to write eight bars.

The network of `recipes/composer/config.toml` with random weights, or an exported one. An event is one step of six
streams, each of which is asked for; 300 steps stand before. Lines: torch, onnxruntime in float32 and int8, each with
the depth transformer begun anew at every stream and going on within the step. Every round runs every line once; given
are medians by the clock and by seconds of processor (which other programs disturb less), and how many tokens at
temperature 0 are torch's. Then three tracks of eight bars are written as `fill` does it, with 4 and with 8 candidates.

Usage: python benchmarks/decode_events.py [--composer FOLDER] [--threads 1] [--rounds 5] [--batches 1,8,16]
"""

import argparse
import json
import statistics
import tempfile
import time
import tomllib
from pathlib import Path

import numpy as np
import torch

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.learned.edits import filled
from songwright.compose.learned.onnx_steps import BACKBONE, CONFIG, DEPTH, HEAD, OnnxStepModel
from songwright.compose.tokens.features import FEATURE_SIZES
from songwright.compose.tokens.vocabulary import VOCABULARY_SIZES, vocabulary_hash
from songwright.neural.language_model import LanguageModelConfig, MultiStreamLM
from songwright.neural.onnx_graph import graphs
from songwright.neural.step_model import StepModel
from songwright.neural.torch_steps import TorchStepModel
from songwright.seeding import generator

RECIPE = Path(__file__).parents[1] / "recipes" / "composer" / "config.toml"
BEFORE, EVENTS, MAX_STEPS = 300, 20, 1024


class BegunAnew(OnnxStepModel):
    """Runs the streams of a step again for each of them."""

    def logits(self) -> np.ndarray:
        """Returns the same, for more work."""
        self._depth.forget()
        return super().logits()


def network() -> MultiStreamLM:
    """Returns the composer's network with random weights, far enough from zero that choices are no near-ties."""
    torch.manual_seed(0)
    wanted = tomllib.loads(RECIPE.read_text(encoding="utf-8"))["task"]["network"] | {"dropout": 0.0}
    config = LanguageModelConfig(VOCABULARY_SIZES, feature_sizes=FEATURE_SIZES, max_steps=MAX_STEPS, **wanted)
    model = MultiStreamLM(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2.5 if weight.ndim == 2 else 1.0)
    return model


def export(model: MultiStreamLM, folder: Path, *, int8: bool) -> Path:
    """Writes what `songwright export` writes."""
    config = model.config.as_dict()
    made = graphs(config, {name: value.numpy() for name, value in model.state_dict().items()}, int8=int8)
    folder.mkdir()
    (folder / BACKBONE).write_bytes(made.backbone)
    (folder / DEPTH).write_bytes(made.depth)
    for stream, head in enumerate(made.heads):
        (folder / HEAD.format(stream)).write_bytes(head)
    (folder / CONFIG).write_text(json.dumps({"network": config, "vocabulary_hash": vocabulary_hash()}))
    return folder


def decode(model: StepModel, batch: int) -> tuple[np.ndarray, float, float]:
    """Returns codes (B, K, T) of the likeliest events after given ones, and what they took by clock and processor."""
    random = generator(0, "decode")
    given = np.stack([random.integers(0, size, (batch, BEFORE)) for size in VOCABULARY_SIZES], axis=1)
    features = np.stack([random.integers(0, size, (batch, BEFORE + EVENTS)) for size in FEATURE_SIZES], axis=1)
    model.start(batch, BEFORE + EVENTS, features)
    model.prefill(given)
    model.logits()
    codes = np.zeros((batch, len(VOCABULARY_SIZES), EVENTS), dtype=np.int64)
    clock, processor = time.perf_counter(), time.process_time()
    for step in range(EVENTS):
        for stream in range(len(VOCABULARY_SIZES)):
            codes[:, stream, step] = model.logits().argmax(axis=1)
            model.feed(codes[:, stream, step])
    return codes, time.perf_counter() - clock, time.process_time() - processor


def measured(lines: dict[str, StepModel], batch: int, rounds: int) -> None:
    """Prints one line each."""
    each: dict[str, list[tuple[np.ndarray, float, float]]] = {name: [] for name in lines}
    for _ in range(rounds):
        for name, model in lines.items():
            each[name].append(decode(model, batch))
    first = next(iter(each.values()))[0][0]
    for name, found in each.items():
        clock, processor = (statistics.median(one[k] for one in found) for k in (1, 2))
        same, events = (found[0][0] == first).mean(), batch * EVENTS
        print(f"{f'batch {batch}, {name}':46}{events / clock:9.0f}{events / processor:9.0f}{same:9.1%}", flush=True)


def written(model: OnnxStepModel) -> None:
    """Prints how long `fill` takes."""
    song = compose_song(Brief(styles=("rock",), seed=4, duration_seconds=60.0))
    tracks = [track.id for track in song.tracks if track.role in ("melody", "bass", "drums")][:3]
    for candidates in (4, 8):
        clock, processor = time.perf_counter(), time.process_time()
        filled(song, tracks, 8, 16, model, seed=1, candidates=candidates)
        took = time.perf_counter() - clock, time.process_time() - processor
        print(f"8 bars of {', '.join(tracks)}, {candidates} candidates: {took[0]:.1f} s, {took[1]:.1f} s of processor")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--composer", type=Path, help="an exported composer, for the eight bars")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", default="1,8,16")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = network()
    size = f"{model.num_parameters / 1e6:.1f} M parameters"
    print(f"{size}, {EVENTS} events after {BEFORE}, {options.threads} thread(s), median of {options.rounds}")
    with tempfile.TemporaryDirectory() as place:
        folders = {name: export(model, Path(place) / name, int8=name == "int8") for name in ("float32", "int8")}
        print(f"{'':46}{'events/s':>9}{'/cpu s':>9}{'torch’s':>9}")
        lines: dict[str, StepModel] = {"torch": TorchStepModel(model)}
        for name, folder in folders.items():
            lines[f"{name}, streams begun anew"] = BegunAnew(folder, threads=options.threads)
            lines[name] = OnnxStepModel(folder, threads=options.threads)
        for batch in map(int, options.batches.split(",")):
            measured(lines, batch, options.rounds)
        written(OnnxStepModel(options.composer or folders["int8"], threads=options.threads))


if __name__ == "__main__":
    main()
