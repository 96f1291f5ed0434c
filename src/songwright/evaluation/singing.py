"""Measures of singing: a dry voice beside what its score wanted of it.

What is heard comes from the sound alone: the recogniser's phones and forced alignment, turning points of the spectrum,
pitch by pYIN and harvest. The score and the planned phones say only what should be there, and where to look. Long songs
are sampled line by line, evenly; the report says how much was measured.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.audio.resample import resample
from songwright.errors import InputError
from songwright.evaluation import pitch as pitches
from songwright.evaluation.mel import SAMPLE_RATE
from songwright.evaluation.musical_fit import MusicalFit, musical_fit
from songwright.evaluation.onsets import fine_spectra, vowel_start
from songwright.evaluation.phoneme_classes import languages, phoneme_classes
from songwright.evaluation.recogniser import HeardPhone, align, decode, phoneme_errors, posteriors
from songwright.evaluation.sung_lines import LineSpan, Targets, line_spans, targets
from songwright.score.song import Song
from songwright.score.sung import SungPhone

FOUND_ONSET_SECONDS = 0.12
"""A syllable is found if its vowel begins this near its note, has its middle within it, and sounds like itself."""
FOUND_LOG_SCORE = -4.0
"""Mean log probability of the vowel's class over where it was placed."""
STEADY_AFTER_SECONDS, STEADY_BEFORE_SECONDS = 0.1, 0.06
"""The steady part of a note: from so long after its beginning to so long before the end of its vowel."""
SHORTEST_STEADY_SECONDS = 0.05
EDGE_SECONDS = 0.02
"""Frames this near to a change of voicing are not counted."""
KINDS = ("stop", "fricative", "nasal")
BEATS = ("stop", "fricative", "nasal", "vowel", "silence")

Wave = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Budget:
    """How many seconds of song are measured; the whole song where it is shorter.

    Attributes:
        heard_seconds: by the recogniser and for onsets.
        pyin_seconds: for pitch and voicing.
        harvest_seconds: for pitch once more, by a slower estimator: a quarter of a second of processor for each, in
            which other threads wait.
    """

    heard_seconds: float = 60.0
    pyin_seconds: float = 45.0
    harvest_seconds: float = 0.0


EVERYTHING = Budget(1e9, 1e9, 1e9)


@dataclass(frozen=True, slots=True)
class Onset:
    """A vowel's beginning: what was heard less what was written, and what came before it.

    Attributes:
        kind: ``stop, fricative, nasal`` (liquids and glides too), ``vowel`` (a joint) or ``silence``.
        error_seconds: above 0 is late.
    """

    kind: str
    error_seconds: float


@dataclass(frozen=True, slots=True)
class OnsetSummary:
    """Onsets of one kind, in milliseconds.

    Attributes:
        count: how many.
        median_ms: signed: above 0 is late.
        median_abs_ms, p95_abs_ms: how far off.
    """

    count: int
    median_ms: float
    median_abs_ms: float
    p95_abs_ms: float


@dataclass(frozen=True, slots=True)
class PitchSummary:
    """Pitch against the written notes, in their steady parts.

    Attributes:
        notes: how many had a steady part with a voice.
        median_cents: over notes, of how far each note's own median lies off (vibrato swings around it).
        frame_median_cents: over all voiced frames, vibrato included.
        within_50_cents: share of voiced frames.
        voiced_share: of the frames in steady parts.
    """

    notes: int
    median_cents: float
    frame_median_cents: float
    within_50_cents: float
    voiced_share: float


@dataclass(frozen=True, slots=True)
class LineHeard:
    """What the recogniser heard of a line.

    Attributes:
        phones: how many should be heard.
        errors: insertions, deletions and substitutions of free decoding.
        found: for each syllable, whether its vowel is where it should be.
        onsets: of its vowels.
    """

    phones: int
    errors: int
    found: tuple[bool, ...]
    onsets: tuple[Onset, ...]


