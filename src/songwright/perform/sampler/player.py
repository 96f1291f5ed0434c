"""`SamplerPlayer`: a whole track from a soundfont.

Every distinct tone of the track is made once, as long as its longest note, and mixed into all its notes with their
own envelope and gain. What the whole channel shares (volume, expression, pan) is done on the sum.
"""

import hashlib
import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.perform.sampler.curves import DEFAULT_EXPRESSION, DEFAULT_VOLUME, EXPRESSION, VOLUME, Channel
from songwright.perform.sampler.dsp import control_seconds
from songwright.perform.sampler.envelope import FALL_NEPERS, Envelope, release
from songwright.perform.sampler.soundfont import DRUM_BANK, Region, SoundFont
from songwright.perform.sampler.voice import (
    Tone,
    Voice,
    bent_wave,
    finished_wave,
    make_voice,
    moving_cents,
    release_sweeps,
    samples_read,
    straight_wave,
)
from songwright.perform.timeline import Performance
from songwright.score.instruments import instrument as find_instrument

_FLOOR = 1e-5
"""Amplitude under which a fading voice ends: 100 dB below full scale."""
_CHOKE_SECONDS = 0.12
_MIN_NOTE_SECONDS = 0.01
_MAX_PLACES = 4
_FILTER_RUN_IN = 1024
"""Samples before a note-off from which the filter is started again."""

_Emit = Callable[["_Event", int, NDArray[np.float32]], None]


@dataclass(slots=True)
class _Event:
    """A voice in time.

    Attributes:
        voice: what sounds.
        tone: its waveform, bent if the bend stands still.
        onset: sample of the song at which it begins.
        held: samples until its release.
        release_seconds: of the envelope, or faster if it is choked while held.
        choke: sample from the onset at which its tail is cut, if it is.
        length: samples until it cannot be heard.
        bend_cents: pitch that moves while it sounds, at control points.
    """

    voice: Voice
    tone: Tone
    onset: int
    held: int
    release_seconds: float
    choke: int | None = None
    length: int = 0
    bend_cents: NDArray[np.float64] | None = None

    @property
    def place(self) -> tuple[float, float]:
        """The voice's own pan and what the pan controller adds."""
        return self.voice.pan, self.voice.pan_span


class SamplerPlayer:
    """Plays performances with a soundfont. Cheap to make; one object may serve many threads.

    Args:
        path: a .sf2 or .sf3 file.

    Raises:
        InputError: the file is not there.
        DataError: it is no soundfont, or broken.
    """

    def __init__(self, path: Path) -> None:
        self.font = SoundFont(path)

    @cached_property
    def identity(self) -> str:
        """The kind of player and a digest of its soundfont."""
        with self.font.path.open("rb") as file:
            return f"sampler {hashlib.file_digest(file, 'blake2b').hexdigest()[:32]}"

    def render(
        self, performance: Performance, instrument: str, *, sample_rate: int, num_samples: int
    ) -> NDArray[np.float32]:
        """Returns the dry sound of a track, (2, num_samples): see `timeline.Player`.

        A full-scale recording at velocity 127 in the middle reaches 0.44 (volume 100, and the pan law's 3 dB).
        """
        patch = find_instrument(instrument)
        regions = self.font.regions(DRUM_BANK if patch.family == "kit" else 0, patch.program)
        channel = Channel(performance)
        events = self._events(performance, regions, channel, sample_rate)
        events = [e for e in events if _settle(e, channel, sample_rate, num_samples)]
        out = np.zeros((2, num_samples), np.float32)
        places = sorted({e.place for e in events})
        if len(places) <= _MAX_PLACES or channel.pan_moves:
            mono = np.empty(num_samples, np.float32)
            for place in places:
                mono[:] = 0.0
                here = (e for e in events if e.place == place)
                self._mix(here, sample_rate, lambda e, at, wave: _add(mono, at, wave, e.voice.gain))
                _place(out, mono, channel, place, sample_rate)
        else:
            gains = {place: channel.pan_gains(*place) for place in places}

            def emit(event: _Event, at: int, wave: NDArray[np.float32]) -> None:
                left, right = gains[event.place]
                _add(out[0], at, wave, event.voice.gain * left)
                _add(out[1], at, wave, event.voice.gain * right)

            self._mix(events, sample_rate, emit)
        channel.apply_volume(out, sample_rate)
        return out

    def _events(
        self, performance: Performance, regions: tuple[Region, ...], channel: Channel, sample_rate: int
    ) -> list[_Event]:
        """Returns every voice of every note, in order of onset, with note-offs, pedal and choking worked out."""
        bounds = np.array([(r.low_key, r.high_key, r.low_velocity, r.high_velocity) for r in regions]).reshape(
            len(regions), 4
        )
        voices = _VoiceMaker(self.font, regions, sample_rate, channel)
        events: list[_Event] = []
        sounding: dict[int, list[_Event]] = {}
        onsets = np.round(performance.start_seconds * sample_rate).astype(np.int64)
        held = np.round((_ends(performance, channel) - performance.start_seconds) * sample_rate)
        matches: dict[tuple[int, int], list[int]] = {}
        for i, played in enumerate(zip(performance.pitches.tolist(), performance.velocities.tolist(), strict=True)):
            if played not in matches:
                key, velocity = played
                inside = (bounds[:, 0] <= key) & (key <= bounds[:, 1])
                inside &= (bounds[:, 2] <= velocity) & (velocity <= bounds[:, 3])
                matches[played] = np.flatnonzero(inside).tolist()
            for index in matches[played]:
                voice = voices.get(index, played, float(performance.start_seconds[i]))
                length = int(min(held[i], 2**40))
                event = _Event(voice, voice.tone, int(onsets[i]), length, voice.envelope.release_seconds)
                if voice.exclusive_class:
                    _silence_class(sounding.setdefault(voice.exclusive_class, []), event)
                events.append(event)
        return events

    def _mix(self, events: Iterable[_Event], sample_rate: int, emit: _Emit) -> None:
        """Makes each distinct tone once and hands every note's share of it to `emit`."""
        sources: dict[Hashable, dict[Hashable, list[_Event]]] = {}
        for event in events:
            tones = sources.setdefault(event.tone.source, {})
            tones.setdefault(event.tone if event.bend_cents is None else id(event), []).append(event)
        falls: dict[float, NDArray[np.float32]] = {}
        for tones in sources.values():
            groups = []
            for group in tones.values():
                longest = max(e.length for e in group)
                cents = moving_cents(group[0].tone, longest, sample_rate, group[0].bend_cents)
                groups.append((group, longest, cents))
            tone = groups[0][0][0].tone
            needed = max(samples_read(longest, cents) for _, longest, cents in groups)
            straight = straight_wave(tone, self.font.sample(tone.sample), needed)
            for group, longest, cents in groups:
                _mix_group(group, bent_wave(straight, longest, cents), falls, sample_rate, emit)


