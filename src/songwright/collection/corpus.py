"""What a corpus is: where its pieces lie, how each is read, and under which licence."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from songwright.score.song import Song

Split = Literal["train", "valid", "test"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where one piece lies.

    Attributes:
        id: unique within the corpus, stable across versions, e.g. ``"001"`` or ``"airdsAirs/book1/12"``.
        path: its file or folder.
        part: which piece of a file that holds several, from 0.
        song: what decides the held-out share (see `songwright.splits.held_out`): the same for all copies of one song,
            e.g. ``"pop909/001"``.
        split: the side that the corpus itself puts it on; None leaves it to `song`.
        about: what the corpus's own tables say of it, as ``"key=value"`` texts.
    """

    id: str
    path: Path
    part: int = 0
    song: str = ""
    split: Split | None = None
    about: tuple[str, ...] = ()

    def note(self, key: str) -> str:
        """Returns what the tables say under a key; empty if nothing."""
        return next((entry[len(key) + 1 :] for entry in self.about if entry.startswith(f"{key}=")), "")


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus.

    Attributes:
        name: of the corpus in shards and ledger.
        licence: short name as the source states it.
        attribution: whom to name.
        find: returns the pieces under the data folder, in a fixed order.
        read: returns one piece as a song; raises an error of `songwright.errors` for what cannot be read.
        usable: whether weights that ship with the program may learn from it.
        why_not: why they may not.
        language: of its words, as an espeak code; ``"?"`` when it differs from piece to piece; empty without words.
        augmentable: whether pieces may be transposed.
        needs: other folders of the data folder that `read` looks into.
        folder: name of its archive and folder, where that is not its own.
    """

    name: str
    licence: str
    attribution: str
    find: Callable[[Path], Iterable[Source]]
    read: Callable[[Source], Song]
    usable: bool = True
    why_not: str = ""
    language: str = ""
    augmentable: bool = True
    needs: tuple[str, ...] = ()
    folder: str = ""

    @property
    def archive(self) -> str:
        """Name of its folder, and of its archive without ending."""
        return self.folder or self.name