@dataclass(frozen=True)
class SingingReport:
    """What was measured of a sung track.

    Attributes:
        syllables: how many the lyrics have for this track, and `planned_in_order` the share planned, in order.
        lines, lines_heard: of the track; of them measured by the recogniser.
        measured_seconds: of sound that the recogniser heard.
        syllables_found: share of the syllables heard whose vowel is where it should be, from the audio.
        phoneme_error: of free decoding against the lyrics.
        onsets: of the vowels found, by kind, and ``all`` of stops, fricatives and nasals.
        pyin, harvest: pitch.
        voicing_error: share of frames whose voicing is not that of their phone.
        fit: of words, notes and chords.
    """

    syllables: int
    planned_in_order: float
    lines: int
    lines_heard: int
    measured_seconds: float
    syllables_found: float | None
    phoneme_error: float | None
    onsets: dict[str, OnsetSummary]
    pyin: PitchSummary | None
    harvest: PitchSummary | None
    voicing_error: float | None
    fit: MusicalFit

    def as_dict(self) -> dict[str, Any]:
        """Returns it as plain data with numbers rounded."""
        return {key: _rounded(value) for key, value in asdict(self).items()}


def measure_singing(
    song: Song,
    track_id: str,
    waveform: Wave,
    sample_rate: int,
    phones: Sequence[SungPhone],
    *,
    budget: Budget | None = None,
) -> SingingReport:
    """Returns what is measured of a sung track from its dry sound and its score.

    Args:
        song: the score.
        track_id: the track that is sung.
        waveform: (samples,) the dry voice from the song's beginning.
        sample_rate: hertz.
        phones: when each phone was planned to sound.
        budget: how much of the song is measured; by default what takes about a second.

    Raises:
        InputError: no such track, or the waveform is not mono.
    """
    if waveform.ndim != 1:
        raise InputError(f"singing is measured on mono (samples,), not on an array of shape {waveform.shape}")
    budget = budget or Budget()
    sound = resample(waveform.astype(np.float32), sample_rate, SAMPLE_RATE)
    lines = line_spans(song, track_id, phones)
    hearable = [line for line in lines if targets(line) is not None]
    heard_lines = sampled(hearable, budget.heard_seconds)
    heard = [hear_line(line, cut(sound, line)) for line in heard_lines]
    sung = [line for line in lines if all(s.syllable.delivery == "sung" for s in line.syllables)]
    tracked = [(line, pitches.pyin(cut(sound, line), SAMPLE_RATE)) for line in sampled(sung, budget.pyin_seconds)]
    again = [(line, pitches.harvest(cut(sound, line), SAMPLE_RATE)) for line in sampled(sung, budget.harvest_seconds)]
    found = [f for row in heard for f in row.found]
    total = sum(row.phones for row in heard)
    syllables, planned = planned_in_order(song, track_id, phones)
    return SingingReport(
        syllables=syllables,
        planned_in_order=planned,
        lines=len(lines),
        lines_heard=len(heard),
        measured_seconds=sum(line.end_seconds - line.start_seconds for line in heard_lines),
        syllables_found=sum(found) / len(found) if found else None,
        phoneme_error=sum(row.errors for row in heard) / total if total else None,
        onsets=summarise_onsets([o for row in heard for o in row.onsets]),
        pyin=pitch_summary(tracked),
        harvest=pitch_summary(again),
        voicing_error=voicing_error(tracked),
        fit=musical_fit(song, track_id),
    )


def planned_in_order(song: Song, track_id: str, phones: Sequence[SungPhone]) -> tuple[int, float]:
    """Returns how many syllables this track should sing, and the share planned whole, each after the one before.

    Syllables that no track sings count against it.
    """
    own = [n.syllable for n in song.track(track_id).notes if n.syllable is not None]
    elsewhere = {n.syllable for t in song.tracks if t.id != track_id for n in t.notes if n.syllable is not None}
    wanted = [s for s in song.syllables if s.id in set(own) or s.id not in elsewhere]
    told: dict[int, list[SungPhone]] = {}
    for phone in sorted(phones, key=lambda p: p.start_seconds):
        told.setdefault(phone.syllable, []).append(phone)
    order = {key: at for at, key in enumerate(told)}
    good, last = 0, -1
    for syllable in wanted:
        at = order.get(syllable.id, -1)
        whole = at > last and sum(p.is_nucleus for p in told.get(syllable.id, ())) == 1
        complete = not syllable.phonemes or len(told.get(syllable.id, ())) >= len(syllable.phonemes)
        good += whole and complete
        last = max(last, at)
    return len(wanted), good / len(wanted) if wanted else 1.0


