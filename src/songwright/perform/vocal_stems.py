"""Voices on their way to stems: sung dry into files of their own, reused when nothing changed, brought to their level.

The dry voice is kept (``vocals/<track>.wav``, mono) so that a change in the mix does not sing again, so that it can be
measured, and for people who want to mix it themselves. A stem is always made from the file, never from the sound in
memory: taken over or sung anew, it has the same bytes.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.audio import loudness, pcm
from songwright.files import slug
from songwright.perform.earlier import VOICES, Reuse, Shelf
from songwright.perform.mixer import Space
from songwright.perform.timeline import Player, performance
from songwright.score.instruments import instrument as find_instrument
from songwright.score.song import Song, Track

LARGEST_GAIN_DB = 15.0
"""A voice is moved at most this far from its usual fader."""


class DryVoices:
    """Sings tracks into files, or takes the files over.

    Args:
        song: the score.
        folder: of the song.
        players: by the names of `Instrument.player`.
        space: length and rate.
        reuse: an earlier rendering.
    """

    def __init__(
        self, song: Song, folder: Path, players: Mapping[str, Player], space: Space, reuse: Reuse | None
    ) -> None:
        self._song, self._folder, self._players, self._space = song, folder / VOICES, players, space
        self.names = dry_names(song)
        self._earlier = Shelf.voices(reuse)

    def sing(self, track: Track) -> Mapping[str, Any]:
        """Makes the dry file of a track and returns its entry of the index."""
        self._folder.mkdir(exist_ok=True)
        player = self._players[find_instrument(track.instrument).player]
        made_from = self._hash(track, player)
        path = self.path(track)
        space = self._space
        if self._earlier.holds(track.id, made_from) and self._earlier.take(track.id, path, space):
            return self._earlier.entries[track.id]
        wave = player.render(
            performance(self._song, track), track.instrument,
            sample_rate=space.sample_rate, num_samples=space.num_samples,
        )  # fmt: skip
        checksum = 0
        with pcm.WavWriter(path, space.sample_rate, space.num_samples, channels=1) as file:
            for start in range(0, space.num_samples, pcm.BLOCK_SAMPLES):
                samples = pcm.quantise(wave[:1, start : start + pcm.BLOCK_SAMPLES])
                checksum = zlib.crc32(file.write(samples), checksum)
        return {"made_from": made_from, "crc32": checksum}

    def read(self, track: Track) -> NDArray[np.float32]:
        """Returns the dry voice of a track. (1, samples)."""
        return read_dry(self.path(track))

    def path(self, track: Track) -> Path:
        """Returns where the dry voice of a track lies, or will."""
        return self._folder / f"{self.names[track.id]}.wav"

    def _hash(self, track: Track, player: Player) -> str:
        parts = {
            "player": player.identity,
            "notes": [
                (n.start_ticks + n.offset_ticks, n.duration_ticks, n.pitch, n.velocity, n.syllable) for n in track.notes
            ],
            "singing": singing(track, self._song),
            "controls": [(c.tick, c.controller, c.value) for c in track.controls],
            "bends": [(b.tick, b.value) for b in track.bends],
            "tempos": [(t.tick, t.bpm) for t in self._song.tempos],
            "length": (self._space.num_samples, self._space.sample_rate),
        }
        return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()


def dry_names(song: Song) -> dict[str, str]:
    """Returns the file name, without suffix, of each sung track's dry voice by the track's id."""
    names: dict[str, str] = {}
    for track in song.tracks:
        if find_instrument(track.instrument).player == "singer" and track.notes:
            name, number = slug(track.id, 80), 2
            while name in names.values():
                name, number = f"{slug(track.id, 80)}-{number}", number + 1
            names[track.id] = name
    return names


def read_dry(path: Path) -> NDArray[np.float32]:
    """Returns a dry voice from its file. (1, samples)."""
    return as_waveform(np.concatenate([*pcm.read_blocks(path, channels=1)], axis=1))


def singing(track: Track, song: Song) -> Any:
    """Returns what is sung on a track and by whom, as plain data; None for instruments."""
    if find_instrument(track.instrument).player != "singer":
        return None
    used = {n.syllable for n in track.notes}
    return {
        "singer": asdict(track.singer) if track.singer is not None else None,
        "files": _files_of(track.singer.source) if track.singer is not None else None,
        "syllables": [asdict(s) for s in song.syllables if s.id in used],
        "seed": song.seed,
    }


def _files_of(source: str) -> list[tuple[str, int, int]] | None:
    """Returns name, size and time of the files that a source names, so that a changed voice is sung again."""
    _, _, name = source.partition(":")
    path = Path(name).expanduser()
    if not name or not path.exists():
        return None
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files[:10_000]]


def level_gain_db(lead: NDArray[np.integer], instruments: NDArray[np.integer], space: Space, wanted_db: float) -> float:
    """Returns the gain that brings the lead voice to a loudness over the instruments, where it sings.

    Both are K-weighted (BS.1770-4) and added up over all 10 ms in which the score has the lead sing.

    Args:
        lead: (2, samples) of the lead's stem, 24-bit integers.
        instruments: (2, samples) sum of the other stems.
        space: where the lead sings.
        wanted_db: loudness of the lead over the instruments.
    """
    difference = level_difference_db(as_waveform(lead), as_waveform(instruments), space)
    if difference is None:
        return 0.0
    return round(float(np.clip(wanted_db - difference, -LARGEST_GAIN_DB, LARGEST_GAIN_DB)), 1)


def as_waveform(samples: NDArray[np.integer]) -> NDArray[np.float32]:
    """Returns 24-bit integers as a waveform."""
    waveform = np.empty(samples.shape, np.float32)
    np.multiply(samples, 1.0 / pcm.FULL_SCALE, out=waveform, casting="unsafe")
    return waveform


def level_difference_db(lead: NDArray[np.float32], instruments: NDArray[np.float32], space: Space) -> float | None:
    """Returns how much louder the lead voice is than the instruments where it sings; None if either is silent."""
    hop = loudness.hop_of(space.sample_rate)
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(loudness.energy, instruments, space.sample_rate, hop)
        voice = loudness.energy(lead, space.sample_rate, hop)
        backing = beside.result()
    times = (np.arange(len(voice)) + 0.5) * hop / space.sample_rate
    sings = np.zeros(len(voice), bool)
    for begin, end in space.sung:
        sings |= (times >= begin) & (times < end)
    voice_power, backing_power = float(voice[sings].sum()), float(backing[sings].sum())
    if voice_power <= 1e-9 or backing_power <= 1e-9:
        return None
    return float(10 * np.log10(voice_power / backing_power))


def with_vocal_gain(song: Song, gain_db: float) -> Song:
    """Returns the song with all voices moved by a gain, and no level left to reach."""
    gain_db = round(song.master.vocal_gain_db + gain_db, 3)
    return replace(song, master=replace(song.master, vocal_level_db=None, vocal_gain_db=gain_db))
