"""A song whose band plays in the manner of another: the network writes each part with the other's bars before its eyes.

Nothing is trained. A few bars of the reference, moved into the song's key, stand in the window before the bars that are
to be written, part under part: what the network attends to there it goes on with, over the song's own chords and tune.
"""

from collections.abc import Sequence
from dataclasses import replace

from songwright.compose.learned.edits import ORDER
from songwright.compose.learned.rewrite import Task, rewrite, with_notes
from songwright.compose.plan import SectionPlan
from songwright.compose.plan_of_song import key_at, plan_of
from songwright.compose.scene import Scene, chords_of, cut_chords, cut_notes, fitted, measured, rules_for, steps_between
from songwright.errors import InputError
from songwright.neural.sampling import SamplingSettings
from songwright.neural.step_model import StepModel
from songwright.progress import Progress, silent
from songwright.score.song import KeyChange, Note, Section, Song, TempoChange, Track, check
from songwright.seeding import generator

IMITATED = ("drums", "percussion", "bass", "chords", "pad", "counter_melody")
"""Roles that are written anew where the reference has them."""

SETTINGS = SamplingSettings(temperature=0.8, top_p=0.95)
"""Nearer to what is likely than other edits: the manner is given, not sought."""

REFERENCE_BARS, CHUNK_BARS = 8, 4
"""Bars of the reference that stand before, and bars that are written at a time."""


def imitated(
    song: Song,
    reference: Song,
    model: StepModel,
    *,
    seed: int,
    candidates: int = 4,
    tell: bool = True,
    progress: Progress = silent,
) -> Song:
    """Returns the song with its accompanying parts written in the manner of those of a reference.

    Parts that the reference does not have, the tune, all voices, chords and form stay as they are; so does the last
    bar, in which the song rings out. A part still rests where it rested, and stays where the one it follows rests.

    Args:
        song: any song with a band, in one metre.
        reference: in the same metre, with at least one of the song's accompanying roles.
        model: the network.
        seed: decides what is drawn.
        candidates: written side by side, the likeliest is kept.
        tell: whether density, register, polyphony, syncopation and repetition of the reference are told as controls.
        progress: told about the bars.

    Raises:
        InputError: the reference is in another metre, or has none of the song's parts.
    """
    work = _Imitation(song, reference, tell=tell)
    chunks = [chunk for section in work.plan.sections for chunk in _chunks(section, work.plan.num_bars - 1)]
    for i, (section, first, last) in enumerate(chunks):
        progress("imitate", i / len(chunks))
        own_seed = int(generator(seed, "imitate", first).integers(2**31))
        song = work.chunk(song, section, (first, last), model, own_seed, candidates)
    check(song)
    progress("imitate", 1.0)
    return song


def _chunks(section: SectionPlan, stop: int) -> list[tuple[SectionPlan, int, int]]:
    """Returns a section in stretches of a few bars, up to a last bar of the song."""
    end = min(section.first_bar + section.num_bars, stop)
    return [(section, bar, min(bar + CHUNK_BARS, end)) for bar in range(section.first_bar, end, CHUNK_BARS)]


def paired(song: Song, reference: Song) -> dict[str, Track]:
    """Returns the track of a reference that each accompanying track of a song follows: the busiest of its role first.

    Raises:
        InputError: there is none.
    """
    found: dict[str, Track] = {}
    for role in IMITATED:
        own = [track for track in song.tracks if track.role == role and track.notes]
        theirs = [track for track in reference.tracks if track.role == role and track.notes]
        theirs.sort(key=lambda track: -len(track.notes))
        found.update({mine.id: other for mine, other in zip(own, theirs, strict=False)})
    if not found:
        wanted = ", ".join(sorted({track.role for track in song.tracks if track.role in IMITATED})) or "no band"
        there = ", ".join(sorted({track.role for track in reference.tracks if track.notes})) or "no notes"
        raise InputError(f"the reference has none of this song's parts: the song has {wanted}, the reference {there}")
    return found


