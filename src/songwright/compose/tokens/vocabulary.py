"""What each integer of the event language means: six streams, their ranges, and the hash that names them.

An event is one column of six numbers: kind, position, value, length, velocity, word. Zero in a stream means that the
kind does not use it. Ranges within a stream never overlap, so a number has one meaning whatever stands beside it.
Nothing here knows songs; see `grid`, `encode` and `decode`.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from songwright.score.instruments import INSTRUMENTS
from songwright.score.song import SECTION_ROLES, TICKS_PER_QUARTER, TRACK_ROLES
from songwright.score.theory import MODES, QUALITIES

GRID = 24
"""Steps to the quarter note."""

TICKS_PER_STEP = TICKS_PER_QUARTER // GRID
MAX_BAR_STEPS = 192
"""Longest bar (two whole notes); longer ones are divided."""

MAX_LENGTH = 192
"""Longest length of one event; longer notes go on with TIE."""

VELOCITY_LEVELS = 32
ENERGY_LEVELS = 8
MAX_BAR_NUMBER = 64
MAX_SLOTS = 64
"""How many players of one role there can be."""

MAX_SYLLABLES = 63
MAX_SECTION_BARS = 32
HARMONY = "harmony"
STREAMS = ("kind", "position", "value", "length", "velocity", "word")
KIND, POSITION, VALUE, LENGTH, VELOCITY, WORD = range(6)
NUM_STREAMS = len(STREAMS)


class Kind(IntEnum):
    """What an event is."""

    PAD = 0
    BOS = 1
    EOS = 2
    STYLE = 3
    METER = 4
    TEMPO = 5
    KEY = 6
    PLAYER = 7
    INSTRUMENT = 8
    DENSITY = 9
    REGISTER = 10
    POLYPHONY = 11
    SYNCOPATION = 12
    REPETITION = 13
    REFERENCE = 14
    FILL = 15
    BAR = 16
    SECTION = 17
    TRACK = 18
    CHORD = 19
    LINE = 20
    NOTE = 21
    TIE = 22


class Word(IntEnum):
    """What is sung on a note; the numbers of the `word` stream."""

    NONE = 0
    UNSTRESSED = 1
    STRESSED = 2
    HELD = 3


STYLES = (
    "", "afrobeat", "ambient", "blues", "bossa_nova", "cinematic", "classical", "country", "disco", "drum_and_bass",
    "folk", "funk", "gospel", "guofeng", "hip_hop", "house", "jazz", "lofi", "mandarin_ballad", "metal", "pop", "punk",
    "reggae", "reggaeton", "rnb", "rock", "russian_romance", "salsa", "soul", "synthwave", "techno", "trap", "waltz",
    "chorale", "hymn", "lied", "quartet", "folk_dance", "piano_solo", "game", "latin", "swing", "march", "dance",
)  # fmt: skip
"""Styles by number, 0 unknown: the style books of the program, then kinds of music that only corpora have."""

ROLES = (*TRACK_ROLES[:10], HARMONY)
"""Roles of parts; the song's chords are a part of their own."""

DRUM_ROLES = frozenset(ROLES.index(role) for role in ("drums", "percussion"))
SECTIONS = SECTION_ROLES[:13]
QUALITY_NAMES = tuple(QUALITIES)[:49]
MODE_NAMES = tuple(MODES)[:12]
INSTRUMENT_NAMES = tuple(INSTRUMENTS)[:165]
METERS = tuple((n, d) for d in (1, 2, 4, 8, 16, 32) for n in range(1, 2 * d + 1))
"""Metres whose bars fit: numerator and denominator."""

TEMPOS_BPM = tuple(round(120.0 * 2.0 ** ((i - 41) / 16.0), 2) for i in range(64))
"""Centres of the tempo bins, 20 to 311 quarters a minute, sixteen to the doubling."""

CONTROL_LEVELS = 10
"""Levels of every measured control; see `controls`."""


@dataclass(frozen=True, slots=True)
class Range:
    """A run of numbers in one stream: `start` stands for 0, `start + size - 1` for the last."""

    start: int
    size: int

    @property
    def stop(self) -> int:
        """The first number after it."""
        return self.start + self.size


def _ranges(sizes: dict[str, int]) -> dict[str, Range]:
    """Returns ranges one after another, from 1 on: 0 is unused."""
    found, start = {}, 1
    for name, size in sizes.items():
        found[name] = Range(start, size)
        start += size
    return found