class _VoiceMaker:
    """Makes voices, each (region, key, velocity, controllers) once."""

    def __init__(self, font: SoundFont, regions: tuple[Region, ...], sample_rate: int, channel: Channel) -> None:
        self._font = font
        self._regions = regions
        self._sample_rate = sample_rate
        self._channel = channel
        self._voices: dict[Hashable, Voice] = {}
        self._reads = [tuple(sorted({c for m in r.modulators for c in m.controllers})) for r in regions]

    def get(self, index: int, played: tuple[int, int], seconds: float) -> Voice:
        """Returns the voice of a region for (key, velocity), with the controllers as they stand at that time."""
        read = {c: self._controller(c, seconds) for c in self._reads[index]}
        key = (index, played, tuple(read.values()))
        if key not in self._voices:
            region = self._regions[index]
            header = self._font.sample_header(region.sample)
            length = len(self._font.sample(region.sample))
            self._voices[key] = make_voice(region, header, length, self._sample_rate, played, read.__getitem__)
        return self._voices[key]

    def _controller(self, number: int, seconds: float) -> int:
        if number == VOLUME:
            return DEFAULT_VOLUME
        if number == EXPRESSION:
            return DEFAULT_EXPRESSION
        return int(self._channel.curve(number).at(seconds))


def _ends(performance: Performance, channel: Channel) -> NDArray[np.float64]:
    """Returns when each note is let go: pedal held, and never past the next note on the same key."""
    start = performance.start_seconds
    end = np.maximum(channel.release_seconds(performance.end_seconds), start + _MIN_NOTE_SECONDS)
    for pitch in np.unique(performance.pitches):
        mine = np.flatnonzero(performance.pitches == pitch)
        onsets = np.unique(start[mine])
        following = np.append(onsets, np.inf)[np.searchsorted(onsets, start[mine], side="right")]
        end[mine] = np.minimum(end[mine], following)
    return end


def _silence_class(sounding: list[_Event], event: _Event) -> None:
    """Chokes what still sounds in an exclusive class from earlier onsets, and remembers the new voice."""
    for older in [e for e in sounding if e.onset < event.onset]:
        at = event.onset - older.onset
        if at < older.held:
            older.held, older.release_seconds = at, _CHOKE_SECONDS
        else:
            older.choke = at
        sounding.remove(older)
    sounding.append(event)


