"""Song to audio files: every track a stem, the stems' exact sum, and the mastered mix.

Stems are made in parallel, written as they come and added up as integers; memory does not grow with their number.
A stem that was made from the same things before is taken over from the earlier folder.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.audio import pcm
from songwright.errors import InputError
from songwright.perform.earlier import VOICES, Reuse
from songwright.perform.effects.chain import check_insert
from songwright.perform.mastering import Mastered, master
from songwright.perform.mixer import Space, space_of
from songwright.perform.stems import StemPlan, StemWork, WhenSung, plan_stems
from songwright.perform.timeline import Player, song_seconds
from songwright.perform.vocal_stems import as_waveform, dry_names, level_difference_db
from songwright.progress import Progress, silent
from songwright.score.instruments import instrument as find_instrument
from songwright.score.song import Song

SAMPLE_RATE = 44100
LONGEST_SECONDS = 3600.0
"""Longer scores are refused: their stems would not fit memory and WAV files."""
_FLOAT_NOTE = "premaster.wav holds 32-bit floats: the stems together pass full scale"
_BYTES_PER_SAMPLE = 28  # what one stem in the making needs at its widest: player, effects, room
_WORKING_MEMORY = 640e6


@dataclass(frozen=True)
class Rendering:
    """What was made.

    Attributes:
        stems: file of each stem by name, in score order.
        premaster: the exact sum of the stems.
        mix: the finished song.
        loudness_lufs: integrated loudness of the mix; -70 for silence.
        true_peak_dbtp: of the mix.
        duration_seconds: length of the files.
        limiting_db: the limiter's deepest moment.
        seconds: time of each stage.
        work_seconds: time inside the stems stage by kind of work, added up over the workers.
        reused: names of stems that were taken over.
        notes: what a listener should know.
        song: the score as it was rendered: with the faders of the voices where they were brought to their level.
        voices: dry file of each sung track by the track's id.
        karaoke: the mix without the lead voice; None where nobody sings the lead.
        vocal_level_db: loudness of the lead voice over the instruments where it sings; None without.
        premaster_integer: whether the premaster is 24-bit integers; 32-bit floats where the sum passes full scale.
    """

    stems: dict[str, Path]
    premaster: Path
    mix: Path
    loudness_lufs: float
    true_peak_dbtp: float
    duration_seconds: float
    limiting_db: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    work_seconds: dict[str, float] = field(default_factory=dict)
    reused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    premaster_integer: bool = True
    song: Song = field(default_factory=Song)
    voices: dict[str, Path] = field(default_factory=dict)
    karaoke: Path | None = None
    vocal_level_db: float | None = None


def render_song(
    song: Song,
    folder: Path,
    *,
    players: Mapping[str, Player],
    sample_rate: int = SAMPLE_RATE,
    progress: Progress = silent,
    reuse: Reuse | None = None,
    num_workers: int | None = None,
    when_sung: WhenSung | None = None,
) -> Rendering:
    """Plays and mixes a song into a folder: ``stems/*.wav``, ``premaster.wav``, ``mix.wav``.

    Args:
        song: the score.
        folder: exists, and is renamed or thrown away by the caller.
        players: by the names of `Instrument.player`.
        sample_rate: samples per second.
        progress: told about the stages ``stems`` and ``master``.
        reuse: an earlier rendering; stems made from the same things are taken from there.
        num_workers: stems made at a time; as many as processors and memory allow if None. Does not change a byte.
        when_sung: given each voice's track and its dry file when it was sung, beside the work on other stems.

    Raises:
        InputError: an instrument or player is unknown, or the files cannot be written.
        ConfigError: an insert is not valid.
    """
    plans = plan_stems(song)
    seconds = _check(song, plans, players)
    space = space_of(song, sample_rate, seconds)
    work = StemWork(song, folder, players, space, reuse)
    with _as_input_error(folder):
        (folder / "stems").mkdir(exist_ok=True)
        started = time.perf_counter()
        work.run(plans, _workers(num_workers, space, len(plans)), progress, when_sung)
        stems_seconds = time.perf_counter() - started
        started = time.perf_counter()
        premaster = folder / "premaster.wav"
        floating = _passes_full_scale(work.total)
        lead = [plan for plan in plans if plan.voices and plan.track.role == "vocal"]
        lead = lead if len(plans) > len(lead) else []  # a voice alone has no karaoke
        with ThreadPoolExecutor(1, thread_name_prefix="karaoke") as pool:
            written = pool.submit(_write_premaster, premaster, work.total, space, floating=floating)
            second = pool.submit(_without_lead, folder, plans, work.total, space) if lead else None
            waveform = [as_waveform(work.total)]  # handed on, not held
            work.total = np.zeros((2, 0), np.int32)
            progress("master", 0.3)
            mastered = master(waveform.pop(), sample_rate, song.master, beat_seconds=space.beat_seconds)
            _write_mix(folder / "mix.wav", mastered, sample_rate)
            progress("master", 0.8)
            written.result()
            karaoke, level = second.result() if second is not None else (None, None)
        progress("master", 1.0)
    return Rendering(
        stems={plan.name: folder / "stems" / f"{plan.name}.wav" for plan in plans},
        premaster=premaster,
        mix=folder / "mix.wav",
        loudness_lufs=round(mastered.loudness_lufs, 2),
        true_peak_dbtp=round(mastered.true_peak_dbtp, 2),
        duration_seconds=space.num_samples / sample_rate,
        limiting_db=round(mastered.limiting_db, 1),
        seconds={"stems": stems_seconds, "master": time.perf_counter() - started},
        work_seconds=dict(work.seconds),
        reused=tuple(plan.name for plan in plans if plan.name in work.reused),
        notes=mastered.notes + ((_FLOAT_NOTE,) if floating else ()),
        premaster_integer=not floating,
        song=work.song,
        voices={track: folder / VOICES / f"{name}.wav" for track, name in dry_names(song).items()},
        karaoke=karaoke,
        vocal_level_db=level,
    )


def _check(song: Song, plans: Sequence[StemPlan], players: Mapping[str, Player]) -> float:
    """Returns how long a song lasts, in seconds, if it can be rendered."""
    for plan in plans:
        if find_instrument(plan.track.instrument).player not in players:
            raise InputError(f"track {plan.track.id}: no player for '{plan.track.instrument}'")
    for insert in [i for t in song.tracks for i in t.mix.inserts] + list(song.master.inserts):
        check_insert(insert)
    seconds = song_seconds(song)
    if seconds > LONGEST_SECONDS:
        raise InputError(
            f"the song lasts {seconds / 60:.0f} minutes; at most {LONGEST_SECONDS / 60:.0f} can be rendered"
        )
    return seconds


def _workers(asked: int | None, space: Space, num_stems: int) -> int:
    if asked is not None:
        return max(1, asked)
    by_memory = int(_WORKING_MEMORY / max(1, space.num_samples * _BYTES_PER_SAMPLE))
    return max(1, min(os.cpu_count() or 1, by_memory, num_stems))


@contextlib.contextmanager
def _as_input_error(folder: Path) -> Iterator[None]:
    """Turns the system's complaints about files into one line."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write into {folder.parent}: {error.strerror or error}") from error


def _passes_full_scale(total: NDArray[np.integer]) -> bool:
    """Returns whether the sum of the stems is too loud for 24-bit integers."""
    return max(int(total.max(initial=0)), -int(total.min(initial=0))) > pcm.FULL_SCALE - 1


def _write_premaster(path: Path, total: NDArray[np.integer], space: Space, *, floating: bool) -> None:
    """Writes the sum of the stems, as 24-bit integers or as floats of the same numbers.

    Floats keep a sum that passes full scale, so that nothing is lost.
    """
    with pcm.WavWriter(path, space.sample_rate, space.num_samples, floating=floating) as file:
        for start in range(0, space.num_samples, pcm.BLOCK_SAMPLES):
            samples = total[:, start : start + pcm.BLOCK_SAMPLES]
            file.write(as_waveform(samples) if floating else samples.astype(np.int32, copy=False))


def _without_lead(
    folder: Path, plans: Sequence[StemPlan], total: NDArray[np.integer], space: Space
) -> tuple[Path, float | None]:
    """Writes ``karaoke.wav``, the mix without the lead voices.

    Returns:
        The file, and how loud the lead voices are over the instruments where they sing.
    """
    lead = _sum_of(folder, [p.name for p in plans if p.voices and p.track.role == "vocal"], total)
    backing = total - lead
    others = [p.name for p in plans if p.voices and p.track.role != "vocal"]
    instruments = backing - _sum_of(folder, others, total) if others else backing
    level = level_difference_db(as_waveform(lead), as_waveform(instruments), space)
    del lead, instruments
    mastered = master(as_waveform(backing), space.sample_rate, space.master, beat_seconds=space.beat_seconds)
    path = folder / "karaoke.wav"
    _write_mix(path, mastered, space.sample_rate)
    return path, None if level is None else round(level, 2)


def _sum_of(folder: Path, names: Sequence[str], like: NDArray[np.integer]) -> NDArray[np.integer]:
    """Returns the sum of stems, as integers, in the shape of their total."""
    result = np.zeros_like(like)
    for name in names:
        start = 0
        for samples in pcm.read_blocks(folder / "stems" / f"{name}.wav"):
            result[:, start : start + samples.shape[1]] += samples
            start += samples.shape[1]
    return result


def _write_mix(path: Path, mastered: Mastered, sample_rate: int) -> None:
    wave = mastered.waveform
    with pcm.WavWriter(path, sample_rate, wave.shape[1]) as file:
        for start in range(0, wave.shape[1], pcm.BLOCK_SAMPLES):
            file.write(pcm.quantise(wave[:, start : start + pcm.BLOCK_SAMPLES]))
