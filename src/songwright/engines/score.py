"""The score engine: Brief → Song → stems → mix → report, each file written into the song's folder.

The folder is filled aside and takes its name only when everything in it is whole.
"""

import contextlib
import importlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from songwright.brief.brief import Brief
from songwright.brief.brief import to_json as brief_to_json
from songwright.compose.candidates import best_song
from songwright.compose.casting_voice import with_singer
from songwright.compose.composers import composer_named
from songwright.engines.recording import Recording
from songwright.engines.sung_files import Listening, Sung, lead_of, write_lyric_files
from songwright.errors import InputError
from songwright.evaluation.report import measure_song
from songwright.files import staged_folder
from songwright.perform.earlier import INDEX, STEMS, Reuse
from songwright.perform.render import Rendering, render_song
from songwright.perform.soundfonts import SoundfontChoice, find_soundfont
from songwright.perform.timeline import Player
from songwright.progress import Progress, silent
from songwright.score import midi, musicxml, pianoroll
from songwright.score.song import Song
from songwright.score.song import to_json as song_to_json

FORMATS = ("flac", "mp3", "ogg")
PLAYERS = ("sampler", "fluidsynth")


@dataclass(frozen=True, slots=True)
class Output:
    """How the sound is made and kept.

    Attributes:
        soundfont: a file to play from; None takes the best that is installed.
        player: ``sampler`` (ours) or ``fluidsynth`` (the system's) for sampled instruments.
        formats: further files of the mix beside ``mix.wav``: any of `FORMATS`.
        force: whether an existing folder may be replaced.
    """

    soundfont: Path | None = None
    player: str = "sampler"
    formats: tuple[str, ...] = ()
    force: bool = False

    def check(self) -> None:
        """Raises InputError for a format or player that does not exist."""
        for name in self.formats:
            if name not in FORMATS:
                raise InputError(
                    f"format '{name}' is not known; mix.wav is always written, beside it: {', '.join(FORMATS)}"
                )
        if self.player not in PLAYERS:
            raise InputError(f"player '{self.player}' is not known; players: {', '.join(PLAYERS)}")


def make_song(
    brief: Brief,
    folder: Path,
    *,
    output: Output | None = None,
    candidates: int = 1,
    composer: str = "",
    progress: Progress = silent,
) -> Recording:
    """Composes what the brief asks for and makes its folder.

    Args:
        brief: what was asked, already complete (flags included).
        folder: the song's own folder; must not exist unless `output.force`.
        output: soundfont, player, formats.
        candidates: how many songs are composed; the critic takes one of several.
        composer: who composes; see `composers.composer_named`.
        progress: told about the stages.

    Raises:
        InputError: the brief or the folder cannot be used; nothing is left behind.
    """
    output = output or Output()
    output.check()
    with staged_folder(folder, force=output.force) as aside, ThreadPoolExecutor(1, "preload") as pool:
        started = time.perf_counter()
        if candidates == 1:  # several are composed by processes of their own, which begin better without a thread
            pool.submit(_preload)
        answer = composer_named(composer)
        song = best_song(
            brief, candidates, answer, likelihood=answer.likelihood, composer=answer.name, progress=progress
        )
        seconds = {"compose": time.perf_counter() - started}
        brief = _concluded(brief, song)
        earlier = Earlier(folder if output.force else None)
        song, report = _fill(aside, song, brief, output, progress, seconds, earlier)
    return Recording(folder, song, brief, report)


def render_score(
    song: Song,
    folder: Path,
    *,
    output: Output | None = None,
    progress: Progress = silent,
    edited_from: Path | None = None,
) -> Recording:
    """Plays an existing score and makes the same folder; stems that would not change are taken from the old one.

    Args:
        song: the score.
        folder: the song's own folder; must not exist unless `output.force`.
        output: soundfont, player, formats.
        progress: told about the stages.
        edited_from: folder of the song that this one was made from: what an edit left alone is taken from there.

    Raises:
        InputError: the folder cannot be used; nothing is left behind.
    """
    output = output or Output()
    output.check()
    with staged_folder(folder, force=output.force) as aside:
        earlier = Earlier(folder if output.force else None, edited_from)
        song, report = _fill(aside, song, None, output, progress, {}, earlier)
    return Recording(folder, song, None, report)


@dataclass(frozen=True, slots=True)
class Earlier:
    """Folders of earlier songs.

    Attributes:
        replaced: the one that the new folder takes the place of; None if there is none.
        edited_from: the one of the song that was edited; None if there is none.
    """

    replaced: Path | None = None
    edited_from: Path | None = None

    @property
    def reuse(self) -> Reuse | None:
        """Where stems are taken from: the song that was edited goes before what is replaced."""
        old, new = self.edited_from, self.replaced
        if old is None or not (old / STEMS / INDEX).is_file():
            return None if new is None else Reuse(new)
        return Reuse(old, stays=new is None or old.resolve() != new.resolve())


