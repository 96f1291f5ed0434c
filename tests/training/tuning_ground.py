"""What the tests of tuning share: a composer with random weights as a folder, shards of small songs, the recipes."""

import sys
from pathlib import Path

import numpy as np
import torch

from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.features import FEATURE_SIZES, FEATURES
from songwright.compose.tokens.vocabulary import STREAMS, VOCABULARY_SIZES, vocabulary_hash
from songwright.neural.language_model import LanguageModelConfig, MultiStreamLM
from songwright.score.song import ChordSpan, Note, Song, Track
from songwright.training.checkpoint import save_model
from songwright.training.recipe import load_task, read_recipe
from songwright.training.shards import ShardPiece, ShardWriter
from songwright.training.weights import model_tensors, to_arrays

RECIPES = Path(__file__).parents[2] / "recipes"
BARS = 10
sys.path.insert(0, str(RECIPES / "preference"))
torch.set_num_threads(1)


def small_song(seed, *, wild=False):
    """Returns ten bars with tune, bass, chords and drums; wild, with a tune of any pitches."""
    random = np.random.default_rng(seed)
    roots = [(0, 5, 7, 9)[i] for i in random.integers(4, size=BARS)]
    names = {0: "C", 5: "F", 7: "G", 9: "Am"}
    scale = np.arange(60, 84) if wild else np.array([60, 62, 64, 65, 67, 69, 71, 72])
    tune = [Note(i * 960, 960, int(scale[random.integers(len(scale))]), 90) for i in range(4 * BARS)]
    bass = [Note(i * 1920, 1920, 36 + roots[i // 2], 90) for i in range(2 * BARS)]
    drums = [Note(i * 960, 240, 38 if i % 2 else 36, 100) for i in range(4 * BARS)]
    tracks = (
        Track("tune", "melody", "flute", notes=tuple(tune)),
        Track("bass", "bass", "electric_bass_finger", notes=tuple(bass)),
        Track("drums", "drums", "standard_kit", notes=tuple(drums)),
    )
    spans = tuple(ChordSpan(i * 3840, 3840, names[root]) for i, root in enumerate(roots))
    return Song(duration_ticks=BARS * 3840, chords=spans, tracks=tracks)


def write_shards(folder):
    """Writes four songs, one of them held apart, and names a corpus that must not be learned from."""
    ledger = {"pop909": {"usable": True}, "nottingham": {"usable": False, "why_not": "copyleft"}}
    with ShardWriter(folder, vocabulary_hash=vocabulary_hash(), streams=STREAMS, ledger=ledger) as writer:
        for number in range(4):
            split = "valid" if number == 3 else "train"
            writer.add(ShardPiece(f"pop909/{number}", "pop909", "none", split), encode(small_song(number)).codes)
    return folder


def write_start(folder, **changes):
    """Writes a composer with random weights."""
    torch.manual_seed(0)
    network = LanguageModelConfig(
        VOCABULARY_SIZES, "depth", dim=16, num_layers=1, num_heads=2, max_steps=420, depth_dim=16, depth_layers=1,
        feature_sizes=FEATURE_SIZES,
    )  # fmt: skip
    config = {
        "kind": "composer", "network": network.as_dict(), "features": list(FEATURES),
        "vocabulary_hash": vocabulary_hash(), "data": {"shard": "0"}, "ledger": {"pop909": {"usable": True}}, "step": 7,
        **changes,
    }  # fmt: skip
    save_model(folder, to_arrays(model_tensors(MultiStreamLM(network))), config)
    return folder


def open_recipe(name, table, *overrides):
    """Returns the task and the recipe of a folder, tiny, with other settings of the task."""
    recipe = read_recipe(RECIPES / name / "config-tiny.toml", overrides)
    recipe = type(recipe)(
        recipe.folder, {**recipe.task, **table}, recipe.optimiser, recipe.schedule, recipe.run
    )  # fmt: skip
    return load_task(recipe), recipe
