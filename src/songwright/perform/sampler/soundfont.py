"""What a soundfont means: presets, their zones, and the regions a key and velocity fall into.

File reading lives in `riff`, sound in `voice`. Reference: SoundFont Technical Specification 2.04, section 9.4.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.errors import DataError
from songwright.perform.sampler.modulators import DEFAULTS, Modulator, is_default_filter
from songwright.perform.sampler.riff import SampleHeader, Table, read_font

NUM_GENERATORS = 60
KEY_RANGE, VELOCITY_RANGE = 43, 44
INSTRUMENT, SAMPLE = 41, 53
DRUM_BANK = 128
_MAX_REGIONS = 50_000
_SAMPLE_ONLY = (0, 1, 2, 3, 4, 12, 45, 46, 47, 50, 54, 57, 58)
"""Generators that a preset may not change."""

_DEFAULTS = np.zeros(NUM_GENERATORS)
_DEFAULTS[[8, 21, 23, 25, 26, 27, 28, 30, 33, 34, 35, 36, 38]] = [13500, *[-12000] * 12]
_DEFAULTS[[46, 47, 56, 58]] = [-1, -1, 100, -1]

Modulators = dict[tuple[int, int, int, bool], Modulator]


@dataclass(frozen=True, slots=True)
class Region:
    """One instrument zone inside one preset zone, everything summed.

    Attributes:
        low_key, high_key, low_velocity, high_velocity: where it sounds.
        sample: index of its recording.
        generators: value of each of the 60 generators, by number.
        modulators: those that do something.
    """

    low_key: int
    high_key: int
    low_velocity: int
    high_velocity: int
    sample: int
    generators: tuple[float, ...]
    modulators: tuple[Modulator, ...]


@dataclass(frozen=True, slots=True)
class _Zone:
    keys: tuple[int, int]
    velocities: tuple[int, int]
    generators: dict[int, int]
    modulators: Modulators
    target: int


class SoundFont:
    """An open soundfont; presets are worked out when first asked for. Safe to share between threads.

    Args:
        path: a .sf2 or .sf3 file.

    Raises:
        InputError, DataError: as `riff.read_font`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = read_font(path)
        self.name = self._file.name
        self._by_number: dict[tuple[int, int], int] = {}
        for index, row in enumerate(self._file.tables[b"phdr"][:-1]):
            self._by_number.setdefault((int(row["bank"]), int(row["program"])), index)
        self._regions: dict[int, tuple[Region, ...]] = {}

    @property
    def presets(self) -> tuple[tuple[int, int], ...]:
        """(bank, program) of every preset, in order; drum kits are bank 128."""
        return tuple(sorted(self._by_number))

    def preset_name(self, bank: int, program: int) -> str:
        """Returns the name of the preset that `regions` answers with."""
        row = self._file.tables[b"phdr"][self._find(bank, program)]
        return bytes(row["name"]).split(b"\0")[0].decode("latin-1").strip()

    def regions(self, bank: int, program: int) -> tuple[Region, ...]:
        """Returns the regions of a preset; a missing one is replaced as fluidsynth does.

        A missing kit becomes the standard kit; a missing bank, bank 0; a missing program, the piano; then the first.
        """
        index = self._find(bank, program)
        if index not in self._regions:
            self._regions[index] = tuple(self._build(index))
        return self._regions[index]

    def sample(self, index: int) -> NDArray[np.float32]:
        """Returns a recording, (samples,)."""
        return self._file.samples.read(index)

    def sample_header(self, index: int) -> SampleHeader:
        """Returns what the font says of a recording."""
        return self._file.samples.header(index)

    def _find(self, bank: int, program: int) -> int:
        for wanted in ((bank, program), (bank if bank == DRUM_BANK else 0, program), (bank, 0), (0, 0)):
            if wanted in self._by_number:
                return self._by_number[wanted]
        return self._by_number[self.presets[0]]

    def _build(self, preset: int) -> Iterator[Region]:
        tables = self._file.tables
        zones = _zones(tables, b"p", tables[b"phdr"]["bag"][preset : preset + 2], INSTRUMENT)
        count = 0
        for outer in zones:
            span = tables[b"inst"]["bag"][outer.target : outer.target + 2]
            for inner in _zones(tables, b"i", span, SAMPLE):
                region = _region(outer, inner)
                if region is not None:
                    count += 1
                    if count > _MAX_REGIONS:
                        raise DataError(self.path, f"preset {preset} has more than {_MAX_REGIONS} zones")
                    yield region


def _zones(tables: Mapping[bytes, Table], level: bytes, span: NDArray[np.uint16], target: int) -> list[_Zone]:
    """Returns the zones of one preset or instrument, with what its global zone says filled in."""
    bags, generators, modulators = (tables[level + kind] for kind in (b"bag", b"gen", b"mod"))
    zones: list[_Zone] = []
    common_generators: dict[int, int] = {}
    common_modulators: Modulators = {}
    first, last = int(span[0]), min(int(span[1]), len(bags) - 1)
    for bag in range(first, last):
        rows = generators[int(bags["generator"][bag]) : int(bags["generator"][bag + 1])]
        values = {int(k): int(v) for k, v in rows.tolist() if k < NUM_GENERATORS}
        rows = modulators[int(bags["modulator"][bag]) : int(bags["modulator"][bag + 1])]
        mods = {m.identity: m for m in (Modulator(s, t, a, c, x == 2) for s, t, a, c, x in rows.tolist())}
        if target not in values:
            if bag == first:
                common_generators, common_modulators = values, mods
            continue
        values, mods = common_generators | values, common_modulators | mods
        zones.append(
            _Zone(
                keys=_range(values.pop(KEY_RANGE, None)),
                velocities=_range(values.pop(VELOCITY_RANGE, None)),
                target=values.pop(target) & 0xFFFF,
                generators=values,
                modulators=mods,
            )
        )
    return zones


def _range(packed: int | None) -> tuple[int, int]:
    return (0, 127) if packed is None else (packed & 0xFF, (packed >> 8) & 0xFF)


def _region(outer: _Zone, inner: _Zone) -> Region | None:
    keys = max(outer.keys[0], inner.keys[0]), min(outer.keys[1], inner.keys[1])
    velocities = max(outer.velocities[0], inner.velocities[0]), min(outer.velocities[1], inner.velocities[1])
    if keys[0] > keys[1] or velocities[0] > velocities[1]:
        return None
    generators = _DEFAULTS.copy()
    for kind, value in inner.generators.items():
        generators[kind] = value
    for kind, value in outer.generators.items():
        if kind not in _SAMPLE_ONLY:
            generators[kind] += value
    modulators: Modulators = {m.identity: m for m in DEFAULTS} | inner.modulators
    for identity, mod in outer.modulators.items():
        before = modulators[identity].amount if identity in modulators else 0.0
        modulators[identity] = Modulator(mod.source, mod.target, before + mod.amount, mod.scale, mod.absolute)
    active = (m for m in modulators.values() if m.amount and m.target < NUM_GENERATORS and not is_default_filter(m))
    return Region(*keys, *velocities, inner.target, tuple(generators.tolist()), tuple(active))
