"""`Song`: the score as plain data, and its JSON form.

Time is whole ticks, 960 to the quarter note, counted from the start of the song. What a player adds to the written
place of a note is kept apart in `Note.offset_ticks`, so that the notated score stays exact. Nothing here knows about
files of other programs (see `midi`, `musicxml`) or about sound.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal, get_args

from songwright.errors import InputError

TICKS_PER_QUARTER = 960
SCHEMA_VERSION = 1
RING_SECONDS = 1.5
"""What sounds after the last bar line, faded to silence."""

TrackRole = Literal[
    "melody", "counter_melody", "chords", "pad", "bass", "drums", "percussion", "effects", "vocal", "backing_vocal"
]
TRACK_ROLES: tuple[str, ...] = get_args(TrackRole)

SectionRole = Literal[
    "intro", "verse", "prechorus", "chorus", "bridge", "solo", "interlude", "build", "drop", "breakdown", "outro",
    "theme", "head",
]  # fmt: skip
SECTION_ROLES: tuple[str, ...] = get_args(SectionRole)

SyllableDelivery = Literal["sung", "rap", "spoken"]
DELIVERIES: tuple[str, ...] = get_args(SyllableDelivery)


@dataclass(frozen=True, slots=True)
class Note:
    """One note; notes sort by start, then pitch, then length.

    Attributes:
        start_ticks: the written beginning.
        duration_ticks: the written length, at least 1.
        pitch: MIDI note number, 0 to 127; on a drum track the General MIDI drum.
        velocity: 1 to 127.
        offset_ticks: how much later (or earlier, below 0) than written it is played.
        syllable: id in `Song.syllables` of what is sung on it.
    """

    start_ticks: int
    duration_ticks: int
    pitch: int
    velocity: int
    offset_ticks: int = 0
    syllable: int | None = None

    @property
    def end_ticks(self) -> int:
        """The written end."""
        return self.start_ticks + self.duration_ticks

    def __lt__(self, other: "Note") -> bool:
        mine = (self.start_ticks, self.pitch, self.duration_ticks, self.velocity, self.offset_ticks)
        return mine < (other.start_ticks, other.pitch, other.duration_ticks, other.velocity, other.offset_ticks)


@dataclass(frozen=True, slots=True, order=True)
class Control:
    """A controller change (`controller` 0 to 127, `value` 0 to 127)."""

    tick: int
    controller: int
    value: int


@dataclass(frozen=True, slots=True, order=True)
class PitchBend:
    """A pitch bend, -8192 to 8191; the range is two semitones each way unless the track sets RPN 0."""

    tick: int
    value: int


@dataclass(frozen=True, slots=True)
class Insert:
    """One effect in a track's or the bus's chain, by name, with its parameters (units in their names)."""

    kind: str
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrackMix:
    """How a track is mixed.

    Attributes:
        gain_db: fader, relative to the role's usual level.
        pan: -1 left to 1 right.
        reverb_db: send into the song's reverb; -60 or lower is off.
        delay_db: send into the song's delay; -60 or lower is off.
        duck_db: how far each kick of the score pushes this track down; 0 is off.
        inserts: effects in order.
        automation: fader moves as (tick, gain_db), joined by straight lines.
        vocal_duck_db: how far the track steps back while the lead voice sings; 0 is off.
        throws: stretches (start tick, end tick) that alone are thrown into the song's delay, loudly.
    """

    gain_db: float = 0.0
    pan: float = 0.0
    reverb_db: float = -60.0
    delay_db: float = -60.0
    duck_db: float = 0.0
    inserts: tuple[Insert, ...] = ()
    automation: tuple[tuple[int, float], ...] = ()
    vocal_duck_db: float = 0.0
    throws: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Singer:
    """Who sings a track.

    Attributes:
        name: key into `voices.SINGERS`.
        source: what speaks for it: ``espeak``, ``festival``, ``flite``, ``piper:<path>``, ``bank:<folder>``.
        parameters: what differs from the named voice (units in their names), e.g. measured from a recording.
    """

    name: str
    source: str = "espeak"
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Track:
    """One player.

    Attributes:
        id: unique in the song, a plain slug such as ``"bass"``; names the stem's file.
        role: what it does, one of `TRACK_ROLES`.
        instrument: key into `instruments.INSTRUMENTS` (drum kits too).
        name: what people read.
        notes: in order of start, then pitch.
        controls, bends: performance data, in order.
        mix: how it is mixed.
        singer: who sings it, where `instrument` is ``"voice"``.
    """

    id: str
    role: TrackRole
    instrument: str
    name: str = ""
    notes: tuple[Note, ...] = ()
    controls: tuple[Control, ...] = ()
    bends: tuple[PitchBend, ...] = ()
    mix: TrackMix = field(default_factory=TrackMix)
    singer: Singer | None = None

    @property
    def is_drums(self) -> bool:
        """Whether pitches are General MIDI drums."""
        return self.role in ("drums", "percussion")


@dataclass(frozen=True, slots=True, order=True)
class TempoChange:
    """Quarter notes per minute from a tick on."""

    tick: int
    bpm: float


@dataclass(frozen=True, slots=True, order=True)
class MeterChange:
    """Metre from a tick (a bar line) on."""

    tick: int
    numerator: int
    denominator: int

    @property
    def bar_ticks(self) -> int:
        """Length of a bar."""
        return TICKS_PER_QUARTER * 4 * self.numerator // self.denominator


@dataclass(frozen=True, slots=True, order=True)
class KeyChange:
    """Key from a tick on, as in ``"A minor"`` or ``"D dorian"``."""

    tick: int
    key: str


@dataclass(frozen=True, slots=True, order=True)
class ChordSpan:
    """One chord: a symbol that `theory.parse_chord` reads, e.g. ``"F#m7b5/A"``; ``"N.C."`` for none."""

    start_ticks: int
    duration_ticks: int
    symbol: str

    @property
    def end_ticks(self) -> int:
        """Where the next chord may begin."""
        return self.start_ticks + self.duration_ticks


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form.

    Attributes:
        label: what people read, e.g. ``"Verse 2"``; unique in the song.
        role: one of `SECTION_ROLES`.
        start_ticks, duration_ticks: whole bars.
        energy: 0 (still) to 1 (everything plays).
    """

    label: str
    role: SectionRole
    start_ticks: int
    duration_ticks: int
    energy: float

    @property
    def end_ticks(self) -> int:
        """Where the next section begins."""
        return self.start_ticks + self.duration_ticks


