"""The pitch of a sung part: written notes joined as a voice joins them, with vibrato, drift and jitter."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.lines import Phrase, SungNote, SungSyllable
from songwright.perform.singer.voice import Voice

LOWEST_HZ, HIGHEST_HZ = 40.0, 1400.0
_LONG_NOTE_SECONDS = 0.5
_VIBRATO_GROWTH_SECONDS = 0.5
_EARLY_SECONDS = 0.012
_ACCENT_VELOCITY = 104


def contour(
    phrases: Sequence[Phrase], voice: Voice, times: NDArray[np.float64], draw: Callable[..., np.random.Generator]
) -> NDArray[np.float64]:
    """Returns the pitch in semitones (MIDI numbers) at every time, in rests too.

    Args:
        phrases: of one part, in order.
        voice: who sings.
        times: seconds, evenly spaced, rising. (frames,)
        draw: returns the generator of a place; each phrase has its own, so that an edit moves nothing elsewhere.
    """
    notes = [note for phrase in phrases for note in phrase.notes]
    pitch = _joined(notes, voice, times)
    hop = float(times[1] - times[0]) if len(times) > 1 else 0.005
    for phrase in phrases:
        rng = draw("pitch", phrase.name)
        for i, syllable in enumerate(phrase.syllables):
            if syllable.syllable.delivery != "sung":
                _speak(pitch, times, phrase, i)
                continue
            first = i == 0 and phrase.opens
            if first or syllable.notes[0].velocity >= _ACCENT_VELOCITY:
                _scoop(pitch, times, syllable, voice, rng, full=first)
            for note in syllable.notes:
                _vibrate(pitch, times, note, voice, rng)
        if phrase.rest_after > 0.3 and phrase.syllables[-1].syllable.delivery == "sung":
            _fall(pitch, times, phrase.end)
    slow = _noise(len(times), hop, 0.25, draw("slow")) + 0.6 * _noise(len(times), hop, 0.07, draw("quick"))
    pitch += voice.drift_cents / 100 * slow + voice.detune_cents / 100
    rough = draw("rough").standard_normal(len(times))
    return np.asarray(pitch + voice.jitter * 12 / np.log(2) * 0.5 * (rough + np.roll(rough, 1)))


def hertz(semitones: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns frequencies of MIDI note numbers, held within what a throat and `world` can do."""
    return np.asarray(np.clip(440.0 * 2 ** ((semitones - 69.0) / 12), LOWEST_HZ, HIGHEST_HZ))


