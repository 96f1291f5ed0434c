"""Casting: which parts of the style a song uses and which instrument each gets, with what the brief wants or bans."""

from dataclasses import replace

from songwright.compose.arrange.context import Context
from songwright.compose.style import Part, Pattern
from songwright.score.instruments import INSTRUMENTS, instrument

_BAN_GROUPS: dict[str, tuple[str, ...]] = {
    "steel_guitar": ("guitar",),
    "electric_bass_finger": ("bass",),
    "acoustic_bass": ("acoustic_bass",),
    "acoustic_grand_piano": ("acoustic_grand_piano", "bright_piano", "electric_grand", "honky_tonk"),
    "overdriven_guitar": ("overdriven_guitar", "distortion_guitar"),
    "string_ensemble": ("strings", "slow_strings", "synth_strings", "synth_strings_2", "string_machine"),
    "analog_lead": ("lead",),
}
"""What a ban means beyond the one instrument: families or instruments (no guitar is no guitar of any kind)."""

_FALLBACKS: dict[str, tuple[str, ...]] = {
    "bass": ("electric_bass_finger", "acoustic_bass", "synth_bass", "tuba"),
    "comp": ("acoustic_grand_piano", "clean_guitar", "electric_piano", "drawbar_organ"),
    "pad": ("string_ensemble", "warm_pad", "choir_aahs", "drawbar_organ"),
    "arpeggio": ("acoustic_grand_piano", "nylon_guitar", "harp", "synth_pluck"),
    "riff": ("clean_guitar", "electric_piano", "brass_section", "acoustic_grand_piano"),
    "counter": ("cello", "french_horn", "clarinet", "vibraphone"),
    "lead": ("flute", "violin", "acoustic_grand_piano", "vibraphone", "soft_lead"),
}
_KIND_OF_FAMILY: dict[str, tuple[str, ...]] = {
    "piano": ("comp", "arpeggio", "lead"),
    "mallet": ("arpeggio", "counter", "lead"),
    "organ": ("comp", "pad", "lead"),
    "guitar": ("comp", "riff", "arpeggio", "lead"),
    "bass": ("bass",),
    "strings": ("counter", "lead", "pad"),
    "ensemble": ("pad", "counter"),
    "brass": ("lead", "counter", "riff"),
    "reed": ("lead", "counter"),
    "pipe": ("lead", "counter"),
    "lead": ("lead", "riff", "arpeggio"),
    "pad": ("pad",),
    "effect": ("pad",),
    "world": ("lead", "counter", "arpeggio"),
    "percussive": ("counter", "arpeggio"),
    "sound": ("pad",),
    "kit": ("drums",),
}
_NEW_REGISTER = {"comp": (52, 72), "pad": (55, 79), "arpeggio": (57, 84), "riff": (48, 72), "counter": (55, 79)}


def cast(context: Context, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> list[tuple[Part, str, bool]]:
    """Returns (part, instrument, whether it was asked for) of every part this song uses, in score order."""
    banned = banned_instruments(unwanted, wanted)
    no_drums = "drums" in unwanted
    wishes = [name for name in dict.fromkeys(wanted) if name in INSTRUMENTS and name not in banned]
    given: dict[str, str] = {}
    added: list[Part] = []
    for wish in wishes:
        place = _best_part(context.style.part, wish, given)
        if place is None:
            added.append(_new_part(wish))
            given[added[-1].id] = wish
        else:
            given[place.id] = wish
    rows = []
    for part in (*context.style.part, *added):
        if no_drums and part.kind in ("drums", "percussion"):
            continue
        asked = part.id in given or ("drums" in wanted and part.kind == "drums")
        name = given.get(part.id) or _choose(context, part, banned)
        if name is None or (part.optional and not asked and not _by_chance(context, part)):
            continue
        rows.append((_opened(part) if part.id in given else part, name, asked))
    return rows


def banned_instruments(unwanted: tuple[str, ...], wanted: tuple[str, ...] = ()) -> set[str]:
    """Returns every instrument that the bans cover, save those wanted by name."""
    banned = set()
    for name in unwanted:
        groups = (name, *_BAN_GROUPS.get(name, ()))
        banned |= {key for key, what in INSTRUMENTS.items() if key in groups or what.family in groups}
    return banned - set(wanted)


def _choose(context: Context, part: Part, banned: set[str]) -> str | None:
    """Returns the part's instrument for this song: more often the usual one; None if all are banned."""
    allowed = [name for name in part.instruments if name not in banned]
    if not allowed:
        allowed = [name for name in _FALLBACKS.get(part.kind, ()) if name not in banned][:1]
    if not allowed:
        return None
    weights = [0.6**i for i in range(len(allowed))]
    dice = context.random("cast", part.id).random() * sum(weights)
    for name, weight in zip(allowed, weights, strict=True):
        dice -= weight
        if dice < 0:
            return name
    return allowed[-1]


def _by_chance(context: Context, part: Part) -> bool:
    if part.kind == "percussion" and "add_percussion" in context.style.devices.last_chorus:
        return True
    return bool(context.random("optional", part.id).random() < 0.5)


def _best_part(parts: tuple[Part, ...], wish: str, taken: dict[str, str]) -> Part | None:
    """Returns the part that a wanted instrument fits best, or None if it fits none."""
    family = instrument(wish).family
    kinds = _KIND_OF_FAMILY.get(family, ())
    ranked = []
    for index, part in enumerate(parts):
        if part.id in taken:
            continue
        families = {instrument(name).family for name in part.instruments}
        score = 100.0 if wish in part.instruments else 0.0
        if part.kind in kinds:
            score += 20.0 - 4.0 * kinds.index(part.kind) + (25.0 if family in families else 0.0)
        score += 3.0 if score and not part.sections else 0.0
        if score > 0:
            ranked.append((-score, index, part))
    return min(ranked, key=lambda row: row[:2])[2] if ranked else None


def _new_part(wish: str) -> Part:
    """Returns a part for a wanted instrument that the style has no place for."""
    kind = next((k for k in _KIND_OF_FAMILY.get(instrument(wish).family, ()) if k in _NEW_REGISTER), "counter")
    pattern: tuple[Pattern, ...] = ()
    if kind == "counter":
        pattern = (Pattern(generator="answer"),)
    elif kind in ("comp", "riff"):
        kind = "comp"
        pattern = (Pattern(grid=8, line="x - - - o - - -"),)
    elif kind == "arpeggio":
        pattern = (Pattern(grid=8, line="1 2 3 4 3 2 3 2"),)
    return Part(id=wish, kind=kind, instruments=(wish,), register=_NEW_REGISTER[kind], pan=0.25, reverb_db=-15.0,
                pattern=pattern, optional=True)  # fmt: skip


def _opened(part: Part) -> Part:
    """Returns the part with a wider energy window, so that what was asked for is heard often."""
    low, high = part.energy
    return replace(part, energy=(min(low, 0.45), max(high, 1.0)), optional=True)