def sampled(lines: Sequence[LineSpan], seconds: float) -> list[LineSpan]:
    """Returns lines spread evenly over the song, lasting at most so many seconds together: one at least, none for 0."""
    if not lines or seconds <= 0:
        return []
    mean = sum(line.end_seconds - line.start_seconds for line in lines) / len(lines)
    count = int(np.clip(seconds / max(mean, 0.1), 1, len(lines)))
    return [lines[i] for i in np.unique(np.linspace(0, len(lines) - 1, count).round().astype(int))]


def cut(sound: Wave, line: LineSpan) -> Wave:
    """Returns the part of a sound, (samples,) at the recogniser's rate, that a line takes, filled up with silence."""
    first, last = round(line.start_seconds * SAMPLE_RATE), round(line.end_seconds * SAMPLE_RATE)
    piece = sound[first:last]
    return np.pad(piece, (0, max(0, last - first - len(piece))))


def hear_line(line: LineSpan, sound: Wave) -> LineHeard:
    """Returns what the recogniser hears of a line whose targets it knows.

    Args:
        line: as it should sound.
        sound: (samples,) at the recogniser's rate, beginning at the line's start.

    Raises:
        InputError: the line's language or sounds are not known to the recogniser.
    """
    wanted = targets(line)
    if wanted is None:
        raise InputError(f"the recogniser hears whole lines in {', '.join(languages())}; this one has other sounds")
    log_posterior = posteriors(sound, SAMPLE_RATE, line.language)
    known = phoneme_classes(line.language)
    told = [known.names[c] for i, c in enumerate(wanted.classes) if i == 0 or wanted.classes[i - 1] != c]
    errors = phoneme_errors(told, heard_between(line, decode(log_posterior, line.language)))
    if len(log_posterior) < len(wanted.classes):
        return LineHeard(len(told), errors, (False,) * len(line.syllables), ())
    placed = align(log_posterior, wanted.classes, line.language)
    found = tuple(_is_found(line, wanted, placed, k) for k in range(len(line.syllables)))
    return LineHeard(len(told), errors, found, _onsets(line, wanted, placed, log_posterior, sound, found))


def heard_between(line: LineSpan, heard: Sequence[HeardPhone]) -> list[str]:
    """Returns the names of what was heard while the line should sound: breaths before and after it are no phones."""
    planned = line.phones
    first = min((p.start_seconds for p in planned), default=line.start_seconds) - line.start_seconds - EDGE_SECONDS
    last = max((p.end_seconds for p in planned), default=line.end_seconds) - line.start_seconds + EDGE_SECONDS
    return [p.name for p in heard if first <= 0.5 * (p.start_seconds + p.end_seconds) <= last]


def _is_found(line: LineSpan, wanted: Targets, placed: Sequence[HeardPhone], index: int) -> bool:
    """Returns whether a syllable's vowel begins near its note, has its middle in it, and sounds like itself."""
    span = line.syllables[index]
    own = [p for p, s, n in zip(placed, wanted.syllables, wanted.nuclei, strict=True) if s == index and n]
    if not own:
        return False
    start = own[0].start_seconds + line.start_seconds
    middle = 0.5 * (start + own[-1].end_seconds + line.start_seconds)
    return (
        abs(start - span.start_seconds) <= FOUND_ONSET_SECONDS
        and span.start_seconds <= middle <= span.end_seconds
        and max(p.log_score for p in own) >= FOUND_LOG_SCORE
    )


def _onsets(
    line: LineSpan, wanted: Targets, placed: Sequence[HeardPhone], log_posterior: Wave, sound: Wave,
    found: Sequence[bool],
) -> tuple[Onset, ...]:  # fmt: skip
    """Returns the error of every vowel's beginning; those not in their windows are left to `found`."""
    known = phoneme_classes(line.language)
    spectra = fine_spectra(sound)
    rows = []
    for i in range(len(placed)):
        opens = wanted.nuclei[i] and (
            i == 0 or not wanted.nuclei[i - 1] or wanted.syllables[i - 1] != wanted.syllables[i]
        )
        if not opens or known.kinds[wanted.classes[i]] != "vowel" or not found[wanted.syllables[i]]:
            continue
        if i and wanted.classes[i - 1] == wanted.classes[i]:
            continue  # the same vowel goes on: nothing begins that could be heard
        kind, second = vowel_start(spectra, log_posterior, wanted.classes, placed, i, known.kinds)
        target = line.syllables[wanted.syllables[i]].start_seconds
        rows.append(Onset(kind, second + line.start_seconds - target))
    return tuple(rows)


