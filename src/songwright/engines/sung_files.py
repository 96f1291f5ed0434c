"""The files of a sung song beside its sound: words with their times, and what was measured of the singing."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songwright.lyrics import timing
from songwright.perform.render import SAMPLE_RATE, Rendering
from songwright.perform.timeline import Player, performance
from songwright.score.instruments import instrument as find_instrument
from songwright.score.song import Song, Track
from songwright.score.sung import SungPhone

if TYPE_CHECKING:
    from songwright.evaluation.singing import SingingReport


@dataclass(frozen=True)
class Sung:
    """What the lead voice sings.

    Attributes:
        track: its track.
        phones: when every phone sounds.
    """

    track: Track
    phones: tuple[SungPhone, ...]


def lead_of(song: Song) -> Track | None:
    """Returns the lead voice's track; None where nobody sings."""
    return next(
        (t for t in song.tracks if t.role == "vocal" and t.notes and find_instrument(t.instrument).player == "singer"),
        None,
    )


def sung_lead(song: Song, singer: Player | None = None) -> Sung | None:
    """Returns what the lead voice sings and when; None where nobody sings.

    Args:
        song: the score.
        singer: the player that sang it: what it has had spoken is not spoken again.

    Raises:
        SpeechError: the words could not be spoken.
    """
    from songwright.perform.singer.player import SingerPlayer, phone_times

    track = lead_of(song)
    if track is None:
        return None
    known = singer if isinstance(singer, SingerPlayer) else None
    return Sung(track, phone_times(performance(song, track), known))


def write_lyric_files(song: Song, sung: Sung, folder: Path) -> None:
    """Writes the words as they are sung: text, LRC by lines and by words, SRT, JSON with phonemes."""
    timed = timing.timed_lyrics(song, sung.phones, sung.track.id)
    for name, text in (
        ("lyrics.txt", timing.to_text(timed)),
        ("lyrics.lrc", timing.to_lrc(timed)),
        ("lyrics_words.lrc", timing.to_word_lrc(timed)),
        ("lyrics.srt", timing.to_srt(timed)),
        ("lyrics.json", timing.to_json(timed)),
    ):
        (folder / name).write_text(text, encoding="utf-8")


class Listening:
    """Measures the lead voice as soon as it has been sung.

    Args:
        song: the score.
        singer: the player that sings it.

    Attributes:
        sung: what the lead voice sings; None where nobody sings, and before it was heard.
    """

    def __init__(self, song: Song, singer: Player) -> None:
        self._song, self._singer = song, singer
        self._heard: SingingReport | None = None
        self.sung: Sung | None = None

    def hear(self, track: Track, dry: Path) -> None:
        """Measures the dry sound of a track if it is the lead's; others pass."""
        lead = lead_of(self._song)
        if lead is None or lead.id != track.id:
            return
        from songwright.evaluation.singing import measure_singing
        from songwright.perform.vocal_stems import read_dry

        self.sung = sung = sung_lead(self._song, self._singer)
        if sung is not None:
            self._heard = measure_singing(self._song, track.id, read_dry(dry)[0], SAMPLE_RATE, sung.phones)

    def report(self, rendering: Rendering) -> dict[str, Any] | None:
        """Returns what was measured of the singing, and its level in the mix; None where nobody sings."""
        if self.sung is None or self._heard is None:
            return None
        singer = self.sung.track.singer
        return {
            "singer": singer.name if singer else "",
            "source": singer.source if singer else "",
            "voices": sorted(rendering.voices),
            "level_over_instruments_db": rendering.vocal_level_db,
            **self._heard.as_dict(),
        }
