"""A style book: what a style is, as data. The format is described in `style_format.md` beside this file.

One style is one TOML file in `styles/`. Reading and checking happens here; using it in `form`, `harmony`, `melody`
and `arrange`.
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from songwright.errors import ConfigError, InputError
from songwright.score.drums import DRUMS
from songwright.score.instruments import INSTRUMENTS
from songwright.score.song import SECTION_ROLES
from songwright.score.theory import MODES, parse_roman, pitch_class

STYLES_FOLDER = Path(__file__).parent / "styles"

KINDS = ("drums", "percussion", "bass", "comp", "pad", "arpeggio", "riff", "counter", "lead", "effects")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One bar or more of a part: drum lanes, or a line of tokens, or the name of a generator."""

    energy: tuple[float, float] = (0.0, 1.0)
    sections: tuple[str, ...] = ()
    meter: str = "4/4"
    grid: int = 16
    line: str = ""
    generator: str = ""
    from_: str = "chord"
    fill: bool = False
    probability: float = 1.0
    lanes: Mapping[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Number of steps of the longest lane or of the line."""
        if self.lanes:
            return max(len(lane) for lane in self.lanes.values())
        return len(self.tokens)

    @property
    def tokens(self) -> tuple[str, ...]:
        """The line's tokens."""
        return tuple(token for token in self.line.split() if token != "|")


@dataclass(frozen=True, slots=True)
class Part:
    """One player of the style: instruments to choose from, where it plays, what, and how it is mixed."""

    id: str
    kind: str
    instruments: tuple[str, ...]
    energy: tuple[float, float] = (0.0, 1.0)
    sections: tuple[str, ...] = ()
    not_sections: tuple[str, ...] = ()
    register: tuple[int, int] = (36, 84)
    gain_db: float = 0.0
    pan: float = 0.0
    reverb_db: float = -60.0
    delay_db: float = -60.0
    duck_db: float = 0.0
    inserts: tuple[str, ...] = ()
    voicing: str = "close"
    voices: int = 4
    strum_ms: float = 0.0
    gate: float = 0.9
    double: bool = False
    optional: bool = False
    pattern: tuple[Pattern, ...] = ()

    def plays_in(self, role: str, energy: float) -> bool:
        """Whether the part belongs in a section of this role and energy."""
        if role in self.not_sections or (self.sections and role not in self.sections):
            return False
        return self.energy[0] - 1e-9 <= energy <= self.energy[1] + 1e-9


@dataclass(frozen=True, slots=True)
class Feel:
    """Timing of the style."""

    programmed: bool = False
    swing: float = 0.0
    swing_unit: int = 8
    groove_midi: str = ""
    lay_back_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Idiom:
    """A progression that names the style, bar by bar."""

    mode: str
    chords: str
    sections: tuple[str, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class HarmonyBook:
    """Vocabulary and harmonic rhythm."""

    major: tuple[str, ...]
    minor: tuple[str, ...]
    chord_beats: Mapping[str, float]
    loop_bars: Mapping[str, float]
    idioms: tuple[Idiom, ...] = ()
    idiom_share: float = 0.4


@dataclass(frozen=True, slots=True)
class FormBook:
    """One usual form: ``"role bars energy"`` for each section."""

    sections: tuple[str, ...]
    weight: float = 1.0

    def parsed(self) -> tuple[tuple[str, int, float], ...]:
        """Returns (role, bars, energy) of each section."""
        rows = (row.split() for row in self.sections)
        return tuple((role, int(bars), float(energy)) for role, bars, energy in rows)


@dataclass(frozen=True, slots=True)
class MelodyBook:
    """What kind of tune the style sings."""

    range: tuple[int, int] = (60, 77)
    density: float = 1.0
    syncopation: float = 0.3
    scale: str = "key"
    leaps: float = 0.3
    ornaments: float = 0.05
    swing_pickups: bool = False


@dataclass(frozen=True, slots=True)
class Devices:
    """How sections are joined, begun and ended."""

    intro: str = "layers"
    ending: str = "ring"
    transitions: tuple[str, ...] = ("fill",)
    impacts: tuple[str, ...] = ("crash",)
    last_chorus: tuple[str, ...] = ()
    breakdown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MixBook:
    """Room and bus."""

    reverb: str = "room"
    reverb_seconds: float = 1.2
    delay_beats: float = 0.75
    delay_feedback: float = 0.3
    bus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VocalBook:
    """What the backing voices do around a lead voice, how it is sung and mixed, and how the band answers it."""

    harmony: str = "chorus"
    second_harmony: str = "last_chorus"
    double: str = "chorus"
    oohs: tuple[str, ...] = ("verse", "bridge")
    vowel: str = "ooh"
    ooh_voices: int = 2
    answer_voices: int = 1
    ad_libs: int = 0
    fills: float = 0.5
    effort: float = 0.5
    late_ms: float = 4.0
    level_db: float = 1.5
    duck_db: float = 2.0
    delay_throws: float = 0.25
    reverb_db: float = -14.0
    delay_db: float = -26.0


@dataclass(frozen=True, slots=True)
class Style:
    """A whole style book."""

    name: str
    title: str
    family: str
    tempo_bpm: tuple[float, float, float]
    modes: Mapping[str, float]
    harmony: HarmonyBook
    form: tuple[FormBook, ...]
    part: tuple[Part, ...]
    meters: tuple[str, ...] = ("4/4",)
    tonics: tuple[str, ...] = ("C", "G", "D", "A", "F")
    lead: str = "tune"
    sung: bool = True
    builds: bool = True
    duration_seconds: float = 180.0
    feel: Feel = field(default_factory=Feel)
    melody: MelodyBook = field(default_factory=MelodyBook)
    devices: Devices = field(default_factory=Devices)
    mix: MixBook = field(default_factory=MixBook)
    vocals: VocalBook = field(default_factory=VocalBook)

    def parts_of(self, kind: str) -> tuple[Part, ...]:
        """Returns the parts of one kind."""
        return tuple(part for part in self.part if part.kind == kind)


_CHOICES: dict[tuple[type, str], tuple[str, ...]] = {
    (Style, "lead"): ("tune", "riff", "loop"),
    (Style, "family"): (
        "rock", "pop", "dance", "hip_hop", "jazz", "latin", "folk", "classical", "ambient", "reggae", "soul", "world",
    ),
    (Part, "kind"): KINDS,
    (Part, "voicing"): ("close", "drop2", "shell", "rootless", "spread", "open", "power", "octaves", "triad"),
    (Pattern, "generator"): (
        "", "walking", "root_fifth", "pedal", "tumbao", "guide_tones", "answer", "thirds", "sixths", "echo",
    ),
    (Pattern, "from_"): ("chord", "key"),
    (MelodyBook, "scale"): ("key", "pentatonic", "blues", "chord"),
    (Devices, "intro"): ("layers", "full", "pad", "lead", "drums"),
    (Devices, "ending"): ("ring", "cold", "fade", "ritardando", "tag"),
    (VocalBook, "harmony"): ("none", "last_chorus", "chorus", "all"),
    (VocalBook, "second_harmony"): ("none", "last_chorus", "chorus", "all"),
    (VocalBook, "double"): ("none", "last_chorus", "chorus", "all", "ends"),
    (VocalBook, "vowel"): ("ooh", "aah"),
    (MixBook, "reverb"): ("room", "plate", "hall", "chamber", "ambience", "spring"),
}  # fmt: skip
_LIST_CHOICES: dict[tuple[type, str], tuple[str, ...]] = {
    (Devices, "transitions"): ("fill", "riser", "snare_roll", "drum_stop", "reverse_swell", "pickup", "silence"),
    (Devices, "impacts"): ("crash", "impact", "splash", "none"),
    (Devices, "last_chorus"): (
        "octave_lead", "add_percussion", "busier_drums", "harmony_lead", "key_lift", "double_comp",
    ),
    (Part, "instruments"): tuple(INSTRUMENTS),
    (Part, "sections"): SECTION_ROLES,
    (Part, "not_sections"): SECTION_ROLES,
    (Pattern, "sections"): SECTION_ROLES,
    (Idiom, "sections"): SECTION_ROLES,
    (VocalBook, "oohs"): SECTION_ROLES,
}  # fmt: skip


def style_names() -> tuple[str, ...]:
    """Returns the names of all style books, sorted."""
    return tuple(sorted(path.stem for path in STYLES_FOLDER.glob("*.toml")))


@lru_cache(maxsize=64)
def load_style(name: str) -> Style:
    """Returns a style book.

    Raises:
        InputError: there is no such style; the message names the nearest.
        ConfigError: the file breaks the format.
    """
    if name not in style_names():
        near = difflib.get_close_matches(name, style_names(), n=3, cutoff=0.4)
        everything = ", ".join(style_names())
        raise InputError(f"unknown style '{name}'; nearest: {', '.join(near) or 'none'}; all: {everything}")
    return parse_style(name, (STYLES_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def parse_style(name: str, text: str) -> Style:
    """Returns the style book in a TOML text.

    Raises:
        ConfigError: the text breaks the format; the message says where.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"style {name}: {error}") from error
    style: Style = _build(Style, {**data, "name": name}, f"style {name}")
    _check(style)
    return style


def _build(cls: Any, data: Any, where: str) -> Any:
    """Returns a dataclass made from a TOML table, every key and choice checked."""
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: expected a table, not {data!r}")
    hints = get_type_hints(cls)
    known = {f.name.rstrip("_"): f for f in fields(cls)}
    values: dict[str, Any] = {}
    lanes: dict[str, str] = {}
    for key, value in data.items():
        if cls is Pattern and key in DRUMS:
            lanes[key] = _lane(value, f"{where}.{key}")
        elif key not in known or (cls is Pattern and key == "lanes"):
            near = difflib.get_close_matches(key, [*known, *(DRUMS if cls is Pattern else ())], n=1)
            raise ConfigError(f"{where}: unknown key '{key}'" + (f"; did you mean '{near[0]}'?" if near else ""))
        else:
            name = known[key].name
            values[name] = _convert(hints[name], value, f"{where}.{key}")
            _check_choice(cls, name, values[name], f"{where}.{key}")
    if lanes:
        values["lanes"] = lanes
    missing = [
        f.name for f in fields(cls) if f.name not in values and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise ConfigError(f"{where}: missing {', '.join(missing)}")
    return cls(**values)


def _lane(value: Any, where: str) -> str:
    lane = str(value).replace(" ", "").replace("|", "")
    if not lane or set(lane) - set("Xxogfrt."):
        raise ConfigError(f"{where}: steps are X x o g f r t and '.', not {value!r}")
    return lane


def _convert(hint: Any, value: Any, where: str) -> Any:
    if hasattr(hint, "__dataclass_fields__"):
        return _build(hint, value, where)
    if get_origin(hint) is tuple:
        items = get_args(hint)
        if not isinstance(value, list):
            raise ConfigError(f"{where}: expected a list, not {value!r}")
        if items[-1] is Ellipsis:
            return tuple(_convert(items[0], v, f"{where}[{i}]") for i, v in enumerate(value))
        if len(value) != len(items):
            raise ConfigError(f"{where}: expected {len(items)} values, not {value!r}")
        return tuple(_convert(h, v, where) for h, v in zip(items, value, strict=True))
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if get_origin(hint) is not None and isinstance(value, dict):
        return {str(k): _convert(get_args(hint)[1], v, f"{where}.{k}") for k, v in value.items()}
    if isinstance(hint, type) and isinstance(value, hint) and (hint is not int or not isinstance(value, bool)):
        return value
    raise ConfigError(f"{where}: expected {getattr(hint, '__name__', hint)}, not {value!r}")


def _check_choice(cls: Any, name: str, value: Any, where: str) -> None:
    allowed = _CHOICES.get((cls, name))
    if allowed and value not in allowed:
        raise ConfigError(f"{where}: '{value}' is none of {', '.join(c for c in allowed if c)}")
    for item in value if (cls, name) in _LIST_CHOICES else ():
        if item not in _LIST_CHOICES[cls, name]:
            near = difflib.get_close_matches(item, _LIST_CHOICES[cls, name], n=2, cutoff=0.4)
            raise ConfigError(f"{where}: '{item}' is not known; nearest: {', '.join(near) or 'none'}")


def _check(style: Style) -> None:
    """Raises ConfigError where fields do not fit each other."""
    where = f"style {style.name}"
    low, usual, high = style.tempo_bpm
    if not 30 <= low <= usual <= high <= 300:
        raise ConfigError(f"{where}: tempo_bpm must rise between 30 and 300: {style.tempo_bpm}")
    unknown = set(style.modes) - set(MODES)
    if unknown or not style.modes:
        raise ConfigError(f"{where}: unknown modes {sorted(unknown)}")
    try:
        for tonic in style.tonics:
            pitch_class(tonic)
        for roman in (*style.harmony.major, *style.harmony.minor):
            parse_roman(roman)
        for idiom in style.harmony.idioms:
            for roman in idiom.chords.replace("|", " ").split():
                parse_roman(roman)
        for form in style.form:
            for role, bars, energy in form.parsed():
                if role not in SECTION_ROLES or bars < 1 or not 0 <= energy <= 1:
                    raise ConfigError(f"{where}: form section '{role} {bars} {energy}' is out of range")
    except (InputError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error
    _check_vocals(style.vocals, f"{where}.vocals")
    ids = [part.id for part in style.part]
    if len(set(ids)) != len(ids):
        raise ConfigError(f"{where}: part ids repeat")
    for part in style.part:
        for index, pattern in enumerate(part.pattern):
            _check_pattern(part, pattern, f"{where}: part {part.id}, pattern {index + 1}")


_VOCAL_RANGES = {
    "ooh_voices": (1, 3),
    "answer_voices": (1, 2),
    "ad_libs": (0, 6),
    "fills": (0, 1),
    "effort": (0, 1),
    "late_ms": (-10, 25),
    "level_db": (-4, 6),
    "duck_db": (0, 6),
    "delay_throws": (0, 1),
}


def _check_vocals(vocals: VocalBook, where: str) -> None:
    for name, (low, high) in _VOCAL_RANGES.items():
        if not low <= getattr(vocals, name) <= high:
            raise ConfigError(f"{where}.{name}: {getattr(vocals, name)} lies outside {low} to {high}")


def _check_pattern(part: Part, pattern: Pattern, where: str) -> None:
    if bool(pattern.lanes) + bool(pattern.line) + bool(pattern.generator) != 1:
        raise ConfigError(f"{where}: needs drum lanes, or a line, or a generator")
    if bool(pattern.lanes) != (part.kind in ("drums", "percussion")):
        raise ConfigError(f"{where}: drum lanes belong to drums and percussion, lines to the rest")
    if pattern.steps % pattern.grid and not pattern.fill:
        raise ConfigError(f"{where}: {pattern.steps} steps do not fill bars of {pattern.grid}")
    for drum, lane in pattern.lanes.items():
        if pattern.steps % len(lane):
            raise ConfigError(f"{where}: lane {drum} has {len(lane)} steps beside {pattern.steps}")
