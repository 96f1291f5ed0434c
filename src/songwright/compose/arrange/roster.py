"""The roster: which parts a song has, on which instruments, and in which bars each of them plays.

Energy decides who plays in a section; repeats get a layer more, intros enter one by one, breakdowns empty out, and
the last chorus has everybody. What they play is written elsewhere.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from songwright.compose.arrange.casting import cast
from songwright.compose.arrange.context import Context, Player, Stint
from songwright.compose.plan import SectionPlan
from songwright.compose.style import Part

_WORDLESS = ("intro", "interlude", "outro")
"""Where a riff carries the music alone."""

_EXTRA_LAYERS = ("counter", "arpeggio", "pad", "percussion", "riff")
_CALM = 0.5
"""A song that begins with a verse no fuller than this begins with few players."""

_HELD_BACK = 0.06
"""How much less than its energy the first verse of a song that builds is played with."""

_ENTRY_ORDER = {"pad": 0, "comp": 1, "arpeggio": 1, "riff": 1, "effects": 0, "bass": 2, "percussion": 3, "drums": 4}


@dataclass(frozen=True, slots=True)
class _Seat:
    part: Part
    instrument: str
    wanted: bool


def make_roster(context: Context, wanted: Collection[str], unwanted: Collection[str]) -> tuple[Player, ...]:
    """Returns the players of the song in score order, each with the stints it plays.

    Args:
        context: of the arrangement.
        wanted: instruments (or ``drums``) that must be heard.
        unwanted: instruments (or ``drums``) that must not.
    """
    seats = [_Seat(*row) for row in cast(context, tuple(wanted), tuple(unwanted))]
    plan, style = context.plan, context.style
    opening, lifted = plan.opening, plan.climax
    rows: dict[str, list[Stint]] = {seat.part.id: [] for seat in seats}
    earlier: dict[str, set[str]] = {}
    for section in plan.sections:
        lift = section is lifted and style.builds
        intensity = min(1.0, section.energy + 0.03 * min(section.occurrence, 2) + (0.08 if lift else 0.0))
        if section is opening and lifted is not None and style.builds:
            intensity = max(0.0, intensity - _HELD_BACK)
        playing = _playing(context, seats, section, intensity, lift=lift)
        if section.role in earlier and section.role not in ("intro", "outro", "breakdown"):
            playing |= _one_more(seats, section, intensity, playing, earlier[section.role])
        earlier.setdefault(section.role, playing)
        bars = {s.part.id: _bars(context, seats, s, section, playing) for s in seats if s.part.id in playing}
        sure = [bars[s.part.id][0] for s in seats if s.part.id in bars and s.part.kind not in ("lead", "effects")]
        late = min(sure, default=section.first_bar)
        for part_id, (first, end) in bars.items():
            first = section.first_bar if first == late else first  # somebody begins at once
            if first < end:
                rows[part_id].append(Stint(section, intensity, first, end, lift))
    players = [Player(seat.part, seat.instrument, tuple(rows[seat.part.id])) for seat in seats]
    return tuple(_heard(context, player, seat.wanted) for player, seat in zip(players, seats, strict=True))


def _playing(
    context: Context, seats: Sequence[_Seat], section: SectionPlan, intensity: float, *, lift: bool
) -> set[str]:
    """Returns the ids of the parts that play in a section."""
    devices = context.style.devices
    playing = set()
    for seat in seats:
        part = seat.part
        if part.kind == "lead":
            continue
        fits = part.plays_in(section.role, intensity) or part.plays_in(section.role, section.energy)
        if part.kind == "effects":
            fits = True
        if lift and part.kind == "percussion" and "add_percussion" in devices.last_chorus:
            fits = True
        if lift and part.kind in ("percussion", "pad", "comp") and section.role not in part.not_sections:
            fits = fits or not part.sections
        if section.role == "breakdown" and devices.breakdown and part.kind != "effects":
            fits = part.id in devices.breakdown or (part.optional and seat.wanted)
        if fits:
            playing.add(part.id)
    leader = _leader([seat for seat in seats if seat.part.kind == "lead"], section)
    riffs = any(seat.part.kind == "riff" and seat.part.id in playing for seat in seats)
    if leader is not None and not (riffs and section.role in _WORDLESS):
        playing.add(leader.part.id)
    return playing


def _leader(leads: Sequence[_Seat], section: SectionPlan) -> _Seat | None:
    """Returns who leads in a section: those named for its role take turns, else the first for all roles."""
    named = [s for s in leads if section.role in s.part.sections]
    general = [s for s in leads if not s.part.sections and section.role not in s.part.not_sections]
    if named:
        return named[section.occurrence % len(named)]
    return general[0] if general else (leads[0] if leads else None)


def _one_more(
    seats: Sequence[_Seat], section: SectionPlan, intensity: float, playing: set[str], first: set[str]
) -> set[str]:
    """Returns a layer that a repeat adds to what its first time had, if nothing new has come already."""
    if playing - first:
        return set()
    spare = []
    for seat in seats:
        part = seat.part
        allowed = section.role not in part.not_sections and (not part.sections or section.role in part.sections)
        if part.id not in playing and part.kind in _EXTRA_LAYERS and allowed:
            distance = max(part.energy[0] - intensity, intensity - part.energy[1], 0.0)
            spare.append((distance, _EXTRA_LAYERS.index(part.kind), part.id))
    return {min(spare)[2]} if spare and min(spare)[0] <= 0.3 else set()


def _bars(
    context: Context, seats: Sequence[_Seat], seat: _Seat, section: SectionPlan, playing: set[str]
) -> tuple[int, int]:
    """Returns the bars of a section in which a part plays: layered intros, late layers, the ring left free."""
    plan = context.plan
    first, end = section.first_bar, section.first_bar + section.num_bars
    if section is plan.sections[-1]:
        end -= context.ring_bars
    opens = section is plan.sections[0] and section.energy <= _CALM and section.num_bars >= 8 and context.style.builds
    if section.role == "intro" and section is plan.sections[0]:
        first += _intro_delay(context, seats, seat, section, playing)
    elif opens and seat.part.kind in ("drums", "percussion", "bass"):
        first += section.num_bars // (4 if seat.part.kind == "bass" else 2)
    elif section.occurrence == 0 and section.role == "verse" and section.num_bars >= 8 and context.style.builds:
        late = [s.part for s in seats if s.part.id in playing and s.part.kind in _EXTRA_LAYERS]
        grounded = any(s.part.kind in ("comp", "riff") for s in seats if s.part.id in playing)
        if late and grounded and seat.part is late[-1]:
            first += section.num_bars // 2
    return first, end


def _intro_delay(context: Context, seats: Sequence[_Seat], seat: _Seat, section: SectionPlan, playing: set[str]) -> int:
    """Returns how many bars into the intro a part waits."""
    device = context.style.devices.intro
    kind, bars = seat.part.kind, section.num_bars
    half = max(1, bars // 2) if bars > 1 else 0
    if device == "full" or kind == "effects":
        return 0
    if kind == "lead" and device in ("layers", "drums"):
        return half
    if device == "pad":
        return 0 if kind in ("pad", "arpeggio", "comp", "lead") else half
    if device == "lead":
        return 0 if kind in ("lead", "comp", "riff", "pad") else half
    if device == "drums":
        return {"drums": 0, "percussion": 0, "bass": half // 2}.get(kind, half)
    order = [s for s in seats if s.part.id in playing and s.part.kind not in ("effects", "lead")]
    order.sort(key=lambda s: _ENTRY_ORDER.get(s.part.kind, 2))
    if not order or seat not in order:
        return 0
    steps = max(1, min(len(order), bars // 2))
    stride = max(1, bars // steps)
    stride = 4 if stride >= 4 else 2 if stride >= 2 else 1
    return min(order.index(seat) * steps // len(order) * stride, max(0, bars - 1))


def _heard(context: Context, player: Player, wanted: bool) -> Player:
    """Returns the player; one that was asked for and has nowhere to play gets the fuller half of the sections."""
    if player.stints or not wanted:
        return player
    return replace(player, stints=fuller_half(context))


def fuller_half(context: Context) -> tuple[Stint, ...]:
    """Returns stints in the sections of at least middling energy."""
    plan = context.plan
    middle = sorted(s.energy for s in plan.sections)[len(plan.sections) // 2]
    stints = []
    for section in plan.sections:
        end = section.first_bar + section.num_bars - (context.ring_bars if section is plan.sections[-1] else 0)
        if section.energy >= middle and section.first_bar < end:
            stints.append(Stint(section, section.energy, section.first_bar, end))
    return tuple(stints)


def intensities(player: Player) -> dict[str, float]:
    """Returns section label → intensity of the sections a player plays in."""
    return {stint.section.label: stint.intensity for stint in player.stints}
