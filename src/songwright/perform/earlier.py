"""Files of sound of an earlier rendering: what they were made from, and taken over where they are still whole."""

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from songwright.audio import pcm
from songwright.perform.mixer import Space

STEMS, VOICES, INDEX = "stems", "vocals", "stems.json"
"""Folders of a song, and the file among the stems that says what both were made from."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """An earlier rendering from which files may be taken.

    Attributes:
        folder: of its song.
        stays: whether that folder goes on beside the new one: then files are copied, else they are one with the old.
    """

    folder: Path
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """The stems or the dry voices of an earlier rendering; empty where there is none.

    Attributes:
        folder: where they lie.
        entries: what is known of each, by name: ``made_from`` and ``crc32``.
        channels: of each file.
        stays: see `Reuse`.
    """

    folder: Path
    entries: Mapping[str, Mapping[str, Any]]
    channels: int
    stays: bool

    @classmethod
    def stems(cls, reuse: Reuse | None) -> "Shelf":
        """Returns the earlier stems, by their names."""
        return cls._of(reuse, STEMS, "stems", 2)

    @classmethod
    def voices(cls, reuse: Reuse | None) -> "Shelf":
        """Returns the earlier dry voices, by the ids of their tracks."""
        return cls._of(reuse, VOICES, "voices", 1)

    @classmethod
    def _of(cls, reuse: Reuse | None, folder: str, part: str, channels: int) -> "Shelf":
        if reuse is None:
            return cls(Path(), {}, channels, False)
        return cls(reuse.folder / folder, _read_index(reuse.folder / STEMS / INDEX, part), channels, reuse.stays)

    def holds(self, name: str, made_from: str) -> bool:
        """Returns whether something of this name was made from the same."""
        return name in self.entries and self.entries[name].get("made_from") == made_from

    def is_whole(self, name: str, file: str, space: Space) -> bool:
        """Returns whether a file has the right length and still holds what was written.

        Args:
            name: of its entry.
            file: name of the file.
            space: of the new rendering.
        """
        head = pcm.header(space.num_samples, space.sample_rate, channels=self.channels)
        checksum = 0
        try:
            with (self.folder / file).open("rb") as sound:
                if sound.read(len(head)) != head:
                    return False
                left = space.num_samples * 3 * self.channels
                while left and (data := sound.read(min(left, 1 << 20))):
                    left -= len(data)
                    checksum = zlib.crc32(data, checksum)
        except OSError:
            return False
        return left == 0 and checksum == self.entries[name].get("crc32")

    def take(self, name: str, new: Path, space: Space) -> bool:
        """Links a file of the same name as the new one if it is whole; copies it if it stays or cannot be linked."""
        if not self.is_whole(name, new.name, space):
            return False
        old = self.folder / new.name
        if not self.stays:
            try:
                os.link(old, new)
                return True
            except OSError:
                pass
        _copy(old, new)
        return True


def _copy(old: Path, new: Path) -> None:
    """Copies a file; silent stretches are holes again."""
    silence = bytes(1 << 18)
    with old.open("rb") as source, new.open("wb") as target:
        while data := source.read(len(silence)):
            if data == silence[: len(data)]:
                target.seek(len(data), os.SEEK_CUR)
            else:
                target.write(data)
        target.truncate()


def _read_index(path: Path, part: str) -> dict[str, dict[str, Any]]:
    """Returns what an earlier rendering's files were made from; nothing if that is unreadable."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))[part]
        return {name: dict(entry) for name, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
