"""24-bit samples: rounding to integers, and WAV files written and read as whole integers.

A stem is summed as integers, so its file must hold exactly the numbers that were summed: nothing here converts twice.
Files of other kinds (FLAC, MP3, OGG, any WAV) live in `files`.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from songwright.errors import DataError, InputError

FULL_SCALE = 1 << 23
"""Integer value of 1.0 in 24-bit samples."""
BLOCK_SAMPLES = 1 << 16
"""How many samples per channel are converted at a time: small enough to stay in the processor's cache."""

_HEADER_BYTES = 44
_LARGEST_DATA_BYTES = (1 << 32) - 64
_PCM, _FLOAT = 1, 3


def quantise(waveform: NDArray[np.floating]) -> NDArray[np.int32]:
    """Returns the nearest 24-bit integers, values beyond full scale held at full scale.

    Args:
        waveform: any shape, nominally in [-1, 1].
    """
    scaled = waveform * np.float32(FULL_SCALE)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1, out=scaled)
    return np.asarray(scaled, dtype=np.int32)


def pack(samples: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Returns the bytes of a 24-bit WAV file's data, little-endian and interleaved.

    Args:
        samples: (channels, samples), each within 24 bits.
    """
    channels, num_samples = samples.shape
    out = np.empty(channels * num_samples * 3, np.uint8)
    fours = channels * num_samples // 4  # four values are three words of 32 bits
    if channels == 2:
        rows = samples.astype("<i4", copy=False).view("<u4")[:, : 2 * fours]
        first, second, third, fourth = rows[0, 0::2], rows[1, 0::2], rows[0, 1::2], rows[1, 1::2]
    else:
        row = np.ascontiguousarray(samples.T, dtype="<i4").reshape(-1).view("<u4")[: 4 * fours]
        first, second, third, fourth = (row[k::4] for k in range(4))
    words = out[: fours * 12].view("<u4").reshape(fours, 3)
    np.bitwise_or(first & 0xFFFFFF, second << 24, out=words[:, 0])
    np.bitwise_or((second >> 8) & 0xFFFF, third << 16, out=words[:, 1])
    np.bitwise_or((third >> 16) & 0xFF, fourth << 8, out=words[:, 2])
    last = samples[:, (4 * fours) // channels :].T.astype("<i4").reshape(-1)  # up to three values
    out[fours * 12 :] = (
        last[len(last) - (channels * num_samples - 4 * fours) :].view(np.uint8).reshape(-1, 4)[:, :3].ravel()
    )
    return out


def unpack(data: NDArray[np.uint8], channels: int) -> NDArray[np.int32]:
    """Returns (channels, samples) of the bytes that `pack` made."""
    triples = data.reshape(-1, 3)
    quads = np.zeros((len(triples), 4), np.uint8)
    for byte in range(3):
        quads[:, byte + 1] = triples[:, byte]
    samples = quads.view("<i4").reshape(-1, channels) >> 8  # the sign comes along
    return np.ascontiguousarray(samples.T, dtype=np.int32)  # (C, T)


def header(num_samples: int, sample_rate: int, *, channels: int = 2, floating: bool = False) -> bytes:
    """Returns the 44 bytes before a WAV file's data: 24-bit integers, or 32-bit floats.

    Raises:
        InputError: the data would not fit a WAV file (4 GiB).
    """
    width = 4 if floating else 3
    size = num_samples * channels * width
    if size > _LARGEST_DATA_BYTES:
        raise InputError(f"{num_samples / sample_rate / 3600:.1f} hours of audio do not fit a WAV file (4 GiB)")
    kind = _FLOAT if floating else _PCM
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", _HEADER_BYTES - 8 + size + size % 2, b"WAVE",
        b"fmt ", 16, kind, channels, sample_rate, sample_rate * channels * width, channels * width, width * 8,
        b"data", size,
    )  # fmt: skip


class WavWriter:
    """Writes a WAV file block by block; its length is known from the start.

    Args:
        path: the file; written in place, for folders that are renamed when whole.
        sample_rate: samples per second.
        num_samples: per channel, exactly as many as will be written.
        channels: usually 2.
        floating: 32-bit floats instead of 24-bit integers.

    Raises:
        InputError: the file cannot be written: full disk, read-only folder.
    """

    def __init__(
        self, path: Path, sample_rate: int, num_samples: int, *, channels: int = 2, floating: bool = False
    ) -> None:
        self._path = path
        self._floating = floating
        self._head = header(num_samples, sample_rate, channels=channels, floating=floating)
        self._missing = num_samples
        self._channels = channels
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._file = self._path.open("wb")
            self._file.write(self._head)
        except OSError as error:
            raise self._failure(error) from error
        return self

    def write(self, samples: NDArray[np.int32] | NDArray[np.float32]) -> memoryview:
        """Appends (channels, samples), 24-bit integers or floats in a floating file; returns the bytes written."""
        if self._file is None or samples.shape[1] > self._missing:
            raise ValueError("more samples than announced, or the writer is not open")
        self._missing -= samples.shape[1]
        data: NDArray[np.generic]
        silent = not samples.any()
        if silent:
            data = np.zeros(samples.size * (4 if self._floating else 3), np.uint8)
        elif self._floating:
            data = np.ascontiguousarray(samples.T, dtype="<f4")
        else:
            data = pack(samples.astype(np.int32, copy=False))
        try:
            if silent:
                self._file.seek(data.nbytes, os.SEEK_CUR)  # a hole costs neither time nor disk
            else:
                self._file.write(data.data)
        except OSError as error:
            raise self._failure(error) from error
        return data.data

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        try:
            if kind is None:
                self._pad()
            self._file.close()
        except OSError as failure:
            if kind is None:
                raise self._failure(failure) from failure
        if kind is not None:
            self._path.unlink(missing_ok=True)
        elif self._missing:
            raise ValueError(f"{self._path.name}: {self._missing} announced samples were not written")

    def _pad(self) -> None:
        assert self._file is not None
        if (self._file.tell() - _HEADER_BYTES) % 2:
            self._file.write(b"\0")
        self._file.truncate()

    def _failure(self, error: OSError) -> InputError:
        return InputError(f"cannot write {self._path.name}: {error.strerror or error}")


def read_blocks(path: Path, *, channels: int = 2, block_samples: int = BLOCK_SAMPLES) -> Iterator[NDArray[np.int32]]:
    """Yields (channels, samples) blocks of integers of a 24-bit file that `WavWriter` wrote.

    Raises:
        DataError: it is not such a file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
            if len(head) < _HEADER_BYTES or head[:4] != b"RIFF" or head[36:40] != b"data":
                raise DataError(path, "not a WAV file written by songwright")
            kind, count, _, _, _, bits = struct.unpack("<HHIIHH", head[20:36])
            if (kind, count, bits) != (_PCM, channels, 24):
                raise DataError(path, f"expected 24-bit samples in {channels} channels, found {bits} bits in {count}")
            left = struct.unpack("<I", head[40:44])[0]
            while left:
                data = np.frombuffer(file.read(min(left, block_samples * channels * 3)), np.uint8)
                if len(data) == 0 or len(data) % (3 * channels):
                    raise DataError(path, "the file ends too early")
                left -= len(data)
                yield unpack(data, channels)
    except OSError as error:
        raise DataError(path, error.strerror or str(error)) from error