def summarise_onsets(onsets: Sequence[Onset]) -> dict[str, OnsetSummary]:
    """Returns the onsets by kind, and those after stops, fricatives and nasals together as ``all``."""
    groups = {"all": [o.error_seconds for o in onsets if o.kind in KINDS]}
    groups |= {kind: [o.error_seconds for o in onsets if o.kind == kind] for kind in BEATS}
    return {name: _onset_summary(rows) for name, rows in groups.items() if rows}


def _onset_summary(rows: Sequence[float]) -> OnsetSummary:
    errors = 1000.0 * np.array(rows)
    off = np.abs(errors)
    return OnsetSummary(len(rows), float(np.median(errors)), float(np.median(off)), float(np.percentile(off, 95)))


def pitch_summary(tracked: Sequence[tuple[LineSpan, pitches.PitchTrack]]) -> PitchSummary | None:
    """Returns pitch against the written notes; None where no note has a steady part."""
    medians: list[float] = []
    frames: list[NDArray[np.float64]] = []
    total = 0
    for line, track in tracked:
        for start, end, note in steady_parts(line):
            f0 = track.between(start - line.start_seconds, end - line.start_seconds)
            total += len(f0)
            off = pitches.cents(f0[f0 > 0], float(note))
            if len(off):
                medians.append(float(np.median(off)))
                frames.append(off)
    if not total:
        return None
    if not frames:
        return PitchSummary(0, float("inf"), float("inf"), 0.0, 0.0)
    off = np.abs(np.concatenate(frames))
    return PitchSummary(
        len(medians),
        float(np.median(np.abs(medians))),
        float(np.median(off)),
        float(np.mean(off <= 50.0)),
        len(off) / total,
    )


def steady_parts(line: LineSpan) -> list[tuple[float, float, int]]:
    """Returns (start, end, MIDI pitch) of the steady part of every note that is long enough; seconds of the song."""
    rows = []
    for span in line.syllables:
        vowel = [p for p in span.phones if p.is_nucleus]
        until = vowel[0].end_seconds if vowel else span.end_seconds
        for note, after in zip(span.notes, [*span.notes[1:], None], strict=True):
            stop = min(note.end_seconds, until, after.start_seconds if after else until)
            start, end = note.start_seconds + STEADY_AFTER_SECONDS, stop - STEADY_BEFORE_SECONDS
            if end - start >= SHORTEST_STEADY_SECONDS:
                rows.append((start, end, note.pitch))
    return rows


def voicing_error(tracked: Sequence[tuple[LineSpan, pitches.PitchTrack]]) -> float | None:
    """Returns the share of frames whose voicing differs from that of the phone planned there.

    Frames within `EDGE_SECONDS` of a change of voicing are left out, for both estimators look at 40 ms at once.
    """
    wrong = total = 0
    for line, track in tracked:
        if not line.language or not phoneme_classes(line.language).knows(p.symbol for p in line.phones):
            continue
        known = phoneme_classes(line.language)
        time = np.arange(len(track.f0_hz)) * track.hop_seconds + line.start_seconds
        state = np.full(len(time), -1)
        for phone in line.phones:
            folded = known.fold(phone.symbol)
            if folded:
                inside = (time >= phone.start_seconds) & (time < phone.end_seconds)
                state[inside] = 0 if known.voiceless[folded[0]] else 1
        reach = round(EDGE_SECONDS / track.hop_seconds)
        near = np.zeros(len(time), bool)
        for at in np.flatnonzero(np.diff(state)):
            near[max(0, at + 1 - reach) : at + 1 + reach] = True
        use = (state >= 0) & ~near
        total += int(use.sum())
        wrong += int((track.voiced[use] != (state[use] == 1)).sum())
    return wrong / total if total else None


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    return value
