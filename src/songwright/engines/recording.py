"""`Recording`: what came out, as files in one folder and as plain objects."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.brief.brief import Brief
from songwright.score.song import Song


@dataclass(frozen=True)
class Recording:
    """A finished song. In a notebook it plays itself.

    Attributes:
        folder: holds ``mix.wav``, ``stems/``, ``premaster.wav``, ``song.json``, ``score.mid``, ``score.musicxml``,
            ``brief.json``, ``piano_roll.png``, ``report.json``.
        song: the score that was played.
        brief: what was asked; None when an existing score was rendered.
        report: asked against measured, the content of ``report.json``.
    """

    folder: Path
    song: Song
    brief: Brief | None
    report: dict[str, Any]

    @property
    def mix(self) -> Path:
        """The finished song as a WAV file."""
        return self.folder / "mix.wav"

    @property
    def stems(self) -> dict[str, Path]:
        """Every stem's file by name."""
        return {path.stem: path for path in sorted((self.folder / "stems").glob("*.wav"))}

    def waveform(self) -> tuple[NDArray[np.float32], int]:
        """Returns the mix as (channels, samples) in [-1, 1], and its sample rate."""
        import soundfile

        samples, sample_rate = soundfile.read(self.mix, dtype="float32", always_2d=True)
        return np.ascontiguousarray(samples.T), int(sample_rate)

    def _repr_html_(self) -> str:
        """An audio player and the piano roll, for notebooks."""
        from songwright.audio.files import encode

        sound = base64.b64encode(encode(self.mix, "mp3")).decode()
        roll = base64.b64encode((self.folder / "piano_roll.png").read_bytes()).decode()
        return (
            f"<p><b>{_escape(self.song.title)}</b> ({_escape(self.song.style)})</p>"
            f'<audio controls src="data:audio/mpeg;base64,{sound}"></audio>'
            f'<img style="max-width:100%" src="data:image/png;base64,{roll}">'
        )


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
