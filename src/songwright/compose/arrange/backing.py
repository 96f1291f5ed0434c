"""The backing voices as tracks: harmonies, doubles, oohs, answers and ad libs, as much of each as the style has.

Which notes harmonise the lead is found in `vocal_harmony`; oohs, answers and ad libs have notes of their own, written
in `vocal_phrases`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from songwright.compose.arrange.context import Context
from songwright.compose.arrange.mixing import voice_mix
from songwright.compose.arrange.vocal_harmony import Backing, backing_singers, fits, harmony_line
from songwright.compose.arrange.vocal_lead import section_of, write_voice
from songwright.compose.arrange.vocal_phrases import AdLibs, Oohs, write_ad_libs, write_answers, write_oohs
from songwright.compose.plan import SectionPlan
from songwright.compose.vocals import SungLine, VocalPlan
from songwright.score.song import Note, Singer, Syllable, Track, TrackMix

_DOUBLE = {"detune_cents": 7.0, "tract_ratio": 1.012}
"""How a second take of the lead differs from the first."""

_OWN_MS = 4.0


@dataclass(frozen=True, slots=True)
class Voices:
    """Everything that is sung.

    Attributes:
        tracks: the lead voice first.
        syllables: the plan's, then those of oohs and ad libs.
        heard: notes that the band makes room for: the lead, answers and ad libs.
    """

    tracks: tuple[Track, ...] = ()
    syllables: tuple[Syllable, ...] = ()
    heard: tuple[Note, ...] = ()


def write_voices(context: Context, vocals: VocalPlan) -> Voices:
    """Returns the lead voice and the backing voices of a song.

    Args:
        context: of the arrangement; its lead is not used.
        vocals: who sings what when.
    """
    book = context.style.vocals
    lead = write_voice(context, vocals)
    seats = backing_singers(context, vocals)
    by_line = _by_line(lead, vocals)
    tracks = [lead]
    for i, line in enumerate(_harmonies(context, vocals, seats, by_line)):
        tracks.append(_track(context, f"vocal_harmony_{i + 1}", seats[i].singer, line, pan=-0.45 if i == 0 else 0.45))
    tracks.append(_double(context, vocals, by_line))
    answers = write_answers(context, vocals, seats)
    for i, notes in enumerate(answers):
        name = "vocal_answers" if i == 0 else f"vocal_answers_{i + 1}"
        tracks.append(_track(context, name, seats[i].singer, notes, pan=0.3 if i == 0 else -0.3))
    answered = tuple(note for notes in answers[:1] for note in notes)
    free_id = max((s.id for s in vocals.syllables), default=-1) + 1
    free_line = max((s.line for s in vocals.syllables), default=-1) + 1
    ad_libs = write_ad_libs(context, vocals, answered, free_id, free_line) if book.ad_libs else AdLibs()
    tracks.append(_track(context, "vocal_ad_libs", vocals.singer, ad_libs.notes, pan=-0.15, gain_db=4.0))
    free_id, free_line = free_id + len(ad_libs.syllables), free_line + len(ad_libs.syllables)
    oohs = write_oohs(context, vocals, seats, free_id, free_line) if book.oohs else Oohs()
    for i, notes in enumerate(oohs.voices):
        name = "vocal_oohs" if i == 0 else f"vocal_oohs_{i + 1}"
        tracks.append(_track(context, name, oohs.singers[i], notes, pan=(-0.6, 0.6, 0.2)[i], gain_db=-1.0))
    return Voices(
        tracks=tuple(track for track in tracks if track.notes),
        syllables=(*vocals.syllables, *ad_libs.syllables, *oohs.syllables),
        heard=(*lead.notes, *answered, *ad_libs.notes),
    )


def sings_there(context: Context, section: SectionPlan, where: str) -> bool:
    """Whether a voice that sings in the last chorus, in choruses or everywhere sings in a section.

    Args:
        context: of the arrangement.
        section: which.
        where: ``none, last_chorus, chorus`` or ``all``; without a chorus the climax of the form stands for it.
    """
    if where == "all":
        return True
    chorus = section.role in ("chorus", "drop") or section is context.plan.climax
    return (where == "chorus" and chorus) or (where == "last_chorus" and section is context.plan.climax)


def _by_line(lead: Track, vocals: VocalPlan) -> dict[int, list[Note]]:
    """Returns the notes of the lead as sung, by the index of their line."""
    places = {(n.start_ticks, n.syllable): line.index for line in vocals.lines for n in line.notes}
    found: dict[int, list[Note]] = {line.index: [] for line in vocals.lines}
    for note in lead.notes:
        found[places[note.start_ticks, note.syllable]].append(note)
    return found


def _is_sung(line: SungLine, deliveries: dict[int, str]) -> bool:
    return all(deliveries.get(n.syllable if n.syllable is not None else -1, "sung") == "sung" for n in line.notes)


def _harmonies(
    context: Context, vocals: VocalPlan, seats: tuple[Backing, ...], by_line: dict[int, list[Note]]
) -> list[list[Note]]:
    """Returns the notes of the first and the second harmony."""
    book = context.style.vocals
    deliveries = {s.id: str(s.delivery) for s in vocals.syllables}
    voices: list[list[Note]] = [[] for _ in seats]
    for line in vocals.lines:
        section, notes = section_of(context, line), by_line[line.index]
        if not _is_sung(line, deliveries):
            continue
        pitches: list[int | None] = []
        for i, (seat, where) in enumerate(zip(seats, (book.harmony, book.second_harmony), strict=False)):
            if sings_there(context, section, where):
                key = context.key_of(section)
                found = harmony_line(context, notes, key, seat, pitches)
                if fits(context, notes, found, key):
                    voices[i].extend(_along(context, notes, found, i, line.index))
                    pitches = found
    return voices


def _along(context: Context, lead: list[Note], pitches: list[int | None], voice: int, line: int) -> list[Note]:
    """Returns notes that go with the lead: the same words and rhythm, a little softer, together but not one."""
    random = context.random("voice", "harmony", voice, line)
    late = float(np.clip(random.normal() * _OWN_MS, -8.0, 8.0))
    made: list[Note] = []
    for note, pitch in zip(lead, pitches, strict=True):
        own = context.ticks_of_ms(late + float(np.clip(random.normal() * 2.0, -4.0, 4.0)))
        if made and note.syllable is not None and made[-1].syllable == note.syllable:
            own = made[-1].offset_ticks - note.offset_ticks
        if pitch is not None:
            offset = max(-note.start_ticks, note.offset_ticks + own)
            velocity = max(36, note.velocity - 10)
            made.append(replace(note, pitch=pitch, velocity=velocity, offset_ticks=offset))
    return made


def _double(context: Context, vocals: VocalPlan, by_line: dict[int, list[Note]]) -> Track:
    """Returns the lead sung once more by the same singer: slightly late as a rule, slightly early at times."""
    where = context.style.vocals.double
    notes: list[Note] = []
    for line in vocals.lines:
        sung = by_line[line.index]
        if where == "ends" and sung:
            sung = [n for n in sung if n.start_ticks >= _last_word(vocals, sung)]
        elif not sings_there(context, section_of(context, line), where):
            continue
        random = context.random("voice", "double", line.index)
        apart = float(random.uniform(10.0, 25.0)) * (1 if random.random() < 0.7 else -1)
        own = context.ticks_of_ms(apart)
        for note in sung:
            offset = max(-note.start_ticks, note.offset_ticks + own)
            notes.append(replace(note, velocity=max(36, note.velocity - 6), offset_ticks=offset))
    singer = replace(vocals.singer, parameters=_second_take(vocals.singer))
    return _track(context, "vocal_double", singer, notes, gain_db=-1.0, pan=0.1)


def _second_take(singer: Singer) -> dict[str, float]:
    """Returns the singer's own parameters with the small differences of a second take."""
    own = dict(singer.parameters)
    own["detune_cents"] = own.get("detune_cents", 0.0) + _DOUBLE["detune_cents"]
    own["tract_ratio"] = round(own.get("tract_ratio", 1.0) * _DOUBLE["tract_ratio"], 4)
    return own


def _last_word(vocals: VocalPlan, notes: list[Note]) -> int:
    """Returns where the last word of a line begins: at the last stressed syllable, or the last of all."""
    stressed = {s.id for s in vocals.syllables if s.stress == 1}
    starts = [n.start_ticks for n in notes if n.syllable in stressed]
    return starts[-1] if starts else notes[-1].start_ticks


def _track(
    context: Context, track_id: str, singer: Singer, notes: Iterable[Note], *, pan: float = 0.0, gain_db: float = 0.0
) -> Track:
    mix: TrackMix = voice_mix(context, gain_db=gain_db, pan=pan)
    return Track(
        id=track_id,
        role="backing_vocal",
        instrument="voice",
        name=track_id.replace("_", " ").capitalize(),
        notes=tuple(sorted(notes)),
        mix=mix,
        singer=singer,
    )