class _Imitation:
    """What stays the same from chunk to chunk."""

    def __init__(self, song: Song, reference: Song, *, tell: bool) -> None:
        self.plan = plan_of(song, song.sections or (Section("all", "theme", 0, song.duration_ticks, 0.5),))
        self.bar, self.tell = self.plan.bar_ticks, tell
        one = (Section("all", "theme", 0, reference.duration_ticks, 0.5),)
        other = plan_of(reference, one)
        if other.bar_ticks != self.bar:
            raise InputError(
                f"the reference is in {other.numerator}/{other.denominator}, the song in "
                f"{self.plan.numerator}/{self.plan.denominator}: its bars cannot be followed"
            )
        self.pairs = paired(song, reference)
        self.reference = replace(reference, sections=one, chords=chords_of(reference, other))
        self.windows = self._windows(other.num_bars)

    def _windows(self, num_bars: int) -> list[int]:
        """Returns where stretches of the reference begin that could be followed, the emptiest first."""
        onsets = [0] * num_bars
        for track in self.pairs.values():
            for note in track.notes:
                bar = note.start_ticks // self.bar
                if bar < num_bars:
                    onsets[bar] += 1
        size = min(REFERENCE_BARS, num_bars)
        first = next(bar for bar, count in enumerate(onsets) if count)
        starts = range(min(first, num_bars - size), num_bars - size + 1, CHUNK_BARS)
        rows = [(sum(onsets[start : start + size]), start) for start in starts]
        most = max(count for count, _ in rows)
        return [start for count, start in sorted(rows) if 4 * count >= most]

    def window_of(self, section: SectionPlan) -> int:
        """Returns the first bar of the stretch of the reference that a section follows: as busy there as it is here."""
        others = [other.energy for other in self.plan.sections]
        below = sum(energy < section.energy for energy in others) + 0.5 * others.count(section.energy)
        return self.windows[min(len(self.windows) - 1, int(below / len(others) * len(self.windows)))]

    def chunk(
        self, song: Song, section: SectionPlan, bars: tuple[int, int], model: StepModel, seed: int, candidates: int
    ) -> Song:
        """Returns the song with a few bars written, one group of parts after another."""
        start, end = bars[0] * self.bar, bars[1] * self.bar
        seen, length = self.window_of(section) * self.bar, REFERENCE_BARS * self.bar
        playing = [
            track
            for track in song.tracks
            if track.id in self.pairs
            and any(start <= note.start_ticks < end for note in track.notes)
            and any(seen <= note.start_ticks < seen + length for note in self.pairs[track.id].notes)
        ]
        groups = [[track.id for track in playing if track.role in roles] for roles in ORDER]
        groups = [group for group in groups if group]
        for i, group in enumerate(groups):
            later = {name for names in groups[i + 1 :] for name in names}
            song = self._group(song, section, bars, (group, later), model, seed, candidates)
        return song

    def _group(
        self,
        song: Song,
        section: SectionPlan,
        bars: tuple[int, int],
        names: tuple[Sequence[str], set[str]],
        model: StepModel,
        seed: int,
        candidates: int,
    ) -> Song:
        group, later = names
        scene = self._scene(song, section, bars, group, later)
        first = scene.num_given
        levels = measured(scene, group) if self.tell else {}
        task = Task(
            tuple(group),
            first,
            first + bars[1] - bars[0],
            rules={name: rules_for(scene, name, self.pairs[name]) for name in group},
            controls=levels,
            candidates=candidates,
            settings=SETTINGS,
        )
        made = rewrite(scene.song, task, model, seed=seed)
        start, end = bars[0] * self.bar, bars[1] * self.bar
        back = start - first * self.bar
        for name in group:
            new = [replace(n, start_ticks=n.start_ticks + back) for n in made.track(name).notes]
            inside = [note for note in new if start <= note.start_ticks < end]
            song = song.with_track(with_notes(song.track(name), inside, start, end))
        return song

    def _scene(
        self, song: Song, section: SectionPlan, bars: tuple[int, int], group: Sequence[str], later: set[str]
    ) -> Scene:
        """Returns bars of the reference and, after them, those of the song, as one piece of music."""
        window = self.window_of(section)
        given = min(REFERENCE_BARS, -(-self.reference.duration_ticks // self.bar) - window)
        start, end, at = bars[0] * self.bar, bars[1] * self.bar, given * self.bar
        origin = window * self.bar
        up = steps_between(key_at(self.reference, origin), key_at(song, start))
        before: dict[str, Track] = {}
        tracks = []
        for track in song.tracks:
            if track.id in later or track.role == "effects":
                continue
            theirs: Sequence[Note] = ()
            if track.id in self.pairs:
                theirs = fitted(cut_notes(self.pairs[track.id].notes, origin, origin + at, 0), up, track)
                before[track.id] = replace(track, notes=tuple(theirs), controls=(), bends=())
            own = [] if track.id in group else cut_notes(track.notes, start, end, at)
            tracks.append(replace(track, notes=(*theirs, *own), controls=(), bends=()))
        chords = cut_chords(self.reference.chords, origin, origin + at, 0, up) + cut_chords(song.chords, start, end, at)
        whole = replace(
            song,
            duration_ticks=at + end - start,
            tempos=(TempoChange(0, self.plan.tempo_bpm),),
            keys=(KeyChange(0, str(key_at(song, start))),),
            sections=(
                Section("Before", section.role, 0, at, section.energy),
                Section("Here", section.role, at, end - start, section.energy),
            ),
            chords=chords if song.chords else (),
            tracks=tuple(tracks),
        )
        return Scene(whole, before, given)
