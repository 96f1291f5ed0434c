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
    "bass": ("electric_bass_finger", "acoustic_bass", "synth_bass"),
    "comp": ("electric_piano", "acoustic_grand_piano", "clean_guitar", "drawbar_organ"),
    "pad": ("string_ensemble", "warm_pad", "choir_aahs", "drawbar_organ"),
    "arpeggio": ("acoustic_grand_piano", "nylon_guitar", "harp", "synth_pluck"),
    "riff": ("clean_guitar", "electric_piano", "brass_section", "acoustic_grand_piano"),
    "counter": ("cello", "french_horn", "clarinet", "vibraphone"),
    "lead": ("tenor_sax", "violin", "acoustic_grand_piano", "vibraphone", "soft_lead"),
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
    parts = context.style.part
    if "drums" in wanted and not context.style.parts_of("drums"):
        parts = (*parts, _BACKBEAT)
    given: dict[str, str] = {}
    added: list[Part] = []
    for wish in wished(wanted, unwanted):
        place = _best_part(context, parts, wish, given)
        if place is None:
            added.append(new_part(wish))
        given[place.id if place else added[-1].id] = wish
    rows = []
    for part in (*parts, *added):
        if no_drums and part.kind in ("drums", "percussion"):
            continue
        asked = part.id in given or ("drums" in wanted and part.kind == "drums")
        name = given.get(part.id) or _choose(context, part, banned)
        if name is None or (part.optional and not asked and not _by_chance(context, part)):
            continue
        rows.append((_adapted(_opened(part) if part.id in given else part, name), name, asked))
    return rows


def wished(wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> list[str]:
    """Returns the wanted instruments that exist and are not banned, each once."""
    banned = banned_instruments(unwanted, wanted)
    return [name for name in dict.fromkeys(wanted) if name in INSTRUMENTS and name not in banned]


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


def _colour(name: str) -> str:
    """Returns an instrument's family, with distorted guitars and low brass apart."""
    what = instrument(name)
    if name in ("distortion_guitar", "overdriven_guitar"):
        return "distorted"
    return "bass" if what.high <= 60 and what.family in ("brass", "strings") else what.family


def _best_part(context: Context, parts: tuple[Part, ...], wish: str, taken: dict[str, str]) -> Part | None:
    """Returns the part that a wanted instrument takes: one that lists it, one of its family, or the lead or bass.

    None where it fits no part; a chord instrument never pushes out a player of another family.
    """
    colour = _colour(wish)
    kinds = _KIND_OF_FAMILY.get("guitar" if colour == "distorted" else colour, ())
    roles = {section.role for section in context.plan.sections}
    best: tuple[float, Part] | None = None
    for part in parts:
        if part.id in taken or (part.sections and not roles & set(part.sections)):
            continue
        score = 100.0 if wish in part.instruments else 0.0
        if part.kind in kinds:
            same = any(_colour(name) == colour for name in part.instruments)
            replaces = same or (part.kind in ("lead", "bass", "drums") and part.kind == kinds[0])
            score += 20.0 - 4.0 * kinds.index(part.kind) + 25.0 * same if replaces else 0.0
            score += 130.0 if part.kind == "lead" and kinds[0] == "lead" and not part.sections else 0.0
        score -= 6.0 * bool(part.sections) if score else 0.0
        if score > 0 and (best is None or score > best[0]):
            best = (score, part)
    return best[1] if best else None


def new_part(wish: str) -> Part:
    """Returns a part for a wanted instrument that the style has no place for."""
    what = instrument(wish)
    kind = next((k for k in _KIND_OF_FAMILY.get(what.family, ()) if k in _NEW_REGISTER), "counter")
    pattern: tuple[Pattern, ...] = ()
    if kind in ("counter", "riff"):
        kind = "counter"
        pattern = (Pattern(generator="answer"),)
    elif kind == "comp":
        pattern = (
            Pattern(energy=(0.0, 0.55), grid=8, line="x - - - - - o -"),
            Pattern(energy=(0.5, 1.0), grid=8, line="x - o x - o x -"),
        )
    elif kind == "arpeggio":
        pattern = (Pattern(grid=8, line="1 2 3 4 3 2 3 2"),)
    low = max(_NEW_REGISTER[kind][0], what.low)
    high = max(low + 12, min(_NEW_REGISTER[kind][1], what.high))
    return Part(
        id=wish,
        kind=kind,
        instruments=(wish,),
        register=(low, high),
        gain_db=-3.0,
        pan=0.25,
        reverb_db=-15.0,
        pattern=pattern,
        optional=True,
    )


def _opened(part: Part) -> Part:
    """Returns the part with a wider energy window, so that what was asked for is heard often."""
    low, high = part.energy
    return replace(part, energy=(min(low, 0.45), max(high, 1.0)), optional=True)


def _adapted(part: Part, name: str) -> Part:
    """Returns the part fitted to an instrument of another colour than it was written for."""
    if part.kind in ("drums", "percussion", "effects") or any(_colour(n) == _colour(name) for n in part.instruments):
        return part
    voicing = "close" if part.voicing in ("power", "open") and instrument(name).family != "guitar" else part.voicing
    register = part.register
    if part.kind in ("comp", "pad", "arpeggio") and register[0] < 48:
        register = (48, max(register[1], 69))
    return replace(part, voicing=voicing, register=register, double=False, strum_ms=0.0, inserts=())


_BACKBEAT = Part(
    id="drums",
    kind="drums",
    instruments=("standard_kit",),
    energy=(0.3, 1.0),
    gain_db=-2.0,
    reverb_db=-20.0,
    pattern=(
        Pattern(energy=(0.0, 0.5), lanes={"kick": "x.......x.x.....", "rim": "....x.......x...", "closed_hat": "o.o."}),
        Pattern(
            energy=(0.45, 0.8), lanes={"kick": "x......xx.......", "snare": "....x.......x..g", "closed_hat": "x.o."}
        ),
        Pattern(energy=(0.75, 1.0), lanes={"kick": "X..x..x.x.x.....", "snare": "....X.......X...", "ride": "x.x."}),
        Pattern(fill=True, lanes={"snare": "x.xxx.xx"}),
    ),
)
"""What a drummer plays in a style that has none."""