@dataclass(frozen=True, slots=True)
class Syllable:
    """A sung syllable; `Note.syllable` refers to `id`; neighbouring notes of one id are a melisma.

    Attributes:
        id: unique in the song, rising in the order of singing.
        text: as printed under the note, e.g. ``"ver"``; the syllables of a word together spell `word`.
        word: the whole word as written.
        stress: 0 none, 1 stressed, 2 secondary.
        line: which line of the lyrics, counted from 0 through the song; a singer breathes between lines.
        language: ``en``, ``zh``, ``ru`` or another espeak language code; empty when unknown.
        phonemes: espeak mnemonics without stress or tone marks, e.g. ``("v", "@")``; empty when not yet looked up.
        nucleus: index of the vowel (or syllabic consonant) in `phonemes`: it starts on the note.
        tone: Mandarin tone 1 to 5; 0 elsewhere.
        delivery: ``sung``, ``rap`` (in rhythm, pitch of speech) or ``spoken``.
    """

    id: int
    text: str
    word: str = ""
    stress: int = 0
    line: int = 0
    language: str = ""
    phonemes: tuple[str, ...] = ()
    nucleus: int = 0
    tone: int = 0
    delivery: SyllableDelivery = "sung"


@dataclass(frozen=True, slots=True)
class MasterMix:
    """The bus: the spaces that tracks send into, and what the sum passes.

    Attributes:
        reverb: kind of room: ``room, plate, hall, chamber, ambience, spring``.
        reverb_seconds: time to fall by 60 dB.
        delay_beats: echo time in quarter notes.
        delay_feedback: 0 to 0.9.
        inserts: effects on the sum, before the limiter.
        loudness_lufs: what the master is brought to.
        vocal_level_db: loudness of the lead voice over the instruments where it sings. The first rendering brings it
            there: it writes `vocal_gain_db` and clears this; None leaves the gain as it is.
        vocal_gain_db: gain of all voices together, on top of their faders.
    """

    reverb: str = "room"
    reverb_seconds: float = 1.2
    delay_beats: float = 0.75
    delay_feedback: float = 0.3
    inserts: tuple[Insert, ...] = ()
    loudness_lufs: float = -14.0
    vocal_level_db: float | None = None
    vocal_gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Song:
    """What is written. Frozen: edits make a new one with `dataclasses.replace`.

    Attributes:
        title: what people read.
        style: name of the style book it was written in; empty for imported music.
        seed: the song's seed.
        swing: how far off-beat eighths lean towards the triplet, 0 to 1; notes are written straight and carry the
            swing in their offsets.
        duration_ticks: end of the last bar (the final ring may sound longer).
        tempos, meters, keys: maps; each has an entry at tick 0.
        sections, chords: without gaps or overlaps, from 0 to the end; both empty for imported music without marks.
        tracks: in score order.
        syllables: what is sung.
        master: mix settings of the whole.
        provenance: who made it from what: program version, models, prompt, data.
    """

    title: str = "Untitled"
    style: str = ""
    seed: int = 0
    swing: float = 0.0
    duration_ticks: int = 0
    tempos: tuple[TempoChange, ...] = (TempoChange(0, 120.0),)
    meters: tuple[MeterChange, ...] = (MeterChange(0, 4, 4),)
    keys: tuple[KeyChange, ...] = (KeyChange(0, "C major"),)
    sections: tuple[Section, ...] = ()
    chords: tuple[ChordSpan, ...] = ()
    tracks: tuple[Track, ...] = ()
    syllables: tuple[Syllable, ...] = ()
    master: MasterMix = field(default_factory=MasterMix)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def track(self, track_id: str) -> Track:
        """Returns the track with this id.

        Raises:
            InputError: there is none; the message lists those that are.
        """
        for track in self.tracks:
            if track.id == track_id:
                return track
        raise InputError(f"no track '{track_id}' here; tracks: {', '.join(t.id for t in self.tracks)}")

    def with_track(self, track: Track) -> "Song":
        """Returns a copy in which the track of the same id is replaced."""
        self.track(track.id)
        return replace(self, tracks=tuple(track if t.id == track.id else t for t in self.tracks))

    def bar_starts(self) -> tuple[int, ...]:
        """Returns the tick of every bar line from 0 up to, not including, the end."""
        starts: list[int] = []
        ends = [m.tick for m in self.meters[1:]] + [self.duration_ticks]
        for meter, end in zip(self.meters, ends, strict=True):
            starts.extend(range(meter.tick, end, meter.bar_ticks))
        return tuple(starts)

    def seconds_at(self, tick: float) -> float:
        """Returns the time of a tick (not below 0 for the maps; earlier ticks run back at the first tempo)."""
        seconds = 0.0
        for change, following in zip(self.tempos, (*self.tempos[1:], None), strict=True):
            end = tick if following is None else min(float(following.tick), tick)
            seconds += (end - change.tick) * 60.0 / (change.bpm * TICKS_PER_QUARTER)
            if following is None or tick <= following.tick:
                break
        return seconds

    @property
    def duration_seconds(self) -> float:
        """Written length, without the final ring."""
        return self.seconds_at(self.duration_ticks)


