"""The learned tables of melody, read once and checked; what they mean is in `features`."""

import json
import zipfile
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from songwright.compose.melody.features import (
    DENSITIES,
    NUM_INTERVALS,
    NUM_PITCH_WEIGHTS,
    SYNCOPATIONS,
    CellTables,
    Floats,
    Ints,
    PitchContext,
    cell_onsets,
    cell_tables,
    each_pitch_index,
    each_rhythm_index,
    rhythm_templates,
    syncopation_of,
)
from songwright.errors import DataError

if TYPE_CHECKING:
    from songwright.compose.melody.phrase_plan import PhrasePlan, Setting
    from songwright.compose.melody.pitch import Past
    from songwright.compose.melody.rhythm import Slots

TABLES_FILE = Path(__file__).parents[1] / "tables" / "melody.npz"
METRES = ("4/4", "3/4", "6/8")
MAX_WEIGHT = 50.0


@dataclass(frozen=True)
class RhythmModel:
    """Rhythm cells of one metre and how likely they follow each other.

    Attributes:
        tables: the cells.
        weights: of `rhythm_indices`.
        onsets: number of notes that begin in each cell.
        syncopation: of each cell.
        fast: notes of a sixteenth that another follows at once, in each cell.
        first_onset: step of each cell's first onset, -1 without one.
        last_onset: step of each cell's last onset, -1 without one.
        density_edges, syncopation_edges: where the classes part.
        upbeats: how phrases are led into: half a bar of onsets, holds and rests, with its count.
    """

    tables: CellTables
    weights: Floats
    onsets: Ints
    syncopation: Floats
    fast: Ints
    first_onset: Ints
    last_onset: Ints
    density_edges: tuple[float, ...]
    syncopation_edges: tuple[float, ...]
    upbeats: tuple[tuple[str, int], ...]

    def scores(self, group: Ints, place: Ints, density: Ints, syncopation: Ints, history: Ints) -> Floats:
        """Returns the scores (log-likelihoods up to a constant) of all cells, (bars, cells)."""
        result = np.zeros((len(group), len(self.tables.cells)))
        for index in each_rhythm_index(self.tables, group, place, density, syncopation, history):
            result += self.weights[index]
        return result


class TuneReader(Protocol):
    """A network that reads one phrase for several tunes at once."""

    def scores(self, before: Ints) -> Floats:
        """Returns the log-probabilities (N, 25) of the intervals from the notes before (N,), counted from the tonic."""

    def feed(self, pitches: Ints) -> None:
        """Goes on with the notes (N,) that were drawn."""


class TuneNetwork(Protocol):
    """A network that may judge beside the table of pitches."""

    @property
    def particles(self) -> int:
        """N, how many tunes are drawn side by side."""

    def begin(self, plan: "PhrasePlan", setting: "Setting", slots: "Slots", past: "Past", shift: int) -> TuneReader:
        """Returns the reader of a phrase with this rhythm."""


@dataclass(frozen=True)
class MelodyModel:
    """Both models: `rhythm` of one metre, and `pitch`; a `network` judges beside `pitch`."""

    rhythm: RhythmModel
    pitch: Floats
    network: TuneNetwork | None = None

    def judged_by(self, network: TuneNetwork | None) -> "MelodyModel":
        """Returns the models with a network beside the table of pitches."""
        return self if network is None else replace(self, network=network)

    def interval_scores(self, context: PitchContext) -> Floats:
        """Returns the scores of the 25 intervals, (notes, 25)."""
        result = np.zeros((len(context.before), NUM_INTERVALS))
        for index in each_pitch_index(context):
            result += self.pitch[index]
        return result


@lru_cache(maxsize=8)
def load_model(metre: str = "4/4", path: Path = TABLES_FILE) -> MelodyModel:
    """Returns the learned models of a metre, one of `METRES`.

    Raises:
        DataError: the file is missing or is not what `recipes/melody/build.py` writes.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in ("meta", "pitch", f"rhythm {metre}")}
        meta = json.loads(arrays["meta"].tobytes().decode())
        if meta["format"] != "songwright.melody" or meta["schema_version"] != 1:
            raise DataError(path, f"expected songwright.melody of schema 1, not {meta['format']!r}")
        rhythm = _rhythm(meta, metre, arrays[f"rhythm {metre}"], path)
        pitch = _weights(arrays["pitch"], NUM_PITCH_WEIGHTS, "pitch", path)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, AttributeError) as error:
        raise DataError(path, f"not the tables of melody: {type(error).__name__} {error}") from error
    return MelodyModel(rhythm, pitch)


def _weights(array: np.ndarray, size: int, name: str, path: Path) -> Floats:
    if array.shape != (size,) or array.dtype.kind != "f":
        raise DataError(path, f"{name}: expected {size} numbers, not {array.dtype} {array.shape}")
    weights = array.astype(np.float64)
    if not np.isfinite(weights).all() or np.abs(weights).max() > MAX_WEIGHT:
        raise DataError(path, f"{name}: weights must be finite and within {MAX_WEIGHT:g}")
    return weights


def _rhythm(meta: dict[str, Any], metre: str, array: np.ndarray, path: Path) -> RhythmModel:
    cells = tuple(str(c) for c in meta["cells"][metre])
    steps = 16 if metre == "4/4" else 12
    if not cells or any(len(c) != steps or set(c) - set("x-.") for c in cells):
        raise DataError(path, f"{metre}: cells must be {steps} of x, - and .")
    tables = cell_tables(cells)
    weights = _weights(array, sum(a * b for _, a, b in rhythm_templates(tables)), f"rhythm {metre}", path)
    density, syncopation = (tuple(float(e) for e in edges) for edges in meta["edges"][metre])
    if len(density) != DENSITIES - 1 or len(syncopation) != SYNCOPATIONS - 1:
        raise DataError(path, f"{metre}: wrong number of class edges")
    onsets = [cell_onsets(c) for c in cells]
    return RhythmModel(
        tables,
        weights,
        np.array([len(o) for o in onsets]),
        np.array([syncopation_of(c) for c in cells]),
        np.array([c.count("xx") for c in cells]),
        np.array([o[0] if o else -1 for o in onsets]),
        np.array([o[-1] if o else -1 for o in onsets]),
        density,
        syncopation,
        tuple((str(text), int(count)) for text, count in meta["upbeats"][metre]),
    )