def _joined(notes: Sequence[SungNote], voice: Voice, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the notes as steps, each step rounded into a glide with a slight preparation and overshoot."""
    pitch = np.full(len(times), float(notes[0].pitch))
    for before, note in pairwise(notes):
        step = note.pitch - before.pitch
        if not step:
            continue
        length = voice.glide_seconds * (0.8 + 0.04 * min(abs(step), 12))
        length = min(length, 0.45 * (note.end - note.start), 0.6 * (note.start - before.start))
        scale = max(length, 0.01) / 4.4  # 10 to 90 %
        a, b = np.searchsorted(times, [note.start - 0.3, note.start + 0.5])
        along = times[a:b] - (note.start - _EARLY_SECONDS - 0.25 * length)
        curve = 1 / (1 + np.exp(-np.clip(along / scale, -30, 30)))
        over = np.clip(0.035 * step, -0.22, 0.22)
        late = np.clip(along - 0.6 * length, 0, None)
        curve = curve * step + over * (late / 0.035) * np.exp(1 - late / 0.035) * (late > 0)
        early = np.clip(-along - 0.6 * length, 0, None)
        curve -= 0.5 * over * (early / 0.03) * np.exp(1 - early / 0.03)
        pitch[a:b] += curve
        pitch[b:] += step
    return pitch


def _scoop(
    pitch: NDArray[np.float64],
    times: NDArray[np.float64],
    syllable: SungSyllable,
    voice: Voice,
    rng: np.random.Generator,
    *,
    full: bool,
) -> None:
    """Lets a syllable begin from below; the consonants before it lie below too."""
    note = syllable.notes[0]
    depth = voice.scoop_cents / 100 * float(rng.uniform(0.6, 1.1)) * (1.0 if full else 0.4)
    depth *= min(1.0, (note.end - note.start) / 0.4)
    a, b = np.searchsorted(times, [note.start - 0.2, note.start + 0.35])
    along = times[a:b] - note.start
    lead = np.clip((along + 0.2) / 0.1, 0, 1) if not full else 1.0
    pitch[a:b] -= depth * lead / (1 + np.exp(np.clip((along - 0.025) / 0.016, -30, 30)))


def _vibrate(
    pitch: NDArray[np.float64], times: NDArray[np.float64], note: SungNote, voice: Voice, rng: np.random.Generator
) -> None:
    length = note.end - note.start
    if length < _LONG_NOTE_SECONDS or voice.vibrato_cents <= 0:
        return
    delay = min(voice.vibrato_delay_seconds * float(rng.uniform(0.85, 1.2)), 0.6 * length)
    a, b = np.searchsorted(times, [note.start + delay, note.end])
    if b - a < 20:
        return
    hop = times[1] - times[0]
    along = times[a:b] - times[a]
    rate = voice.vibrato_rate_hz * (1 + 0.05 * _noise(b - a, hop, 0.35, rng)) * (0.94 + 0.06 * np.minimum(along, 1))
    phase = 2 * np.pi * np.cumsum(rate) * hop
    grown = np.clip(along / _VIBRATO_GROWTH_SECONDS, 0, 1) ** 1.3
    full = voice.vibrato_cents / 100 * min(1.0, 0.45 + 0.35 * length)
    depth = np.clip(full * (1 + 0.15 * _noise(b - a, hop, 0.3, rng)), 0, 0.42)
    ending = np.clip((note.end - times[a:b]) / 0.08, 0, 1)
    pitch[a:b] += depth * grown * ending * np.sin(phase)


def _fall(pitch: NDArray[np.float64], times: NDArray[np.float64], end: float) -> None:
    """Lets the last 50 ms of a phrase sink a little."""
    a, b = np.searchsorted(times, [end - 0.05, end + 0.15])
    pitch[a:b] -= 0.5 * np.clip((times[a:b] - end + 0.05) / 0.08, 0, 1.5) ** 2


def _speak(pitch: NDArray[np.float64], times: NDArray[np.float64], phrase: Phrase, i: int) -> None:
    """Bends a syllable of rap or speech: stress lifts it, it falls within itself, the phrase sinks to its end."""
    sung = phrase.syllables[i]
    spoken = sung.syllable.delivery == "spoken"
    after = phrase.syllables[i + 1].start if i + 1 < len(phrase.syllables) else sung.end + 0.1
    a, b = np.searchsorted(times, [sung.start - 0.06, after - 0.06])
    along = np.clip((times[a:b] - sung.start) / max(after - sung.start, 0.05), -0.3, 1.0)
    place = (sung.start - phrase.start) / max(phrase.end - phrase.start, 0.2)
    lift = {1: 2.2, 2: 1.0}.get(sung.syllable.stress, -0.6)
    slope = 2.6 if sung.syllable.stress == 1 else 1.6
    sink = (4.0 if spoken else 2.0) * (0.4 - place)
    last = 1.5 * max(0.0, place - 0.6) if i + 1 == len(phrase.syllables) else 0.0
    arc = lift * np.sin(np.pi * np.clip(along + 0.25, 0, 1)) - slope * along - last * along
    pitch[a:b] += np.convolve(np.pad(arc + sink, 4, mode="edge"), np.ones(9) / 9, mode="valid")


def _noise(count: int, hop: float, seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Returns smooth noise of unit spread that changes within about this many seconds. (count,)."""
    knots = int(count * hop / seconds) + 4
    values = rng.standard_normal(knots)
    position = np.arange(count) * hop / seconds + 1
    index = position.astype(int)
    along = position - index
    weight = 0.5 - 0.5 * np.cos(np.pi * along)
    return np.asarray((values[index] * (1 - weight) + values[np.minimum(index + 1, knots - 1)] * weight) * 1.15)
