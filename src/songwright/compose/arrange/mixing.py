"""The mix as written: each track's place, sends and effects from the style, and the fader's moves by section."""

from songwright.compose.arrange.context import Context, Player
from songwright.compose.style import Style
from songwright.score.song import Insert, MasterMix, TrackMix

_FADE_BARS = 8
_SILENT_DB = -40.0
_DEPTHS = {"lead": 1.0, "bass": 1.0, "voice": 0.0}
_STEPS_BACK = {"riff": 1.0, "pad": 1.0, "arpeggio": 1.0, "comp": 0.5, "counter": 0.5}
"""Shares of the style's `vocals.duck_db` by which parts step back while the voice sings."""


def parse_insert(text: str) -> Insert:
    """Returns the effect of a style's line such as ``"compressor threshold_db=-18 ratio=3"``."""
    kind, *settings = text.split()
    pairs = (setting.partition("=") for setting in settings)
    return Insert(kind, {name: float(value) for name, _, value in pairs})


def mix_of(context: Context, player: Player, *, pan: float | None = None, gain_db: float = 0.0) -> TrackMix:
    """Returns the mix of a player's track.

    Args:
        context: of the arrangement.
        player: whose part gives the settings.
        pan: instead of the part's.
        gain_db: added to the part's.
    """
    part = player.part
    return TrackMix(
        gain_db=part.gain_db + gain_db,
        pan=part.pan if pan is None else pan,
        reverb_db=part.reverb_db,
        delay_db=part.delay_db,
        duck_db=part.duck_db,
        inserts=tuple(parse_insert(line) for line in part.inserts),
        automation=automation(context, part.kind),
        vocal_duck_db=round(_STEPS_BACK.get(part.kind, 0.0) * context.style.vocals.duck_db, 2) if context.room else 0.0,
    )


def voice_mix(
    context: Context,
    *,
    gain_db: float = 0.0,
    pan: float = 0.0,
    throws: tuple[tuple[int, int], ...] = (),
    lead: bool = False,
) -> TrackMix:
    """Returns the mix of a singer's track: its chain, the style's sends, and the fade where the style ends in one."""
    vocals = context.style.vocals
    return TrackMix(
        inserts=voice_chain(context, lead=lead),
        gain_db=gain_db,
        pan=pan,
        reverb_db=vocals.reverb_db,
        delay_db=vocals.delay_db,
        automation=automation(context, "voice") if context.style.devices.ending == "fade" else (),
        throws=throws,
    )


def voice_chain(context: Context, *, lead: bool) -> tuple[Insert, ...]:
    """Returns what a voice passes: rumble cut, a fast and a slow compressor, presence, de-esser, a plate for the lead.

    Backing voices are cut lower and higher and pressed flatter, so that they stand behind the lead. The harder the
    style sings, the more compression.
    """
    vocals, plan = context.style.vocals, context.plan
    press = 1.0 + vocals.effort
    beat_ms = 60000.0 / plan.tempo_bpm
    chain = [
        Insert("eq", {"low_cut_hz": 90.0 if lead else 180.0, "peak_hz": 320.0, "peak_db": -1.5, "peak_q": 0.9}),
        Insert(
            "compressor",
            {"threshold_db": -16.0, "ratio": round(2.0 + press, 2), "attack_ms": 4.0, "release_ms": 90.0},
        ),
        Insert(
            "compressor",
            {
                "threshold_db": -20.0 if lead else -24.0,
                "ratio": round(1.4 + 0.5 * press, 2),
                "attack_ms": 25.0,
                "release_ms": 260.0,
            },
        ),
        Insert("eq", {"high_shelf_hz": 9000.0, "high_shelf_db": 2.0 if lead else 3.0, "high_cut_hz": 17000.0}),
        Insert("deesser", {"range_db": 7.0 if lead else 10.0}),
    ]
    if lead:
        seconds = round(min(2.4, max(0.9, 4 * beat_ms / 1000.0)), 2)
        chain.append(Insert("plate", {"seconds": seconds, "level_db": -19.0, "predelay_ms": round(beat_ms / 16, 1)}))
    return tuple(chain)


def automation(context: Context, kind: str) -> tuple[tuple[int, float], ...]:
    """Returns fader moves: up to 1.5 dB with the sections' energy, and the fade where the style ends in one."""
    plan = context.plan
    mean = sum(s.energy * s.num_bars for s in plan.sections) / max(1, plan.num_bars)
    moves: list[tuple[int, float]] = []
    ramp = max(1, plan.beat_ticks // 4)
    level = 0.0
    depth = _DEPTHS.get(kind, 2.5)
    for section in plan.sections:
        target = round(max(-1.5, min(1.5, depth * (section.energy - mean))), 2)
        tick = plan.start_ticks(section)
        if not moves:
            moves.append((tick, target))
        elif target != level:
            moves.extend([(max(moves[-1][0] + 1, tick - ramp), level), (tick, target)])
        level = target
    if context.style.devices.ending == "fade":
        end = plan.num_bars * plan.bar_ticks
        start = max(0, plan.num_bars - _FADE_BARS) * plan.bar_ticks
        moves = [move for move in moves if move[0] < start]
        moves.extend([(start, level), ((start + end) // 2, level - 8.0), (end, _SILENT_DB)])
    return tuple(moves)


def master_of(style: Style, *, sung: bool) -> MasterMix:
    """Returns the bus of a style; a voice is brought to the style's level when it is first rendered."""
    mix = style.mix
    return MasterMix(
        reverb=mix.reverb,
        reverb_seconds=mix.reverb_seconds,
        delay_beats=mix.delay_beats,
        delay_feedback=mix.delay_feedback,
        inserts=tuple(parse_insert(line) for line in mix.bus),
        vocal_level_db=style.vocals.level_db if sung else None,
    )
