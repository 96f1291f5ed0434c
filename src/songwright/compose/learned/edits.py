"""What people ask of a song that is there: go on, change a section a little, fill in, find chords for a tune.

Every edit returns a new song in which all that it was not asked to touch is the same, note for note.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from songwright.compose.learned.critic_edits import edit_score
from songwright.compose.learned.rewrite import Task, bar_lines, rewrite
from songwright.compose.learned.scribe import Written
from songwright.compose.tokens.vocabulary import HARMONY
from songwright.errors import InputError
from songwright.neural.step_model import StepModel
from songwright.progress import Progress, silent
from songwright.score.song import ChordSpan, Section, SectionRole, Song, Track
from songwright.score.theory import NO_CHORD
from songwright.seeding import generator

LISTENED_BARS = 8
"""Who plays in the last bars goes on."""

SUNG = ("vocal", "backing_vocal")
ORDER = (("melody",), ("bass", "drums"), ("chords",), ("pad",), ("counter_melody",), ("percussion",), ("effects",))
"""Roles in the order in which they are written; those of one group hear each other bar by bar."""

MOST_BARS = 256
FILL_ATTEMPTS = 4
"""Where a part that somebody asked for would rest, it is written so many times at most."""

_SILENT = 1000.0
"""Taken off the score of a candidate for each asked part that rests in it: it is chosen only where all do."""


def continued(
    song: Song, num_bars: int, model: StepModel, *, seed: int, candidates: int = 4, progress: Progress = silent
) -> Song:
    """Returns the song with more bars at its end: chords first, then who played last, one group after another.

    Voices rest there, since nobody wrote them words.

    Raises:
        InputError: no bars or too many are asked for, or nothing is in the song that could go on.
    """
    if not 1 <= num_bars <= MOST_BARS:
        raise InputError(f"{num_bars} bars: expected 1 to {MOST_BARS}")
    lines = bar_lines(song)
    if len(lines) < 2 or not any(track.notes for track in song.tracks):
        raise InputError("there is no music in this file that could go on")
    first, start = len(lines) - 1, song.duration_ticks
    length = num_bars * song.meters[-1].bar_ticks
    longer = replace(
        song,
        duration_ticks=start + length,
        sections=_with_section(song, start, length),
        chords=(*song.chords, ChordSpan(start, length, song.chords[-1].symbol)) if song.chords else (),
    )
    heard = lines[max(0, first - LISTENED_BARS)]
    playing = [t for t in song.tracks if t.role not in SUNG and any(n.start_ticks >= heard for n in t.notes)]
    groups: list[tuple[str, ...]] = [(HARMONY,)] if song.chords else []
    groups += [tuple(t.id for t in playing if t.role in roles) for roles in ORDER]
    return _written(longer, [g for g in groups if g], (first, first + num_bars), model, seed, candidates, progress)


def _with_section(song: Song, start: int, length: int) -> tuple[Section, ...]:
    if not song.sections:
        return ()
    last = song.sections[-1]
    role: SectionRole = last.role if last.role != "outro" else "interlude"
    labels = {section.label for section in song.sections}
    number = next(i for i in range(1, len(labels) + 2) if f"Continuation {i}" not in labels)
    return (*song.sections, Section(f"Continuation {number}", role, start, length, last.energy))


def _written(
    song: Song,
    groups: Sequence[Sequence[str]],
    bars: tuple[int, int],
    model: StepModel,
    seed: int,
    candidates: int,
    progress: Progress,
    *,
    must_play: bool = False,
) -> Song:
    """Returns the song with groups of tracks written into some bars, one group after another; the critic chooses."""
    judged = edit_score(song, bars)
    for i, group in enumerate(groups):
        task = Task(tuple(group), *bars, candidates=candidates)
        asked = [name for name in group if name != HARMONY] if must_play else []

        def score(made: Song, written: Written, asked: list[str] = asked) -> float:
            return judged(made, written) - _SILENT * sum(_rests(made, name, bars) for name in asked)

        def share(stage: str, fraction: float, done: int = i) -> None:
            progress(stage, (done + fraction) / len(groups))

        song = rewrite(song, task, model, seed=seed, score=score, progress=share)
    return song


def filled(
    song: Song,
    tracks: Sequence[str],
    first_bar: int,
    last_bar: int,
    model: StepModel,
    *,
    seed: int,
    candidates: int = 4,
    progress: Progress = silent,
) -> Song:
    """Returns the song with some tracks written anew in some bars.

    Args:
        song: any song.
        tracks: ids or roles; a role stands for all tracks that have it, ``harmony`` for the chords.
        first_bar: first bar, counted from 0.
        last_bar: one past the last bar.
        model: the network.
        seed: decides what is drawn.
        candidates: written side by side, the best is kept.
        progress: told about the bars.

    A part that was asked for plays: candidates in which it rests give way, and where all do, others are written.

    Raises:
        InputError: there is no such track or bar, a track is sung, or one rests in every attempt.
    """
    names = list(dict.fromkeys(name for wish in tracks for name in _named(song, wish)))
    chosen = [song.track(name) for name in names if name != HARMONY]
    sung = [track.id for track in chosen if track.role in SUNG]
    if sung:
        raise InputError(
            f"{sung[0]} is sung: its words would be lost; `vary` gives it other pitches and keeps the words"
        )
    groups: list[tuple[str, ...]] = [(HARMONY,)] if HARMONY in names else []
    groups += [tuple(track.id for track in chosen if track.role in roles) for roles in ORDER]
    groups, bars = [group for group in groups if group], (first_bar, last_bar)
    for attempt in range(FILL_ATTEMPTS):
        drawn = int(generator(seed, "fill", attempt).integers(2**31)) if attempt else seed
        made = _written(song, groups, bars, model, drawn, candidates, progress, must_play=True)
        resting = [track.id for track in chosen if _rests(made, track.id, bars)]
        if not resting:
            return made
    raise InputError(
        f"{', '.join(resting)} rested in bars {first_bar + 1} to {last_bar} in all {FILL_ATTEMPTS} attempts: "
        "ask for other bars or more of them, or for another --seed"
    )


def _rests(song: Song, name: str, bars: tuple[int, int]) -> bool:
    """Returns whether a track begins no note in some bars."""
    lines = bar_lines(song)
    return not any(lines[bars[0]] <= note.start_ticks < lines[bars[1]] for note in song.track(name).notes)


def _named(song: Song, wish: str) -> list[str]:
    """Returns the tracks that a person means by an id or a role."""
    if wish == HARMONY or any(track.id == wish for track in song.tracks):
        return [wish]
    found = [track.id for track in song.tracks if track.role == wish]
    if not found:
        known = ", ".join([HARMONY, *(track.id for track in song.tracks)])
        raise InputError(f"there is no track '{wish}': this song has {known}")
    return found


def varied(
    song: Song,
    section: str,
    amount: float,
    model: StepModel,
    *,
    seed: int,
    tracks: Sequence[str] = (),
    candidates: int = 4,
    progress: Progress = silent,
) -> Song:
    """Returns the song with a share of the bars of a section changed in every track that plays there.

    Voices keep rhythm and words and get other pitches; everything else may get other notes. Chords stay.

    Args:
        song: any song with sections.
        section: a label ("Chorus 2"), or a role ("chorus") for all its sections.
        amount: share of the bars, 0 to 1; at least one bar.
        model: the network.
        seed: decides which bars, and what is written there.
        tracks: ids or roles; all but effects by default.
        candidates: written side by side, the best is kept.
        progress: told about the bars.

    Raises:
        InputError: there is no such section or track, or the amount is not a share.
    """
    if not 0 < amount <= 1:
        raise InputError(f"amount {amount}: expected a share above 0 and up to 1")
    wanted = section.strip().lower()
    found = [s for s in song.sections if wanted in (s.label.lower(), s.role)]
    if not found:
        known = ", ".join(s.label for s in song.sections) or "no sections at all"
        raise InputError(f"there is no section '{section}': this song has {known}")
    names = [name for wish in tracks for name in _named(song, wish)] or [
        track.id for track in song.tracks if track.role != "effects"
    ]
    lines = bar_lines(song)
    jobs = []
    for one in found:
        inside = [i for i, line in enumerate(lines[:-1]) if one.start_ticks <= line < one.end_ticks]
        random = generator(seed, "vary", one.label)
        count = max(1, ceil(amount * len(inside) - 1e-9))
        bars = sorted(random.choice(inside, size=count, replace=False).tolist())
        jobs += [(names, run) for run in runs(bars)]
    for i, (each, run) in enumerate(jobs):
        progress("vary", i / len(jobs))
        song = _varied(song, each, run, lines, model, seed, candidates)
    progress("vary", 1.0)
    return song


def runs(bars: Sequence[int]) -> list[tuple[int, int]]:
    """Returns neighbouring bars joined, as (first, one past the last)."""
    found: list[tuple[int, int]] = []
    for bar in bars:
        if found and found[-1][1] == bar:
            found[-1] = (found[-1][0], bar + 1)
        else:
            found.append((bar, bar + 1))
    return found


def _varied(
    song: Song,
    names: Sequence[str],
    run: tuple[int, int],
    lines: Sequence[int],
    model: StepModel,
    seed: int,
    count: int,
) -> Song:
    def plays(track: Track) -> bool:
        return any(lines[run[0]] <= note.start_ticks < lines[run[1]] for note in track.notes)

    playing = [track for track in song.tracks if track.id in names and plays(track)]
    for track in playing:
        if track.role in SUNG:
            task = Task((track.id,), *run, keep_rhythm=True, candidates=count)
            song = rewrite(song, task, model, seed=seed, score=edit_score(song, run))
    groups = [tuple(track.id for track in playing if track.role in roles) for roles in ORDER]
    return _written(song, [group for group in groups if group], run, model, seed, count, silent)


def harmonised(song: Song, model: StepModel, *, seed: int, candidates: int = 8, progress: Progress = silent) -> Song:
    """Returns the song with chords found for what it plays; chords that it had are replaced.

    Raises:
        InputError: there are no notes.
    """
    if not any(track.notes for track in song.tracks if not track.is_drums):
        raise InputError("there is no tune in this file that chords could be found for")
    bare = replace(song, chords=(ChordSpan(0, song.duration_ticks, NO_CHORD),))
    task = Task((HARMONY,), 0, len(bar_lines(song)) - 1, candidates=candidates)
    return rewrite(bare, task, model, seed=seed, score=edit_score(bare, (0, task.last_bar)), progress=progress)