VALUES = _ranges(
    {
        "pitch": 128,
        "drum": 128,
        "chord": 1 + 12 * len(QUALITY_NAMES),
        "bar": MAX_BAR_NUMBER,
        "section": len(SECTIONS),
        "role": len(ROLES),
        "syllables": MAX_SYLLABLES + 1,
        "style": len(STYLES),
        "meter": len(METERS),
        "tempo": len(TEMPOS_BPM),
        "key": 12 * len(MODE_NAMES),
        "instrument": len(INSTRUMENT_NAMES),
        "density": CONTROL_LEVELS,
        "register": CONTROL_LEVELS,
        "polyphony": CONTROL_LEVELS,
        "syncopation": CONTROL_LEVELS,
        "repetition": CONTROL_LEVELS,
    }
)
"""Ranges of the value stream.

A chord is 0 for none, else 1 + root * qualities + quality; a key is tonic * modes + mode.
"""

LENGTHS = _ranges({"steps": MAX_LENGTH, "slot": MAX_SLOTS, "energy": ENERGY_LEVELS, "bass": 12})
"""Ranges of the length stream: `steps` 0 is a length of 1; `bass` the pitch class under a slash chord."""

VELOCITIES = _ranges({"level": VELOCITY_LEVELS, "bars": MAX_SECTION_BARS})
"""Ranges of the velocity stream: of notes, and how many bars a section lasts (0 is one bar)."""

VALUE_OF_KIND: dict[Kind, tuple[str, ...]] = {
    Kind.STYLE: ("style",), Kind.METER: ("meter",), Kind.TEMPO: ("tempo",), Kind.KEY: ("key",),
    Kind.PLAYER: ("role",), Kind.INSTRUMENT: ("instrument",), Kind.DENSITY: ("density",), Kind.REGISTER: ("register",),
    Kind.POLYPHONY: ("polyphony",), Kind.SYNCOPATION: ("syncopation",), Kind.REPETITION: ("repetition",),
    Kind.BAR: ("bar",),
    Kind.SECTION: ("section",), Kind.TRACK: ("role",), Kind.CHORD: ("chord",), Kind.LINE: ("syllables",),
    Kind.NOTE: ("pitch", "drum"),
}  # fmt: skip
"""Which ranges of the value stream a kind may use; kinds that are not here leave it 0."""

LENGTH_OF_KIND: dict[Kind, str] = {
    Kind.NOTE: "steps", Kind.TIE: "steps", Kind.BAR: "steps", Kind.PLAYER: "slot", Kind.TRACK: "slot",
    Kind.SECTION: "energy", Kind.CHORD: "bass",
}  # fmt: skip
"""Which range of the length stream a kind may use: for BAR only where it is shorter than its metre, for CHORD only
under a slash, and never on the notes of drums."""

POSITIONED = (Kind.CHORD, Kind.LINE, Kind.NOTE)
"""Kinds with a place in the bar."""

VOCABULARY_SIZES = (
    len(Kind),
    1 + MAX_BAR_STEPS,
    max(r.stop for r in VALUES.values()),
    max(r.stop for r in LENGTHS.values()),
    max(r.stop for r in VELOCITIES.values()),
    len(Word),
)
"""How many numbers each stream knows, in the order of `STREAMS`."""


def meter_steps(meter: int) -> int:
    """Returns the length in steps of a full bar of a metre of `METERS`."""
    numerator, denominator = METERS[meter]
    return numerator * 4 * GRID // denominator


@lru_cache(maxsize=1)
def vocabulary_hash() -> str:
    """Returns 16 hex digits that change whenever any number of the language changes its meaning."""
    meaning = {
        "grid": GRID,
        "kinds": {kind.name: int(kind) for kind in Kind},
        "words": {word.name: int(word) for word in Word},
        "streams": STREAMS,
        "values": {name: (r.start, r.size) for name, r in VALUES.items()},
        "lengths": {name: (r.start, r.size) for name, r in LENGTHS.items()},
        "velocities": {name: (r.start, r.size) for name, r in VELOCITIES.items()},
        "names": [STYLES, ROLES, SECTIONS, QUALITY_NAMES, MODE_NAMES, INSTRUMENT_NAMES, METERS, TEMPOS_BPM],
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:16]