def _settle(event: _Event, channel: Channel, sample_rate: int, num_samples: int) -> bool:
    """Works out how long a voice is heard and how it is bent; returns whether it is heard at all."""
    voice = event.voice
    room = num_samples - event.onset
    floor = _FLOOR / max(voice.gain, 1e-9)
    if room <= 0 or floor >= 1.0:
        return False
    fall = -math.log(floor) / FALL_NEPERS * event.release_seconds * sample_rate
    silent = voice.envelope.silent_after_seconds(floor) * sample_rate
    event.length = int(min(room, event.held + fall + 1, silent + 1))
    if event.choke is not None:
        event.length = min(event.length, event.choke + int(_CHOKE_SECONDS * sample_rate))
    event.held = min(event.held, event.length)
    tone = voice.tone
    if voice.leaves_loop and tone.loop is not None:
        start, end = tone.loop
        event.tone = replace(tone, repeats=max(0, math.ceil((event.held * tone.ratio - end) / (end - start))))
    if tone.loop is None:
        event.length = min(event.length, math.ceil((tone.end - tone.start) / tone.ratio) + 1 + _bent_room(channel))
    _bend(event, channel, sample_rate)
    return event.length > 0


def _bent_room(channel: Channel) -> int:
    return 0 if not channel.bend_cents.moves and not channel.bend_cents.initial else 1 << 20


def _bend(event: _Event, channel: Channel, sample_rate: int) -> None:
    start, end = event.onset / sample_rate, (event.onset + event.length) / sample_rate
    bend, wheel = channel.bend_cents, channel.wheel
    wheel_depth = event.voice.wheel_cents
    wheel_rests = not wheel_depth or (wheel.constant_over(start, end) and wheel.at(start) == 0)
    if wheel_rests and bend.constant_over(start, end):
        cents = bend.at(start)
        if cents:
            event.tone = replace(event.tone, ratio=event.tone.ratio * 2.0 ** (cents / 1200.0))
        return
    seconds = control_seconds(event.length, sample_rate)
    event.bend_cents = bend.values(seconds + start)
    if not wheel_rests:
        depth = wheel.values(seconds + start) * (wheel_depth / 127.0)
        event.bend_cents = event.bend_cents + event.voice.vibrato.values(seconds) * depth


def _mix_group(
    group: list[_Event],
    bent: NDArray[np.float32],
    falls: dict[float, NDArray[np.float32]],
    sample_rate: int,
    emit: _Emit,
) -> None:
    """Hands every note of one tone to `emit`: what is held, under the note's envelope, and what rings on."""
    tone = group[0].tone
    ends = [min(event.length, len(bent)) for event in group]
    swept = [
        release_sweeps(tone, event.held / sample_rate, (end - event.held) / sample_rate)
        for event, end in zip(group, ends, strict=True)
    ]
    needed = max(event.held if sweeps else end for event, end, sweeps in zip(group, ends, swept, strict=True))
    wave = finished_wave(tone, bent[:needed], sample_rate)  # what rings under a filter of its own is made by itself
    shaped: dict[Envelope, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
    for event, end, sweeps in zip(group, ends, swept, strict=True):
        envelope = event.voice.envelope
        if envelope not in shaped:
            level = envelope.amplitudes(len(wave), sample_rate)
            shaped[envelope] = level, wave * level
        level, body = shaped[envelope]
        emit(event, event.onset, body[: event.held])
        if event.held < end:
            ringing = _ringing(event, bent[:end], sample_rate) if sweeps else wave[event.held : end]
            emit(event, event.onset + event.held, _tail(event, ringing, level, falls, sample_rate))


def _ringing(event: _Event, bent: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Returns the wave after the note-off, where the filter moves anew as the modulation envelope is let go."""
    start = max(0, event.held - _FILTER_RUN_IN)
    part = finished_wave(event.tone, bent[start:], sample_rate, start, event.held)
    return part[event.held - start :]


def _tail(
    event: _Event,
    ringing: NDArray[np.float32],
    level: NDArray[np.float32],
    falls: dict[float, NDArray[np.float32]],
    sample_rate: int,
) -> NDArray[np.float32]:
    """Returns what is heard after the note-off, (samples,)."""
    length = len(ringing)
    fall = falls.get(event.release_seconds)
    if fall is None or len(fall) < length:
        fall = release(event.release_seconds, sample_rate, length)
        falls[event.release_seconds] = fall
    tail = ringing * fall[:length]
    tail *= level[max(event.held - 1, 0)]
    if event.choke is not None and event.choke - event.held < length:
        cut = tail[event.choke - event.held :]
        cut *= release(_CHOKE_SECONDS, sample_rate, len(cut))
    return tail


def _place(
    out: NDArray[np.float32], mono: NDArray[np.float32], channel: Channel, place: tuple[float, float], sample_rate: int
) -> None:
    """Adds a mono sum to both sides of the sound, in place."""
    if channel.pan_moves:
        for side, curve in zip(out, channel.moving_pan_gains(*place, len(mono), sample_rate), strict=True):
            side += mono * curve
    else:
        for side, gain in zip(out, channel.pan_gains(*place), strict=True):
            _add(side, 0, mono, gain)


def _add(target: NDArray[np.float32], at: int, wave: NDArray[np.float32], gain: float) -> None:
    """Adds a wave to a longer one from sample `at` on, in place."""
    if gain > 1e-7:
        part = target[at : at + len(wave)]
        part += wave * np.float32(gain)
