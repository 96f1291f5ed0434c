"""The arranger: plan, chords and tune in, every track of the song out."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from songwright.compose.arrange.backing import Voices, write_voices
from songwright.compose.arrange.bass import ring_bass, write_bass
from songwright.compose.arrange.casting import new_part, wished
from songwright.compose.arrange.comping import ring_chord, write_comping
from songwright.compose.arrange.context import ChordTimeline, Context, LeadLine, Performance, Player
from songwright.compose.arrange.counter import write_counter
from songwright.compose.arrange.drummer import Drummer
from songwright.compose.arrange.drums import write_drums
from songwright.compose.arrange.endings import tag_start, with_tag
from songwright.compose.arrange.feel import apply_feel
from songwright.compose.arrange.lead import write_lead
from songwright.compose.arrange.lifts import chords_double, is_fuller, lead_double, second_take
from songwright.compose.arrange.making_room import make_room, words_of
from songwright.compose.arrange.mixing import mix_of
from songwright.compose.arrange.pad import write_arpeggio, write_pad
from songwright.compose.arrange.percussion import write_percussion
from songwright.compose.arrange.riff import write_riff
from songwright.compose.arrange.roster import fuller_half, intensities, make_roster
from songwright.compose.arrange.slides import glide_range_controls
from songwright.compose.arrange.takes import ORDER, TakeJudge, best_of
from songwright.compose.arrange.transitions import joints, write_effects
from songwright.compose.plan import SongPlan
from songwright.compose.style import Pattern, Style
from songwright.compose.vocals import VocalPlan
from songwright.score.song import ChordSpan, Note, PitchBend, Syllable, Track, TrackRole

_ROLES: dict[str, TrackRole] = {
    "drums": "drums",
    "percussion": "percussion",
    "bass": "bass",
    "comp": "chords",
    "pad": "pad",
    "arpeggio": "chords",
    "riff": "counter_melody",
    "counter": "counter_melody",
    "lead": "melody",
    "effects": "effects",
}
_DOUBLED = ("comp", "pad", "arpeggio", "riff")
"""Who is doubled in a last chorus that must be fuller, in this order."""

_WRITERS: dict[str, Callable[[Context, Player], Performance]] = {
    "bass": write_bass,
    "comp": write_comping,
    "pad": write_pad,
    "arpeggio": write_arpeggio,
    "riff": write_riff,
    "counter": write_counter,
    "lead": write_lead,
}


def arrange(
    plan: SongPlan,
    style: Style,
    chords: tuple[ChordSpan, ...],
    melody_notes: tuple[Note, ...],
    *,
    seed: int,
    wanted: Collection[str] = (),
    unwanted: Collection[str] = (),
    judge: TakeJudge | None = None,
    drummer: Drummer | None = None,
) -> tuple[Track, ...]:
    """Returns all tracks of the song, the lead among them, played with feel and set in the mix.

    Args:
        plan: the form.
        style: the style book.
        chords: of the whole song.
        melody_notes: the tune.
        seed: of the song.
        wanted: instruments that must sound (keys of `score.instruments.INSTRUMENTS`, or ``drums``).
        unwanted: instruments that must not.
        judge: chooses among takes of the parts that it judges.
        drummer: plays the style book's grooves.
    """
    return arrange_sung(
        plan, style, chords, melody_notes, None,
        seed=seed, wanted=wanted, unwanted=unwanted, judge=judge, drummer=drummer,
    ).tracks  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arrangement:
    """All players and singers of a song.

    Attributes:
        tracks: in score order, voices first.
        syllables: of everything that is sung: the words of the plan, then oohs and ad libs.
    """

    tracks: tuple[Track, ...]
    syllables: tuple[Syllable, ...] = ()


def arrange_sung(
    plan: SongPlan,
    style: Style,
    chords: tuple[ChordSpan, ...],
    melody_notes: tuple[Note, ...],
    vocals: VocalPlan | None,
    *,
    seed: int,
    wanted: Collection[str] = (),
    unwanted: Collection[str] = (),
    judge: TakeJudge | None = None,
    drummer: Drummer | None = None,
) -> Arrangement:
    """Returns all tracks of a song with a voice: lead and backing voices, and a band that makes room for them.

    Args:
        plan: the form.
        style: the style book.
        chords: of the whole song.
        melody_notes: the tune of the whole song; what is sung of it is left to the voice.
        vocals: who sings what when; None for an instrumental song.
        seed: of the song.
        wanted: instruments that must sound (keys of `score.instruments.INSTRUMENTS`, or ``drums``).
        unwanted: instruments that must not.
        judge: chooses among takes of the parts that it judges.
        drummer: plays the style book's grooves.
    """
    rings = style.devices.ending != "fade"
    context = Context(plan, style, ChordTimeline(chords), LeadLine(()), seed, rings, drummer=drummer)
    players = make_roster(context, wanted, unwanted)
    sung = Voices() if vocals is None or not vocals.notes else write_voices(context, vocals)
    if vocals is None or not vocals.notes:
        context = replace(context, lead=LeadLine(_led(context, players, melody_notes)))
    else:
        room = make_room(context, players, melody_notes, vocals, sung.heard)
        room = replace(room, tune=LeadLine(_led(context, players, room.tune.notes)))
        heard = LeadLine([*room.voices.notes, *room.tune.notes, *room.fills.notes])
        context = replace(context, lead=heard, room=room)
    tracks = _with_band(context, players, list(sung.tracks), chords, judge)
    return Arrangement(_finished(context, players, tracks, wanted, unwanted), sung.syllables)


def arrange_around(
    plan: SongPlan,
    style: Style,
    chords: tuple[ChordSpan, ...],
    heard: Sequence[Note],
    melody_notes: tuple[Note, ...],
    vocals: VocalPlan | None,
    *,
    seed: int,
) -> tuple[Track, ...]:
    """Returns the band around a tune that is there already; who plays or sings the tune is not among its tracks.

    Args:
        plan: the form.
        style: the style book.
        chords: of the whole song.
        heard: the notes that are there and that the band makes room for.
        melody_notes: what else lead instruments play, where the style has some; only beside a voice.
        vocals: who sings what when; None where an instrument has the tune: then nobody else leads.
        seed: of the song.
    """
    context = Context(plan, style, ChordTimeline(chords), LeadLine(heard), seed, style.devices.ending != "fade")
    players = make_roster(context, (), ())
    if vocals is None or not vocals.notes:
        players = tuple(player for player in players if player.part.kind != "lead")
    else:
        room = make_room(context, players, melody_notes, vocals, heard)
        room = replace(room, tune=LeadLine(_led(context, players, room.tune.notes)))
        context = replace(context, lead=LeadLine([*heard, *room.tune.notes, *room.fills.notes]), room=room)
    return _finished(context, players, [track for player in players for track in _tracks(context, player)], (), ())


def _finished(
    context: Context,
    players: tuple[Player, ...],
    tracks: list[Track],
    wanted: Collection[str],
    unwanted: Collection[str],
) -> tuple[Track, ...]:
    """Returns the tracks with guests who were asked for, chords doubled where a last chorus needs it, and feel."""
    style = context.style
    sounding = {track.instrument for track in tracks}
    for wish in wished(tuple(wanted), tuple(unwanted)):
        if wish not in sounding:
            tracks.extend(_tracks(context, _guest(context, wish, {track.id for track in tracks})))
    if style.builds and ("double_comp" in style.devices.last_chorus or not is_fuller(context, tracks)):
        tracks = _with_chords_doubled(context, players, tracks)
    tracks = [_silenced(context, track) for track in tracks]
    felt = apply_feel(tuple(track for track in tracks if track.notes), context.plan, style, seed=context.seed)
    return tuple(_in_order(_with_felt_bends(track)) for track in felt)


def _with_band(
    context: Context,
    players: Collection[Player],
    voices: list[Track],
    chords: tuple[ChordSpan, ...],
    judge: TakeJudge | None,
) -> list[Track]:
    """Returns the voices and what every player plays, in the order of the roster.

    With a judge the lead plays first, then those of whom there are takes, each heard by those after it.
    """
    if judge is None:
        return [*voices, *(track for player in players for track in _tracks(context, player))]
    ranked = sorted(players, key=lambda p: ORDER.index(p.part.kind) if p.part.kind in ORDER else len(ORDER))
    made: dict[str, list[Track]] = {}
    heard = list(voices)
    for player in ranked:
        first = _perform(context, player)
        made[player.part.id] = tracks = _tracks(context, player, first)
        if player.part.kind in judge.kinds and tracks:
            takes = [first, *(_perform(replace(context, take=take), player) for take in range(1, judge.takes))]
            best = best_of(judge, context.plan, context.style, chords, heard, tracks[0], takes)
            made[player.part.id] = _tracks(context, player, best)
        heard += made[player.part.id]
    return [*voices, *(track for player in players for track in made[player.part.id])]


def _led(context: Context, players: Collection[Player], notes: Collection[Note]) -> list[Note]:
    """Returns the notes of the tune that some lead plays: it rests where a riff or the first bars stand alone."""
    spans = [context.span_of(stint) for p in players if p.part.kind == "lead" for stint in p.stints]
    spans.append((context.ring_start, context.plan.num_bars * context.plan.bar_ticks + 1))
    return [note for note in notes if any(start <= note.start_ticks < end for start, end in spans)]


def _guest(context: Context, wish: str, taken: Collection[str]) -> Player:
    """Returns a player for a wanted instrument that the roster left silent: long tones where it has no figure."""
    part = new_part(wish)
    pattern = (Pattern(generator="guide_tones"),) if part.kind == "counter" else part.pattern
    part = replace(part, id=f"{wish}_guest" if wish in taken else wish, pattern=pattern)
    return Player(part, wish, fuller_half(context))


def _tracks(context: Context, player: Player, performance: Performance | None = None) -> list[Track]:
    """Returns the track of a player, and what doubles it."""
    part = player.part
    performance = performance or _perform(context, player)
    if not performance.notes:
        return []
    controls = performance.controls
    if performance.bends:
        controls = tuple(sorted((*glide_range_controls(), *controls)))
    track = Track(
        id=part.id,
        role=_ROLES[part.kind],
        instrument=player.instrument,
        name=_name(part.id),
        notes=performance.notes,
        controls=controls,
        bends=performance.bends,
        mix=mix_of(context, player),
    )
    if part.kind == "lead":
        return [track, *_lead_doubles(context, player, performance)]
    if part.double and part.kind != "bass":
        return _two_takes(context, player, track)
    return [track]


def _two_takes(context: Context, player: Player, track: Track) -> list[Track]:
    """Returns a part played twice, one take to each side."""
    width = max(0.6, abs(player.part.pan))
    left = replace(track, id=f"{track.id}_left", name=f"{track.name} left", mix=mix_of(context, player, pan=-width))
    right = replace(
        track,
        id=f"{track.id}_right",
        name=f"{track.name} right",
        notes=second_take(context, player.part.id, track.notes),
        mix=mix_of(context, player, pan=width),
    )
    return [left, right]


def _with_chords_doubled(context: Context, players: tuple[Player, ...], tracks: list[Track]) -> list[Track]:
    """Returns the tracks with chord players doubled an octave higher in the last chorus, as many as it takes.

    Where that is not enough (fast riffs in the verse, long chords in the chorus) they strike eighths or sixteenths.
    """
    ranked = [player for kind in _DOUBLED for player in players if player.part.kind == kind]
    plain = list(tracks)
    for pulse in (0, 2, 4):
        tracks = plain
        for player in ranked:
            own = next((t for t in tracks if t.id in (player.part.id, f"{player.part.id}_left")), None)
            notes = chords_double(context, player, own.notes, pulse=pulse) if own is not None else []
            if own is not None and notes:
                place = tracks.index(own) + 1
                tracks = [*tracks[:place], _high(context, player, own, notes), *tracks[place:]]
                if is_fuller(context, tracks):
                    return tracks
    return tracks


def _high(context: Context, player: Player, own: Track, notes: list[Note]) -> Track:
    return Track(
        id=f"{player.part.id}_high",
        role=own.role,
        instrument=player.instrument,
        name=f"{_name(player.part.id)} high",
        notes=tuple(sorted(notes)),
        mix=mix_of(context, player, pan=-0.6 * player.part.pan, gain_db=-6.0),
    )


def _perform(context: Context, player: Player) -> Performance:
    """Returns what a player plays, the last chord included."""
    plan, style, part = context.plan, context.style, player.part
    casted = replace(part, instruments=(player.instrument,))
    if part.kind == "drums":
        words = words_of(context, context.room) if context.room is not None else ()
        notes = write_drums(
            plan, style, casted, intensities(player),
            seed=context.seed, words=words, take_seed=context.take_seed, drummer=context.drummer,
        )  # fmt: skip
        return Performance(with_tag(context, player, _entered(context, player, notes)))
    if part.kind == "percussion":
        notes = write_percussion(plan, style, casted, intensities(player), seed=context.seed)
        return Performance(with_tag(context, player, _entered(context, player, notes)))
    if part.kind == "effects":
        return Performance(write_effects(plan, style, casted, seed=context.seed))
    performance = _WRITERS[part.kind](context, player)
    notes = tuple(n for n in performance.notes if part.kind == "lead" or n.start_ticks < context.ring_start)
    notes, tag = with_tag(context, player, notes), tag_start(context)
    if tag is not None and part.kind != "lead":
        bends = tuple(bend for bend in performance.bends if bend.tick < tag or bend.value == 0)
        performance = replace(performance, bends=bends)
    return replace(performance, notes=tuple(sorted((*notes, *_ring(context, player)))))


def _entered(context: Context, player: Player, notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Returns drum notes without those before the part enters; a pick-up may lead into its first section."""
    if not player.stints:
        return ()
    stint = player.stints[0]
    first = context.span_of(stint)[0]
    if stint.first_bar == stint.section.first_bar:
        first -= context.plan.bar_ticks
    return tuple(note for note in notes if note.start_ticks >= first)


