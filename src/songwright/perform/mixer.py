"""One stem: calibrated sound through its inserts, fader, pan, sends and ducking.

Everything a stem contains follows from its own track, the kicks of the score and the song's spaces; nothing is
measured on the whole song, so a change in one track leaves the other stems as they were.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from songwright.perform.effects.chain import apply_chain
from songwright.perform.effects.control import apply_gain, num_points
from songwright.perform.effects.convolution import convolve
from songwright.perform.effects.dynamics import limiter
from songwright.perform.effects.reverb import echo_response, room_response
from songwright.perform.timeline import kick_seconds, seconds_at, sung_seconds
from songwright.score.song import RING_SECONDS, MasterMix, Song, TrackMix

SEND_OFF_DB = -60.0
"""Sends at or below this are off."""

_HOP = 128
_FADE_SECONDS = 0.8
_DUCK_ATTACK_SECONDS, _DUCK_HOLD_SECONDS = 0.006, 0.01
STEM_CEILING_DB = -0.05
_STEP_DOWN_SECONDS, _STEP_BACK_SECONDS = 0.08, 0.35
_THROW_EDGE_SECONDS = 0.03
THROW_DB = -9.0
"""Level of what `TrackMix.throws` sends into the delay."""
_BLOCK = 1 << 16
_MONO = np.float32(np.sqrt(0.5))


@dataclass(frozen=True)
class Space:
    """What all stems of a song share.

    Attributes:
        sample_rate: samples per second.
        num_samples: length of every stem.
        beat_seconds: a quarter note at the song's first tempo.
        master: rooms and echoes.
        kicks: onsets of the score's kicks, in seconds.
        sung: where the lead voice sings, (stretches, 2) of begin and end in seconds.
    """

    sample_rate: int
    num_samples: int
    beat_seconds: float
    master: MasterMix
    kicks: NDArray[np.float64]
    sung: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))


def space_of(song: Song, sample_rate: int, written_seconds: float) -> Space:
    """Returns the space of a song.

    Args:
        song: the score.
        sample_rate: samples per second.
        written_seconds: where its last bar or note ends.
    """
    num_samples = int(np.ceil((written_seconds + RING_SECONDS) * sample_rate))
    return Space(
        sample_rate, num_samples, 60.0 / song.tempos[0].bpm, song.master, kick_seconds(song), sung_seconds(song)
    )


def mix_stem(
    dry: NDArray[np.float32],
    mix: TrackMix,
    space: Space,
    *,
    song: Song,
    gains: tuple[float, float] = (1.0, 1.0),
    level_db: float = 0.0,
) -> NDArray[np.float32]:
    """Returns the finished stem; `dry` is used up.

    Args:
        dry: (2, samples) from the player, or (1, samples).
        mix: the track's settings.
        space: what the stems share.
        song: whose tempo map places the automation.
        gains: calibration before and after the inserts, as factors.
        level_db: the usual level of the track's role.
    """
    dry *= np.float32(gains[0])
    sound = [dry if len(dry) == 1 else dry[:1].copy() if np.array_equal(dry[0], dry[1]) else dry]
    del dry  # long waveforms are handed on, not held: the chain frees each as soon as the next is made
    wave = apply_chain(sound.pop(), space.sample_rate, mix.inserts, beat_seconds=space.beat_seconds)
    level = gains[1] * 10 ** (level_db / 20)
    if mix.automation:
        wave = apply_gain(wave, fader_curve(mix, space, song) * level, hop=_HOP, out=wave)
    else:
        wave *= np.float32(10 ** (mix.gain_db / 20) * level)
    if len(wave) == 1:
        wave = np.repeat(wave, 2, axis=0)
    wave = pan(wave, mix.pan)
    if mix.throws:
        wave = add_throws(wave, mix, space, song)
    wave = add_sends(wave, mix, space)
    if mix.duck_db > 0:
        wave = apply_gain(wave, duck_curve(space, mix.duck_db), hop=_HOP, out=wave)
    if mix.vocal_duck_db > 0 and len(space.sung):
        wave = apply_gain(wave, vocal_duck_curve(space, mix.vocal_duck_db), hop=_HOP, out=wave)
    fade = end_fade(space)
    wave[:, wave.shape[1] - len(fade) :] *= fade
    return limiter(wave, space.sample_rate, ceiling_db=STEM_CEILING_DB)


def fader_curve(mix: TrackMix, space: Space, song: Song) -> NDArray[np.float64]:
    """Returns the gain of a fader that is moved, as a control curve of `_HOP` samples a point."""
    count = num_points(space.num_samples, _HOP)
    seconds = seconds_at(song, [tick for tick, _ in mix.automation])
    moves = [gain for _, gain in mix.automation]
    times = np.arange(count) * (_HOP / space.sample_rate)
    return np.asarray(10 ** ((mix.gain_db + np.interp(times, seconds, moves)) / 20))


def pan(wave: NDArray[np.float32], position: float) -> NDArray[np.float32]:
    """Returns the waveform moved to a place: -1 left to 1 right, equal power, 0 dB in the middle.

    A stereo sound is narrowed as it moves outwards, so that nothing of it is lost. Works in place.
    """
    place = float(np.clip(position, -1.0, 1.0))
    if place == 0.0:
        return wave
    angle = (place + 1) * np.pi / 4
    left, right = np.sqrt(2.0) * np.cos(angle), np.sqrt(2.0) * np.sin(angle)
    near, far = 1 - abs(place) / 2, abs(place) / 2
    matrix = np.array([[left * near, left * far], [right * far, right * near]], dtype=np.float32)
    for start in range(0, wave.shape[1], _BLOCK):
        block = wave[:, start : start + _BLOCK]
        mixed = [row[0] * block[0] + row[1] * block[1] for row in matrix]
        block[0], block[1] = mixed
    return wave


def add_sends(wave: NDArray[np.float32], mix: TrackMix, space: Space) -> NDArray[np.float32]:
    """Returns the waveform with its own share of the song's room and echo added; one convolution for both."""
    responses: list[NDArray[np.float32]] = []
    master = space.master
    if mix.reverb_db > SEND_OFF_DB:
        room = room_response(master.reverb, float(master.reverb_seconds), space.sample_rate)
        responses.append(room * np.float32(10 ** (mix.reverb_db / 20)))
    if mix.delay_db > SEND_OFF_DB:
        responses.append(_echo(space) * np.float32(10 ** (mix.delay_db / 20)))
    if not responses:
        return wave
    together = np.zeros((2, max(r.shape[1] for r in responses)), np.float32)
    for response in responses:
        together[:, : response.shape[1]] += response
    mono = wave.sum(axis=0, keepdims=True)  # (1, T)
    mono *= _MONO
    return convolve(mono, together[:, : space.num_samples], onto=wave)


