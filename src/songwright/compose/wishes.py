"""What a brief wishes beyond its style: traits, moods and era bend the style book before anything is written.

Each wish is one line in `TRAITS`, `MOODS` or `ERAS`: a function from a book to a book. Instruments, form, key, tempo
and length are honoured by `form` and `arrange`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from songwright.brief.brief import Brief
from songwright.compose.style import Part, Style, load_style
from songwright.score.instruments import INSTRUMENTS

Bend = Callable[[Style], Style]

_ELECTRIC = ("lead", "pad", "effect")
_UNPLUGGED = {
    "drums": "brush_kit", "percussion": "standard_kit", "bass": "acoustic_bass", "comp": "steel_guitar",
    "pad": "string_ensemble", "arpeggio": "nylon_guitar", "riff": "acoustic_grand_piano", "counter": "cello",
    "lead": "violin",
}  # fmt: skip
_DRIVEN = {"amp", "saturation", "lofi", "auto_wah", "phaser", "flanger"}


def bend(style: Style, brief: Brief) -> Style:
    """Returns the style book as this brief wants it; the book itself when nothing is wished."""
    for name in brief.styles[1:2]:
        style = _coloured(style, load_style(name))
    wishes = [TRAITS.get(name) for name in brief.traits] + [MOODS.get(name) for name in brief.moods]
    for wish in [*wishes, ERAS.get(brief.era)]:
        if wish is not None:
            style = wish(style)
    return style


def _coloured(style: Style, other: Style) -> Style:
    """Returns the book with the progressions and lead instruments of a second style beside its own."""
    harmony = replace(style.harmony, idioms=(*style.harmony.idioms, *other.harmony.idioms))
    leads = [name for part in other.parts_of("lead") for name in part.instruments]

    def change(part: Part) -> Part:
        return (
            replace(part, instruments=tuple(dict.fromkeys([*leads, *part.instruments])))
            if part.kind == "lead"
            else part
        )

    return _parts(replace(style, harmony=harmony), change)


def _parts(style: Style, change: Callable[[Part], Part | None]) -> Style:
    """Returns the book with every part changed, or left out where the change gives None."""
    return replace(style, part=tuple(part for part in map(change, style.part) if part is not None))


def _devices(**changes: Any) -> Bend:
    return lambda style: replace(style, devices=replace(style.devices, **changes))


def _more(name: str, *values: str) -> Bend:
    """Returns a wish that puts values in front of one of the lists of `Devices`."""

    def wish(style: Style) -> Style:
        had = getattr(style.devices, name)
        changes: dict[str, Any] = {name: tuple(dict.fromkeys([*values, *(v for v in had if v != "none")]))}
        return replace(style, devices=replace(style.devices, **changes))

    return wish


def _tune(*, syncopation: float = 0.0, density: float = 1.0, leaps: float = 0.0, ornaments: float = 0.0) -> Bend:
    def wish(style: Style) -> Style:
        melody = style.melody
        return replace(
            style,
            melody=replace(
                melody,
                syncopation=min(1.0, max(0.0, melody.syncopation + syncopation)),
                density=melody.density * density,
                leaps=min(1.0, max(0.0, melody.leaps + leaps)),
                ornaments=min(1.0, melody.ornaments + ornaments),
            ),
        )

    return wish


def _swing(amount: float) -> Bend:
    def wish(style: Style) -> Style:
        swing = max(style.feel.swing, amount) if amount else 0.0
        return replace(style, feel=replace(style.feel, swing=swing))

    return wish


def _room(*, seconds: float = 1.0, sends_db: float = 0.0) -> Bend:
    def wish(style: Style) -> Style:
        style = replace(style, mix=replace(style.mix, reverb_seconds=min(8.0, style.mix.reverb_seconds * seconds)))
        return _parts(
            style, lambda p: replace(p, reverb_db=min(0.0, p.reverb_db + sends_db) if p.reverb_db > -60 else -60)
        )

    return wish


def _bus(*lines: str) -> Bend:
    return lambda style: replace(style, mix=replace(style.mix, bus=(*lines, *style.mix.bus)))


def _faders(kind: str, gain_db: float) -> Bend:
    return lambda style: _parts(style, lambda p: replace(p, gain_db=p.gain_db + gain_db) if p.kind == kind else p)


def _gates(share: float) -> Bend:
    kinds = ("comp", "arpeggio", "riff", "bass")
    return lambda style: _parts(style, lambda p: replace(p, gate=p.gate * share) if p.kind in kinds else p)


def _ducked(style: Style) -> Style:
    """Returns the book with pads and chords pumping under the kick."""
    return _parts(style, lambda p: replace(p, duck_db=max(p.duck_db, 7.0)) if p.kind in ("pad", "comp") else p)


def _all(*bends: Bend) -> Bend:
    def wish(style: Style) -> Style:
        for each in bends:
            style = each(style)
        return style

    return wish


def _sparse(style: Style) -> Style:
    return _parts(style, lambda p: None if p.optional or p.kind == "arpeggio" else p)


def _lush(style: Style) -> Style:
    return _parts(style, lambda p: replace(p, optional=False))


def _unplugged(style: Style) -> Style:
    """Returns the book on instruments that need no plug, without synthesised gestures and driven sounds."""

    def change(part: Part) -> Part | None:
        if part.kind == "effects":
            return None
        plain = tuple(name for name in part.instruments if _is_acoustic(name)) or (_UNPLUGGED[part.kind],)
        inserts = tuple(line for line in part.inserts if line.split()[0] not in _DRIVEN | {"cabinet"})
        return replace(part, instruments=plain, inserts=inserts, duck_db=0.0)

    return _parts(style, change)


def _is_acoustic(name: str) -> bool:
    what = INSTRUMENTS[name]
    driven = ("overdriven", "distortion", "clean_guitar", "muted_guitar", "electric", "synth", "slap", "rock_organ")
    return what.player == "sampler" and what.family not in _ELECTRIC and not any(word in name for word in driven)


def _half_time(style: Style) -> Style:
    """Returns the book with every drum groove spread over twice the time; fills stay."""

    def change(part: Part) -> Part:
        if part.kind != "drums":
            return part
        wide = tuple(
            p if p.fill else replace(p, lanes={drum: ".".join(lane) + "." for drum, lane in p.lanes.items()})
            for p in part.pattern
        )
        return replace(part, pattern=wide)

    return _parts(style, change)


def _orchestral(style: Style) -> Style:
    """Returns the book with strings and horns that join when it grows, unless it has them."""
    has = {name for part in style.part for name in part.instruments}
    strings = Part(
        id="orchestra_strings", kind="pad", instruments=("string_ensemble",), energy=(0.4, 1.0), register=(55, 82),
        gain_db=-2.0, reverb_db=-10.0, voicing="open",
    )  # fmt: skip
    horns = Part(
        id="orchestra_horns", kind="pad", instruments=("french_horn",), energy=(0.75, 1.0), register=(48, 70),
        gain_db=-3.0, reverb_db=-10.0, voicing="open", voices=3,
    )  # fmt: skip
    new = [part for part in (strings, horns) if part.instruments[0] not in has]
    return replace(style, part=(*style.part, *new))


TRAITS: dict[str, Bend] = {
    "groove": _all(_tune(syncopation=0.1), _faders("bass", 1.0), _faders("percussion", 2.0)),
    "danceable": _all(_faders("percussion", 2.0), _faders("bass", 0.5)),
    "rhythmic": _all(_faders("drums", 1.0), _faders("percussion", 2.0)),
    "rhythmic_melody": _tune(syncopation=0.2, density=1.15),
    "syncopated": _tune(syncopation=0.25),
    "melodic": _all(_tune(syncopation=-0.1, density=0.95), _faders("lead", 1.5)),
    "simple": _all(_sparse, _tune(density=0.9, leaps=-0.1, ornaments=-0.1)),
    "complex": _tune(density=1.1, syncopation=0.1, leaps=0.1, ornaments=0.1),
    "acoustic": _unplugged,
    "sparse": _sparse,
    "lush": _lush,
    "clear": _all(_room(seconds=0.8, sends_db=-2.0), _bus("eq high_shelf_db=1.5 high_shelf_hz=8000")),
    "heavy_bass": _all(_faders("bass", 3.0), _bus("eq low_shelf_db=1.5 low_shelf_hz=90")),
    "distorted": _bus("saturation drive_db=8 mix=0.5"),
    "reverberant": _room(seconds=1.5, sends_db=4.0),
    "dry": _room(seconds=0.6, sends_db=-8.0),
    "swung": _swing(0.66),
    "straight": _swing(0.0),
    "vintage": _bus("tape drive_db=5 wow=0.12", "eq high_cut_hz=11000"),
    "half_time": _half_time,
    "build_up": _more("transitions", "riser", "snare_roll", "fill"),
    "fade_out": _devices(ending="fade"),
    "big_ending": _all(_devices(ending="ring"), _more("last_chorus", "busier_drums", "double_comp", "add_percussion")),
    "key_change": _more("last_chorus", "key_lift"),
    "orchestral": _orchestral,
    "legato": _gates(1.2),
    "staccato": _gates(0.6),
    "sidechain": _ducked,
    "lo_fi_sound": _bus("lofi bits=12 rate_hz=20000", "tape drive_db=4 wow=0.2"),
    "wide": _bus("width amount=1.3"),
    "pentatonic": lambda style: replace(style, melody=replace(style.melody, scale="pentatonic")),
}
"""Traits that change the music; what is only about voices waits for them."""

MOODS: dict[str, Bend] = {
    "dark": _bus("eq high_shelf_db=-2 high_shelf_hz=5000"),
    "bright": _bus("eq high_shelf_db=1.5 high_shelf_hz=7000"),
    "fresh": _bus("eq high_shelf_db=1 high_shelf_hz=9000"),
    "warm": _bus("eq low_shelf_db=1 low_shelf_hz=200 high_shelf_db=-1 high_shelf_hz=8000"),
    "dreamy": _room(seconds=1.3, sends_db=3.0),
    "intimate": _all(_sparse, _room(seconds=0.8, sends_db=-3.0)),
    "epic": _all(_orchestral, _room(seconds=1.25, sends_db=1.0)),
    "romantic": _tune(syncopation=-0.1),
    "peaceful": _all(_sparse, _tune(density=0.85)),
    "aggressive": _bus("saturation drive_db=4 mix=0.4"),
    "playful": _tune(syncopation=0.1, leaps=0.1),
}
"""Moods that change the sound beside what form makes of them (key, tempo, energy)."""

ERAS: dict[str, Bend] = {
    "1950s": _bus("tape drive_db=4 wow=0.08", "eq low_cut_hz=70 high_cut_hz=9000"),
    "1960s": _bus("tape drive_db=4 wow=0.06", "eq low_cut_hz=55 high_cut_hz=11000"),
    "1970s": _bus("tape drive_db=3 wow=0.04"),
    "1980s": _room(seconds=1.25, sends_db=2.0),
}
"""Sound of a time, where it is more than its instruments."""