def _ring(context: Context, player: Player) -> list[Note]:
    """Returns the last chord of a player: held, or short where the style ends cold."""
    if not context.ring_bars or not player.stints or player.stints[-1].section is not context.plan.sections[-1]:
        return []
    velocity = round(70 + 34 * player.stints[-1].intensity)
    if player.part.kind == "bass":
        notes = ring_bass(context, player, velocity)
    elif player.part.kind in ("comp", "pad", "arpeggio"):
        notes = ring_chord(context, player, velocity - 4)
    else:
        return []
    if context.style.devices.ending == "cold":
        return [replace(note, duration_ticks=context.plan.beat_ticks // 2) for note in notes]
    return notes


def _lead_doubles(context: Context, player: Player, performance: Performance) -> list[Track]:
    """Returns the tracks that double the lead in the last chorus."""
    stints = tuple(stint for stint in player.stints if stint.lifted)
    if context.room is not None:
        stints = tuple(stint for stint in stints if not context.room.is_sung(*context.span_of(stint)))
    tracks = []
    for device in ("octave_lead", "harmony_lead"):
        if device not in context.style.devices.last_chorus or not stints:
            continue
        notes = lead_double(context, player, performance, stints, device)
        suffix = device.split("_")[0]
        if notes:
            tracks.append(
                Track(
                    id=f"{player.part.id}_{suffix}",
                    role="counter_melody",
                    instrument=player.instrument,
                    name=f"{_name(player.part.id)} {suffix}",
                    notes=tuple(notes),
                    mix=mix_of(context, player, pan=0.3 if suffix == "octave" else -0.3, gain_db=-4.0),
                )
            )
    return tracks


def _silenced(context: Context, track: Track) -> Track:
    """Returns the track cut where the song holds its breath before a joint (the lead and effects go on)."""
    if track.role in ("melody", "vocal", "backing_vocal", "effects", "drums", "percussion"):
        return track
    beat = context.plan.beat_ticks
    notes = track.notes
    for joint in joints(context.plan, context.style, seed=context.seed):
        if "silence" not in joint.devices:
            continue
        start = joint.tick - 2 * beat
        kept = []
        for note in notes:
            if start <= note.start_ticks < joint.tick:
                continue
            if note.start_ticks < start < note.end_ticks:
                note = replace(note, duration_ticks=start - note.start_ticks)
            kept.append(note)
        notes = tuple(kept)
    return replace(track, notes=notes)


def _with_felt_bends(track: Track) -> Track:
    """Returns the track with bends moved along with the notes they belong to."""
    if not track.bends:
        return track
    starts = {note.start_ticks: note.offset_ticks for note in track.notes}
    bends = []
    offset = 0
    for bend in track.bends:
        offset = starts.get(bend.tick, offset)
        bends.append(PitchBend(max(0, bend.tick + offset), bend.value))
    return replace(track, bends=tuple(sorted(bends)))


def _in_order(track: Track) -> Track:
    """Returns the track with its notes in order of start, then pitch, and its controllers in order."""
    notes = sorted(track.notes, key=lambda n: (n.start_ticks, n.pitch, n.duration_ticks))
    return replace(track, notes=tuple(notes), controls=tuple(sorted(track.controls)))


def _name(part_id: str) -> str:
    return part_id.replace("_", " ").capitalize()
