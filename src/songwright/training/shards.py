"""Encoded pieces on disk: shards of codes and a manifest that says what they are and who owns them. No torch here.

A folder of shards holds `shard-00000.safetensors`, … with int16 `codes` (streams, steps of all its pieces), int64
`offsets` (pieces + 1) and any further arrays of the pieces laid end to end (`NAME` and `NAME.offsets`), and
`manifest.json`, written last: a folder without it is unfinished.
"""

import hashlib
import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from songwright import __version__
from songwright.errors import ConfigError, DataError, InputError
from songwright.files import write_bytes
from songwright.training.checkpoint import sha256_of
from songwright.training.packing import check_file, pack

MANIFEST = "manifest.json"
SCHEMA = 1
STEPS_PER_SHARD = 1 << 22
OFFSETS = ".offsets"
CODES = "codes"

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")


@dataclass(frozen=True, slots=True)
class ShardPiece:
    """One encoded piece of the manifest.

    Args:
        id: unique within the folder, for instance ``"pop909/001"``.
        corpus: a key of the ledger.
        licence: SPDX name or the corpus's own words.
        split: where it may be used.
        augmentable: whether it may be transposed and the like (drums and pieces in a fixed range may not).
    """

    id: str
    corpus: str
    licence: str
    split: Split
    augmentable: bool = True