def to_json(song: Song) -> str:
    """Returns the song as JSON text, one note a line, the same bytes for the same song."""
    data = {"format": "songwright.song", "schema_version": SCHEMA_VERSION, **asdict(song)}
    for track in data["tracks"]:
        track["notes"] = [[*n.values()][: 6 if n["syllable"] is not None else 5] for n in track["notes"]]
        track["controls"] = [[*c.values()] for c in track["controls"]]
        track["bends"] = [[*b.values()] for b in track["bends"]]
    return _layout(data) + "\n"


def _layout(value: Any, depth: int = 0) -> str:
    """Returns JSON with lists of plain values on one line and everything else indented."""
    pad, inner = " " * depth, " " * (depth + 1)
    if isinstance(value, Mapping) and value and depth < 4:
        rows = [f"{inner}{json.dumps(str(k))}: {_layout(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{pad}}}"
    if isinstance(value, list | tuple) and any(isinstance(v, list | tuple | Mapping) for v in value):
        rows = [f"{inner}{_layout(v, depth + 1)}" for v in value]
        return "[\n" + ",\n".join(rows) + f"\n{pad}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def from_json(text: str) -> Song:
    """Returns the song written by `to_json`.

    Raises:
        InputError: the text is not such a song, or of a newer schema.
    """
    try:
        data = json.loads(text)
        if data.get("format") != "songwright.song":
            raise InputError("this JSON is no song: expected format 'songwright.song'")
        if data["schema_version"] > SCHEMA_VERSION:
            raise InputError(f"song of schema {data['schema_version']}; this program reads up to {SCHEMA_VERSION}")
        song = Song(
            title=str(data["title"]),
            style=str(data["style"]),
            seed=int(data["seed"]),
            swing=float(data["swing"]),
            duration_ticks=int(data["duration_ticks"]),
            tempos=tuple(TempoChange(**t) for t in data["tempos"]),
            meters=tuple(MeterChange(**m) for m in data["meters"]),
            keys=tuple(KeyChange(**k) for k in data["keys"]),
            sections=tuple(Section(**s) for s in data["sections"]),
            chords=tuple(ChordSpan(**c) for c in data["chords"]),
            tracks=tuple(_track(t) for t in data["tracks"]),
            syllables=tuple(Syllable(**{**s, "phonemes": tuple(s.get("phonemes", ()))}) for s in data["syllables"]),
            master=MasterMix(**{**data["master"], "inserts": tuple(Insert(**i) for i in data["master"]["inserts"])}),
            provenance=data["provenance"],
        )
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"not a readable song: {type(error).__name__} {error}") from error
    check(song)
    return song