def _fill(
    folder: Path,
    song: Song,
    brief: Brief | None,
    output: Output,
    progress: Progress,
    seconds: dict[str, float],
    earlier: Earlier,
) -> tuple[Song, dict[str, Any]]:
    """Writes every file of a song into an empty folder; returns the score as it was rendered, and the report."""
    choice = find_soundfont(output.soundfont)
    players = make_players(song, choice, output.player)
    listening = Listening(song, players["singer"])
    rendering = render_song(
        song, folder, players=players, reuse=earlier.reuse, progress=progress, when_sung=listening.hear
    )
    song = rendering.song
    started = time.perf_counter()
    _write_files(folder, song, listening.sung, brief, earlier.replaced)
    _export(folder, song, output.formats)
    seconds["files"] = time.perf_counter() - started
    report = measure_song(song, brief, rendering, soundfont=_describe(choice, output))
    singing = listening.report(rendering)
    if singing is not None:
        report["singing"] = singing
    progress("report", 1.0)
    seconds["report"] = time.perf_counter() - started - seconds["files"]
    text = json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    return song, {**report, "seconds": {**seconds, **rendering.seconds}}


_PLAYING = (
    "scipy.fft",
    "scipy.ndimage",
    "soundfile",
    "soxr",
    "pyworld",
    "songwright.perform.sampler.player",
    "songwright.perform.singer.player",
    "songwright.perform.synth.player",
    "songwright.evaluation.singing",
)


def _preload() -> None:
    """Loads, beside the composing, what playing will need; what is missing is told when it is needed."""
    for name in _PLAYING:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _write_files(folder: Path, song: Song, sung: Sung | None, brief: Brief | None, reuse: Path | None) -> None:
    """Writes score, words and brief; the brief of an earlier rendering is kept where there is no new one."""
    write_score_files(song, folder)
    if sung is not None:
        write_lyric_files(song, sung, folder)
    if brief is not None:
        (folder / "brief.json").write_text(brief_to_json(brief), encoding="utf-8")
    elif reuse and (reuse / "brief.json").is_file():
        (folder / "brief.json").write_bytes((reuse / "brief.json").read_bytes())


def _concluded(brief: Brief, song: Song) -> Brief:
    """Returns the brief with what composing concluded: who sings, and what the person should know."""
    lead = lead_of(song)
    if lead is not None and lead.singer is not None:
        brief = with_singer(brief, lead.singer, str(song.provenance["voice_type"]))
    return replace(brief, notes=tuple(dict.fromkeys((*brief.notes, *song.provenance.get("notes", ())))))


def make_players(song: Song, choice: SoundfontChoice, player: str = "sampler") -> Mapping[str, Player]:
    """Returns the players by name: ``sampler`` for sampled instruments, ``synth`` for patches, ``singer``."""
    from songwright.perform.sampler.player import SamplerPlayer
    from songwright.perform.singer.player import SingerPlayer
    from songwright.perform.synth.player import SynthPlayer

    own: dict[str, Player] = {"synth": SynthPlayer(song.seed), "singer": SingerPlayer(song.seed)}
    if player == "fluidsynth":
        from songwright.perform.fluid import FluidPlayer

        return {"sampler": FluidPlayer(choice.path), **own}
    return {"sampler": SamplerPlayer(choice.path), **own}


def write_score_files(song: Song, folder: Path) -> None:
    """Writes ``song.json``, ``score.mid``, ``score.musicxml`` and ``piano_roll.png``."""
    (folder / "song.json").write_text(song_to_json(song), encoding="utf-8")
    (folder / "score.mid").write_bytes(midi.to_midi_bytes(song))
    (folder / "score.musicxml").write_bytes(musicxml.to_musicxml_bytes(song))
    (folder / "piano_roll.png").write_bytes(pianoroll.to_png_bytes(song))


def _export(folder: Path, song: Song, formats: Sequence[str]) -> None:
    from songwright.audio.files import encode

    tags = {"title": song.title, "genre": song.style, "software": "songwright"}
    for name in formats:
        (folder / f"mix.{name}").write_bytes(encode(folder / "mix.wav", name, tags=tags))


def _describe(choice: SoundfontChoice, output: Output) -> dict[str, str]:
    return {"file": choice.path.name, "source": choice.source, "licence": choice.licence, "player": output.player}


__all__ = ["FORMATS", "Output", "Rendering", "make_players", "make_song", "render_score", "write_score_files"]