def _echo(space: Space) -> NDArray[np.float32]:
    delay_seconds = float(np.clip(space.master.delay_beats * space.beat_seconds, 0.02, 4.0))
    return echo_response(delay_seconds, float(space.master.delay_feedback), space.sample_rate)


def add_throws(wave: NDArray[np.float32], mix: TrackMix, space: Space, song: Song) -> NDArray[np.float32]:
    """Returns the waveform with the echoes, at `THROW_DB`, of those stretches alone that the track throws."""
    thrown = np.zeros((1, wave.shape[1]), np.float32)
    edge = round(_THROW_EDGE_SECONDS * space.sample_rate)
    ramp = np.linspace(0.0, 1.0, edge, dtype=np.float32)
    for begin, end in mix.throws:
        first, last = (round(float(s) * space.sample_rate) for s in seconds_at(song, [begin, end]))
        first, last = max(0, first), min(wave.shape[1], last)
        if last - first > 2 * edge:
            part = wave[:, first:last].sum(axis=0) * _MONO
            part[:edge] *= ramp
            part[-edge:] *= ramp[::-1]
            thrown[0, first:last] = part
    return convolve(thrown, (_echo(space) * np.float32(10 ** (THROW_DB / 20)))[:, : space.num_samples], onto=wave)


def vocal_duck_curve(space: Space, depth_db: float) -> NDArray[np.float64]:
    """Returns the gain that steps back by `depth_db` while the lead voice sings: down in 80 ms, back in 350 ms."""
    times = np.arange(num_points(space.num_samples, _HOP)) * (_HOP / space.sample_rate)
    depth = np.zeros(len(times))
    for begin, end in space.sung:
        first, last = np.searchsorted(times, (begin - _STEP_DOWN_SECONDS, end + _STEP_BACK_SECONDS))
        part = times[first:last]
        down = np.clip((part - begin) / _STEP_DOWN_SECONDS + 1.0, 0.0, 1.0)
        back = np.clip(1.0 - (part - end) / _STEP_BACK_SECONDS, 0.0, 1.0)
        depth[first:last] = np.maximum(depth[first:last], np.minimum(down, back))
    return np.asarray(10 ** (-abs(depth_db) * (0.5 - 0.5 * np.cos(np.pi * depth)) / 20))


def duck_curve(space: Space, depth_db: float) -> NDArray[np.float64]:
    """Returns the gain that each kick of the score pushes down by `depth_db`, back within half a beat.

    The fall begins 6 ms before the kick and is there when it sounds; the way back, after 10 ms, is a raised cosine in
    decibels.
    """
    count = num_points(space.num_samples, _HOP)
    if len(space.kicks) == 0:
        return np.ones(count)
    times = np.arange(count) * (_HOP / space.sample_rate)
    last = np.searchsorted(space.kicks, times, side="right") - 1
    since = np.where(last >= 0, times - space.kicks[np.maximum(last, 0)], np.inf)
    ahead = space.kicks[np.minimum(last + 1, len(space.kicks) - 1)] - times
    ahead = np.where(ahead >= 0, ahead, np.inf)
    recovery = float(np.clip(0.55 * space.beat_seconds, 0.12, 0.4))
    back = 0.5 + 0.5 * np.cos(np.pi * np.clip((since - _DUCK_HOLD_SECONDS) / recovery, 0.0, 1.0))
    fall = np.clip(1.0 - (ahead - _HOP / space.sample_rate) / _DUCK_ATTACK_SECONDS, 0.0, 1.0)
    return np.asarray(10 ** (-abs(depth_db) * np.maximum(back, fall) / 20))


def end_fade(space: Space) -> NDArray[np.float32]:
    """Returns the gain of the last samples, which takes the ring of the last notes to silence."""
    length = min(space.num_samples, round(_FADE_SECONDS * space.sample_rate))
    return np.asarray(np.cos(np.linspace(0.0, np.pi / 2, length)) ** 2, dtype=np.float32)