def _track(data: Mapping[str, Any]) -> Track:
    mix = dict(data["mix"])
    mix["inserts"] = tuple(Insert(**i) for i in mix["inserts"])
    mix["automation"] = tuple((int(t), float(g)) for t, g in mix["automation"])
    mix["throws"] = tuple((int(a), int(b)) for a, b in mix.get("throws", ()))
    return Track(
        id=data["id"],
        role=data["role"],
        instrument=data["instrument"],
        name=data["name"],
        notes=tuple(Note(*n) for n in data["notes"]),
        controls=tuple(Control(*c) for c in data["controls"]),
        bends=tuple(PitchBend(*b) for b in data["bends"]),
        mix=TrackMix(**mix),
        singer=Singer(**data["singer"]) if data.get("singer") else None,
    )


def check(song: Song) -> None:
    """Raises InputError if the song breaks the rules its docstrings state."""
    for name, changes in (("tempos", song.tempos), ("meters", song.meters), ("keys", song.keys)):
        ticks = [change.tick for change in changes]
        if not ticks or ticks[0] != 0 or ticks != sorted(set(ticks)):
            raise InputError(f"{name} must begin at tick 0 and rise: {ticks[:5]}")
    if not all(4.0 <= t.bpm <= 2000.0 for t in song.tempos):
        raise InputError("tempo outside 4 to 2000 bpm")
    if not all(m.numerator > 0 and m.denominator in (1, 2, 4, 8, 16, 32, 64) for m in song.meters):
        raise InputError("metre must be a positive count over a power of two up to 64")
    ids = [track.id for track in song.tracks]
    if len(set(ids)) != len(ids):
        raise InputError(f"track ids repeat: {sorted({i for i in ids if ids.count(i) > 1})}")
    for track in song.tracks:
        if track.role not in TRACK_ROLES:
            raise InputError(f"track {track.id}: unknown role '{track.role}'; one of {', '.join(TRACK_ROLES)}")
        for n in track.notes:
            if n.start_ticks < 0 or n.duration_ticks < 1 or not 0 <= n.pitch <= 127 or not 1 <= n.velocity <= 127:
                raise InputError(f"track {track.id}: impossible note {n}")
    _check_spans(song.sections)
    _check_spans(song.chords)
    _check_words(song)


def _check_words(song: Song) -> None:
    ids = [s.id for s in song.syllables]
    if any(b <= a for a, b in pairwise(ids)):
        raise InputError("the ids of syllables must rise in the order of singing")
    for s in song.syllables:
        if not 0 <= s.nucleus < max(1, len(s.phonemes)):
            raise InputError(f"syllable {s.id} '{s.text}': nucleus {s.nucleus} is not among its phonemes {s.phonemes}")
        if s.stress not in (0, 1, 2) or not 0 <= s.tone <= 5 or s.delivery not in DELIVERIES:
            raise InputError(f"syllable {s.id} '{s.text}': impossible stress, tone or delivery")
    known = set(ids)
    for track in song.tracks:
        if track.singer is not None and not track.singer.name:
            raise InputError(f"track {track.id}: a singer without a name; leave it out for the default one")
        lost = next((n for n in track.notes if n.syllable is not None and n.syllable not in known), None)
        if known and lost is not None:
            raise InputError(f"track {track.id}: the note at tick {lost.start_ticks} sings syllable {lost.syllable}, "
                             "which the song does not have")  # fmt: skip


def _check_spans(spans: Sequence[Section] | Sequence[ChordSpan]) -> None:
    end = 0
    for span in spans:
        if span.start_ticks < end:
            raise InputError(f"{type(span).__name__} at tick {span.start_ticks} overlaps the one before")
        end = span.end_ticks
