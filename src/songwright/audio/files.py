"""Audio files of every usual kind, in and out: WAV (24-bit), FLAC, MP3, OGG, with title tags.

Waveforms are (channels, samples) float32 in [-1, 1]. Integer-exact WAV files live in `pcm`.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.audio import pcm
from songwright.errors import DataError, InputError
from songwright.files import write_bytes

FORMATS = ("wav", "flac", "mp3", "ogg")
"""What `write_audio` and `encode` can make, by file suffix."""
TAGS = ("title", "artist", "album", "genre", "date", "comment", "copyright", "license", "software", "tracknumber")
"""Tags a file may carry."""

_SUBTYPES = {"flac": "PCM_24", "mp3": "MPEG_LAYER_III", "ogg": "VORBIS"}
_COMPRESSION = {"flac": 0.6, "mp3": 0.15, "ogg": 0.4}
_BLOCK = 1 << 16  # libsndfile's Vorbis writer overflows its stack on very long blocks


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file holds."""

    sample_rate: int
    channels: int
    num_samples: int

    @property
    def duration_seconds(self) -> float:
        """Length in seconds."""
        return self.num_samples / self.sample_rate


def read_info(path: Path) -> AudioInfo:
    """Returns the sample rate, channels and length of an audio file.

    Raises:
        DataError: it cannot be read as audio.
    """
    with _open(path) as file:
        return AudioInfo(int(file.samplerate), int(file.channels), int(file.frames))


def read_audio(path: Path) -> tuple[NDArray[np.float32], int]:
    """Returns the waveform (channels, samples) and the sample rate of an audio file.

    Raises:
        DataError: it cannot be read as audio.
    """
    with _open(path) as file:
        samples = file.read(dtype="float32", always_2d=True)
        return np.ascontiguousarray(samples.T), int(file.samplerate)


def read_audio_blocks(path: Path, block_samples: int = _BLOCK) -> Iterator[NDArray[np.float32]]:
    """Yields the waveform of an audio file in blocks (channels, samples), for files longer than memory."""
    with _open(path) as file:
        for samples in file.blocks(blocksize=block_samples, dtype="float32", always_2d=True):
            yield np.ascontiguousarray(samples.T)


def _open(path: Path) -> Any:
    import soundfile

    if not path.is_file():
        raise DataError(path, "there is no such file")
    try:
        return soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise DataError(path, f"not a readable audio file ({error})") from error


def write_audio(
    path: Path,
    source: NDArray[np.floating] | Path,
    sample_rate: int = 44100,
    *,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Writes an audio file, wholly or not at all; its suffix decides the format.

    Args:
        path: ends in one of `FORMATS`.
        source: (channels, samples) in [-1, 1], or an audio file to convert.
        sample_rate: of a waveform; a file brings its own.
        tags: title and the like, names from `TAGS`.

    Raises:
        InputError: unknown format, or the place cannot be written.
        DataError: the source file cannot be read.
    """
    data = encode(source, path.suffix.lstrip(".").lower(), sample_rate, tags=tags)
    try:
        write_bytes(path, data)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def encode(
    source: NDArray[np.floating] | Path,
    format_name: str,
    sample_rate: int = 44100,
    *,
    tags: Mapping[str, str] | None = None,
) -> bytes:
    """Returns the bytes of an audio file: the same for the same waveform (OGG streams carry a random number).

    Args:
        source: (channels, samples) in [-1, 1], or an audio file to convert.
        format_name: one of `FORMATS`.
        sample_rate: of a waveform; a file brings its own.
        tags: title and the like, names from `TAGS`. WAV files carry none.

    Raises:
        InputError: unknown format or tag, or more or fewer than one or two channels.
        DataError: the source file cannot be read.
    """
    tags = {name: text for name, text in (tags or {}).items() if text}
    if format_name not in FORMATS:
        raise InputError(f"audio format '{format_name}' is not known; formats: {', '.join(FORMATS)}")
    if unknown := [name for name in tags if name not in TAGS]:
        raise InputError(f"no such tag '{unknown[0]}'; tags: {', '.join(TAGS)}")
    if isinstance(source, Path):
        info = read_info(source)
        return _encode(read_audio_blocks(source), info, format_name, tags)
    if source.ndim != 2 or source.shape[0] not in (1, 2):
        raise InputError(f"a waveform is (1 or 2 channels, samples), not {source.shape}")
    blocks = (source[:, i : i + _BLOCK].astype(np.float32) for i in range(0, source.shape[1], _BLOCK))
    return _encode(blocks, AudioInfo(sample_rate, *source.shape), format_name, tags)


def _encode(blocks: Iterator[NDArray[np.float32]], info: AudioInfo, format_name: str, tags: Mapping[str, str]) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    if format_name == "wav":
        buffer.write(pcm.header(info.num_samples, info.sample_rate, channels=info.channels))
        for block in blocks:
            buffer.write(pcm.pack(pcm.quantise(block)).data)
        if buffer.tell() % 2:
            buffer.write(b"\0")
        return buffer.getvalue()
    try:
        with soundfile.SoundFile(
            buffer, "w", info.sample_rate, info.channels, _SUBTYPES[format_name], format=format_name.upper(),
            compression_level=_COMPRESSION[format_name],
        ) as file:  # fmt: skip
            for name, text in tags.items():
                setattr(file, name, text)
            for block in blocks:
                file.write(pcm_exact(block).T if format_name == "flac" else block.T)
    except soundfile.LibsndfileError as error:
        raise InputError(f"cannot make {format_name} at {info.sample_rate} Hz: {error}") from error
    return buffer.getvalue()


def pcm_exact(block: NDArray[np.float32]) -> NDArray[np.int32]:
    """Returns 32-bit integers whose upper 24 bits are the rounded samples, so that FLAC holds what WAV holds."""
    return pcm.quantise(block) << 8