class ShardWriter:
    """Writes pieces into shards; used as a context, the manifest is written when the block ends well.

    Args:
        folder: empty or not there; fill a `files.staged_folder` where an older set shall stay until the new is whole.
        vocabulary_hash: of the vocabulary the codes are in.
        streams: the names of the streams, in the order of the rows of the codes.
        ledger: for each corpus what is known of it: licence, attribution, address, …
        steps_per_shard: a shard is closed once it holds so many.
    """

    def __init__(
        self,
        folder: Path,
        *,
        vocabulary_hash: str,
        streams: Iterable[str],
        ledger: Mapping[str, Mapping[str, Any]],
        steps_per_shard: int = STEPS_PER_SHARD,
    ) -> None:
        self.folder, self.vocabulary_hash, self.streams = folder, vocabulary_hash, tuple(streams)
        self.ledger, self.steps_per_shard = {name: dict(entry) for name, entry in ledger.items()}, steps_per_shard
        self.pieces: list[ShardPiece] = []
        self.seen: set[str] = set()
        self.names: frozenset[str] | None = None
        self.shards: list[dict[str, Any]] = []
        self.waiting: dict[str, list[NDArray[Any]]] = defaultdict(list)
        self.steps = 0
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)

    def add(self, piece: ShardPiece, codes: NDArray[Any], **arrays: NDArray[Any]) -> None:
        """Adds one piece.

        Args:
            piece: what it is.
            codes: (streams, steps) integers of 16 bits.
            **arrays: one-dimensional arrays that go with it, like the step at which each bar begins; every piece gives
                the same names.

        Raises:
            InputError: the piece is there already, its corpus is not in the ledger, or the codes have another shape.
        """
        self._check(piece, codes, arrays)
        self.seen.add(piece.id)
        self.pieces.append(piece)
        self.names = frozenset(arrays)
        self.waiting[CODES].append(np.asarray(codes, dtype=np.int16))
        for name, array in arrays.items():
            self.waiting[name].append(np.asarray(array))
        self.steps += codes.shape[1]
        if self.steps >= self.steps_per_shard:
            self._flush()

    def finish(self) -> None:
        """Writes the last shard and the manifest.

        Raises:
            OSError: it cannot be written.
        """
        self._flush()
        manifest = {
            "schema": SCHEMA,
            "songwright": __version__,
            "vocabulary_hash": self.vocabulary_hash,
            "streams": list(self.streams),
            "shards": self.shards,
            "ledger": self.ledger,
            "pieces": [asdict(piece) for piece in self.pieces],
        }
        text = json.dumps(manifest, ensure_ascii=False, separators=(",", ":")).replace('{"id"', '\n{"id"')
        write_bytes(self.folder / MANIFEST, (text + "\n").encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()

    def _check(self, piece: ShardPiece, codes: NDArray[Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        if piece.id in self.seen:
            raise InputError(f"the piece '{piece.id}' was added already: ids are unique within a folder of shards")
        if piece.corpus not in self.ledger:
            raise InputError(f"the piece '{piece.id}' is of '{piece.corpus}', which the ledger does not name")
        if codes.ndim != 2 or codes.shape[0] != len(self.streams) or not np.issubdtype(codes.dtype, np.integer):
            wanted = f"integers ({len(self.streams)} streams, steps)"
            raise InputError(f"'{piece.id}': expected {wanted}, got {codes.dtype} {codes.shape}")
        limits = np.iinfo(np.int16)
        if codes.size and not limits.min <= int(codes.min()) <= int(codes.max()) <= limits.max:
            raise InputError(f"'{piece.id}': codes from {codes.min()} to {codes.max()} do not fit into 16 bits")
        if self.names is not None and frozenset(arrays) != self.names:
            raise InputError(f"'{piece.id}': expected the arrays {sorted(self.names)}, got {sorted(arrays)}")
        for name, array in arrays.items():
            if np.ndim(array) != 1 or name == CODES or name.endswith(OFFSETS) or name == OFFSETS[1:]:
                raise InputError(
                    f"'{piece.id}': '{name}' has {np.ndim(array)} dimensions or a name of the format's own"
                )

    def _flush(self) -> None:
        if not self.waiting:
            return
        tensors: dict[str, NDArray[Any]] = {}
        for name, parts in self.waiting.items():
            lengths = [part.shape[-1] for part in parts]
            tensors[name] = np.concatenate(parts, axis=-1)
            key = OFFSETS[1:] if name == CODES else name + OFFSETS
            tensors[key] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        data = pack(tensors)
        name = f"shard-{len(self.shards):05d}.safetensors"
        write_bytes(self.folder / name, data)
        count = len(self.waiting[CODES])
        self.shards.append(
            {"file": name, "pieces": count, "steps": self.steps, "sha256": hashlib.sha256(data).hexdigest()}
        )
        self.waiting.clear()
        self.steps = 0


@dataclass(frozen=True, slots=True)
class _Shard:
    first: int
    tensors: Mapping[str, NDArray[Any]]


class Shards:
    """Encoded pieces, read where they lie; reading from several threads at once is safe. Made by `open_shards`.

    Args:
        folder: where they lie.
        manifest: checked content of the manifest.
        pieces: all pieces.
        shards: the mapped files.
    """

    def __init__(
        self, folder: Path, manifest: Mapping[str, Any], pieces: tuple[ShardPiece, ...], shards: list[_Shard]
    ) -> None:
        self.folder, self.manifest, self.pieces = folder, manifest, pieces
        self._shards = shards
        self._firsts = np.array([shard.first for shard in shards], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.pieces)

    @property
    def streams(self) -> tuple[str, ...]:
        """The names of the rows of the codes."""
        return tuple(self.manifest["streams"])

    @property
    def vocabulary_hash(self) -> str:
        """Of the vocabulary the codes are in."""
        return str(self.manifest["vocabulary_hash"])

    def codes(self, index: int) -> NDArray[np.int16]:
        """Returns the codes of a piece, (streams, steps), as a read-only view of the file."""
        shard, place = self._find(index)
        start, end = shard.tensors[OFFSETS[1:]][place : place + 2]
        return shard.tensors[CODES][:, start:end]

    def array(self, index: int, name: str) -> NDArray[Any]:
        """Returns a further array of a piece, as a read-only view of the file.

        Raises:
            DataError: these shards have no such array.
        """
        shard, place = self._find(index)
        if name not in shard.tensors or name + OFFSETS not in shard.tensors:
            raise DataError(self.folder, f"these shards hold no array '{name}': prepare them anew")
        start, end = shard.tensors[name + OFFSETS][place : place + 2]
        return shard.tensors[name][start:end]

    def num_steps(self, index: int) -> int:
        """Returns the steps of a piece."""
        shard, place = self._find(index)
        start, end = shard.tensors[OFFSETS[1:]][place : place + 2]
        return int(end - start)

    def select(self, *, split: Split | None = None, corpora: Iterable[str] | None = None) -> list[int]:
        """Returns the indices of the pieces of a split and of some corpora, in order; None means any."""
        wanted = None if corpora is None else set(corpora)
        return [
            index
            for index, piece in enumerate(self.pieces)
            if (split is None or piece.split == split) and (wanted is None or piece.corpus in wanted)
        ]

    def provenance(self, indices: Iterable[int] | None = None) -> dict[str, Any]:
        """Returns what a model trained on these pieces writes into its config: hashes, and a ledger by corpus.

        Args:
            indices: the pieces that are used; None means all.
        """
        pieces, steps = Counter[str](), Counter[str]()
        for index in range(len(self)) if indices is None else indices:
            pieces[self.pieces[index].corpus] += 1
            steps[self.pieces[index].corpus] += self.num_steps(index)
        used = {
            name: {**self.manifest["ledger"][name], "pieces": pieces[name], "steps": steps[name]}
            for name in sorted(pieces)
        }
        return {
            "vocabulary_hash": self.vocabulary_hash,
            "data": {shard["file"]: shard["sha256"] for shard in self.manifest["shards"]},
            "ledger": used,
        }

    def _find(self, index: int) -> tuple[_Shard, int]:
        if not 0 <= index < len(self.pieces):
            raise IndexError(f"piece {index} of {len(self.pieces)}")
        shard = self._shards[int(np.searchsorted(self._firsts, index, side="right")) - 1]
        return shard, index - shard.first


def open_shards(folder: Path, *, vocabulary: str | None = None, verify: bool = True) -> Shards:
    """Returns the shards of a folder, mapped into memory.

    Args:
        folder: what a `ShardWriter` filled.
        vocabulary: the hash of the vocabulary that the reader speaks, where that matters.
        verify: whether the SHA-256 of every shard is checked.

    Raises:
        DataError: the manifest is missing or wrong, a shard is missing, damaged or altered, or the codes are in
            another vocabulary.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(folder, f"no {MANIFEST}: not a folder of shards, or unfinished; prepare it anew") from error
    except (OSError, ValueError) as error:
        raise DataError(path, f"cannot be read: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        version = manifest.get("schema") if isinstance(manifest, dict) else None
        raise DataError(path, f"expected a manifest of version {SCHEMA}, got {version}: prepare the shards anew")
    try:
        pieces = _pieces(manifest)
        expected = [(str(s["file"]), int(s["pieces"]), int(s["steps"]), str(s["sha256"])) for s in manifest["shards"]]
        streams = [str(name) for name in manifest["streams"]]
        if sum(count for _, count, _, _ in expected) != len(pieces):
            raise ValueError("the shards hold another number of pieces than are listed")
    except (KeyError, TypeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise DataError(path, f"bad manifest: {what}; prepare the shards anew") from error
    if vocabulary is not None and manifest.get("vocabulary_hash") != vocabulary:
        raise DataError(path, "its codes are in another vocabulary than this songwright's: prepare the shards anew")
    shards, first = [], 0
    for name, count, steps, digest in expected:
        file = folder / name
        if Path(name).name != name or not file.is_file():
            raise DataError(file, "a shard of the manifest is missing: prepare the shards anew")
        if verify and sha256_of(file) != digest:
            raise DataError(file, "damaged or altered: its SHA-256 is not the manifest's; prepare the shards anew")
        shards.append(_Shard(first, _mapped(file, len(streams), count, steps)))
        first += count
    return Shards(folder, manifest, pieces, shards)


def shards_folder(named: str = "") -> Path:
    """Returns where shards are: the folder that is named, else that of SONGWRIGHT_SHARDS.

    Raises:
        InputError: nobody said.
    """
    folder = named or os.environ.get("SONGWRIGHT_SHARDS", "")
    if not folder:
        raise InputError("where are the shards? set SONGWRIGHT_SHARDS to what `songwright prepare-scores` wrote")
    return Path(folder)


def check_corpora(shards: Shards, shares: Mapping[str, float]) -> None:
    """Checks that weights may learn from corpora.

    Args:
        shards: what is there.
        shares: of each corpus in what is learned.

    Raises:
        ConfigError: a share is no number of 0 or more, a corpus is not there, or weights must not learn from it.
    """
    ledger = shards.manifest["ledger"]
    for name, share in shares.items():
        if not isinstance(share, int | float) or share < 0:
            raise ConfigError(f"corpora {name}: expected a share of 0 or more, got {share!r}")
        if share and name not in ledger:
            raise ConfigError(f"corpora {name}: not in these shards, which hold {', '.join(ledger)}")
        if share and not ledger[name].get("usable", False):
            raise ConfigError(f"corpora {name}: weights must not learn from it: {ledger[name].get('why_not')}")


def _pieces(manifest: Mapping[str, Any]) -> tuple[ShardPiece, ...]:
    ledger, seen = manifest["ledger"], set()
    known = {field.name for field in fields(ShardPiece)}
    pieces = []
    for row in manifest["pieces"]:
        piece = ShardPiece(**{name: row[name] for name in known})
        if piece.id in seen:
            raise ValueError(f"the piece '{piece.id}' is listed twice")
        if piece.corpus not in ledger:
            raise ValueError(f"'{piece.id}' is of '{piece.corpus}', which the ledger does not name")
        if piece.split not in SPLITS:
            raise ValueError(f"'{piece.id}' is in the split {piece.split!r}, expected one of {', '.join(SPLITS)}")
        seen.add(piece.id)
        pieces.append(piece)
    return tuple(pieces)


def _mapped(path: Path, streams: int, pieces: int, steps: int) -> dict[str, NDArray[Any]]:
    """Returns a shard's arrays as read-only maps of the file, after checking that they belong together."""
    try:
        check_file(str(path))
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        tensors = {name: _view(path, 8 + size, entry) for name, entry in header.items()}
        offsets = {n: tensor for n, tensor in tensors.items() if n == OFFSETS[1:] or n.endswith(OFFSETS)}
        codes = tensors[CODES]
        if codes.dtype != np.int16 or codes.shape != (streams, steps):
            raise ValueError(f"codes are {codes.dtype} {codes.shape}, expected int16 {(streams, steps)}")
        for name, places in offsets.items():
            end = tensors[name.removesuffix(OFFSETS) if name != OFFSETS[1:] else CODES].shape[-1]
            if places.shape != (pieces + 1,) or places[0] != 0 or places[-1] != end or (np.diff(places) < 0).any():
                raise ValueError(f"'{name}' does not divide its array into {pieces} pieces")
        if OFFSETS[1:] not in offsets:
            raise ValueError("no offsets")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(path, f"damaged shard: {error}; prepare the shards anew") from error
    return tensors


_DTYPES = {
    "I8": np.int8, "I16": np.int16, "I32": np.int32, "I64": np.int64, "U8": np.uint8, "U16": np.uint16,
    "U32": np.uint32, "U64": np.uint64, "F16": np.float16, "F32": np.float32, "F64": np.float64, "BOOL": np.bool_,
}  # fmt: skip


def _view(path: Path, start: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    dtype, shape = np.dtype(_DTYPES[entry["dtype"]]), tuple(entry["shape"])
    if math.prod(shape) == 0:
        return np.zeros(shape, dtype=dtype)
    view: NDArray[Any] = np.memmap(path, dtype=dtype, mode="r", offset=start + entry["data_offsets"][0], shape=shape)
    return view
