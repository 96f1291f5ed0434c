"""Corpora as training shards: pieces are read and encoded in several processes, kept, and written with their ledger.

Every encoded piece lies in a file of its own under ``.pieces``, named after all that it depends on, so that an
interrupted run goes on where it was, and a changed reader does its own corpus again and no other.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from songwright.collection.catalogue import CORPORA
from songwright.collection.corpus import Corpus, Source, Split
from songwright.collection.unpack import corpus_folder
from songwright.collection.words import with_stress
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.vocabulary import KIND, STREAMS, Kind, vocabulary_hash
from songwright.errors import InputError, SongwrightError
from songwright.progress import Progress, silent
from songwright.score.song import Song, check
from songwright.splits import held_out
from songwright.training.shards import ShardPiece, ShardWriter

Result = TypeVar("Result")
TITLED = ("openewld", "open-hymnal", "folk-abc", "nottingham")
"""Corpora of well-known tunes: a title that is held out in one is held out in all."""

_CHUNK = 24
"""Pieces that a process reads before it looks up the stress of their words, all at once."""

_READERS = ("abc", "abc_voice", "kern", "midi_import", "smf", "musicxml_import", "xml_file", "harmony_marks", "roles",
            "words_on_notes", "theory")  # fmt: skip
_ENCODERS = ("vocabulary", "bars", "grid", "encode")
_SHORTEST_TITLE = 6
_WIDTHS = (7, 7, 6, 10, 9, 10, 9)


@dataclass
class Tally:
    """What became of one corpus.

    Attributes:
        corpus: which.
        pieces: how many on each side.
        notes, bars, events: in all of them.
        skipped: (piece, why), one for each that could not be read.
    """

    corpus: Corpus
    pieces: Counter[str] = field(default_factory=Counter)
    notes: int = 0
    bars: int = 0
    events: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Job:
    """Pieces to read, and the files to keep them in."""

    corpus: str
    sources: tuple[Source, ...]
    files: tuple[Path, ...]


def prepare(
    data: Path, out: Path, corpora: Sequence[str], *, jobs: int = 2, again: bool = False, progress: Progress = silent
) -> list[Tally]:
    """Writes the shards of corpora and returns what became of each.

    Args:
        data: holds the corpora, unpacked or as ``.tar.xz``.
        out: the folder of the shards; what it holds is replaced, what was read before is used again.
        corpora: names of `CORPORA`.
        jobs: processes.
        again: read everything anew.
        progress: told of each corpus as it is read.

    Raises:
        InputError: a corpus is not known or not there, or the folder cannot be written.
        DataError: an archive is broken.
    """
    for name in corpora:
        if name not in CORPORA:
            raise InputError(f"no corpus '{name}'; there are: {', '.join(CORPORA)}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write into {out}: {error.strerror}") from error
    found = {name: _sources(CORPORA[name], data, out) for name in corpora}
    titles = _held_titles(data, out, found)
    kept = {name: _files(CORPORA[name], sources, out) for name, sources in found.items()}
    _read_all(found, kept, jobs=jobs, again=again, progress=progress)
    return _write(out, found, kept, titles, progress)


def _sources(corpus: Corpus, data: Path, out: Path) -> list[Source]:
    folder = corpus_folder(data, corpus.archive, out / ".unpacked")
    for other in corpus.needs:
        if corpus_folder(data, other, out / ".unpacked") != folder:
            raise InputError(f"{corpus.archive} and {other} belong together: give both packed or both unpacked")
    sources = list(corpus.find(folder))
    if not sources:
        raise InputError(f"{folder / corpus.archive} holds none of the corpus's pieces: unpack its archive anew")
    return sources


def title_of(source: Source) -> str:
    """Returns the letters of a tune's title, the same in every corpus; empty if it has none to speak of."""
    name = re.sub(r"[\W_]+", "", source.note("title") or source.song.rpartition("/")[2]).lower()
    return name if len(name) >= _SHORTEST_TITLE else ""


def _held_titles(data: Path, out: Path, found: Mapping[str, Sequence[Source]]) -> frozenset[str]:
    """Returns the titles that are held out, whichever corpora are asked for."""
    held: set[str] = set()
    for name in TITLED:
        sources: Iterable[Source] = found.get(name, ())
        if name not in found:
            try:
                sources = CORPORA[name].find(corpus_folder(data, CORPORA[name].archive, out / ".unpacked"))
            except SongwrightError:
                continue
        held |= {title_of(s) for s in sources if s.split == "valid" or held_out(s.song)} - {""}
    return frozenset(held)


def side_of(corpus: str, source: Source, held: frozenset[str] = frozenset()) -> Split:
    """Returns where a piece may be used.

    Args:
        corpus: its name.
        source: the piece; its own split, where it has one, holds.
        held: titles that are held out.
    """
    if source.split is not None:
        return source.split
    shared = corpus in TITLED and title_of(source) in held
    return "valid" if shared or held_out(source.song) else "train"


@lru_cache(maxsize=64)
def _fingerprint(corpus: str) -> str:
    """Returns what the encoding of a corpus's pieces depends on besides the pieces: code and vocabulary."""
    root = Path(__file__).parent
    module = CORPORA[corpus].read.__module__.rpartition(".")[2]
    files = [*sorted(root.glob("*.py")), root / "corpora" / f"{module}.py"]
    files += [root.parent / "score" / f"{name}.py" for name in _READERS]
    files += [root.parent / "compose" / "tokens" / f"{name}.py" for name in _ENCODERS]
    digest = hashlib.sha256(vocabulary_hash().encode())
    for file in files:
        if file.name not in ("prepare.py", "catalogue.py", "unpack.py") and file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _files(corpus: Corpus, sources: Sequence[Source], out: Path) -> list[Path]:
    folder = out / ".pieces" / corpus.name
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for source in sources:
        state = source.path.stat()
        key = repr((_fingerprint(corpus.name), source.id, source.about, state.st_size, state.st_mtime_ns))
        files.append(folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz")
    wanted = set(files)
    for file in folder.glob("*"):
        if file not in wanted:
            file.unlink()
    return files


def _read_all(
    found: Mapping[str, Sequence[Source]],
    kept: Mapping[str, Sequence[Path]],
    *,
    jobs: int,
    again: bool,
    progress: Progress,
) -> None:
    waiting: list[_Job] = []
    for name, sources in found.items():
        missing = [(s, f) for s, f in zip(sources, kept[name], strict=True) if again or not f.is_file()]
        for i in range(0, len(missing), _CHUNK):
            chunk = missing[i : i + _CHUNK]
            waiting.append(_Job(name, tuple(s for s, _ in chunk), tuple(f for _, f in chunk)))
    total = sum(len(job.sources) for job in waiting)
    done = 0
    if jobs <= 1 or len(waiting) <= 1:
        for job in waiting:
            done += _work(job)
            progress("reading", done / total)
        return
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        futures: list[Future[int]] = [pool.submit(_work, job) for job in waiting]
        try:
            for future in as_completed(futures):
                done += future.result()
                progress("reading", done / total)
        except BrokenProcessPool as error:
            raise InputError("a reading process died, perhaps for want of memory: run it again with --jobs 1; what "
                             "was read is kept") from error  # fmt: skip
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _work(job: _Job) -> int:
    """Reads and encodes pieces into their files; returns how many. Runs in a process of its own."""
    corpus = CORPORA[job.corpus]
    songs: list[tuple[Path, Song]] = []
    for source, file in zip(job.sources, job.files, strict=True):
        song = _attempt(lambda source=source: _checked(corpus.read(source)), file)  # type: ignore[misc]
        if song is not None:
            songs.append((file, song))
    stressed = [song for _, song in songs]
    if corpus.language:
        stressed = with_stress(stressed, corpus.language)
    for (file, _), song in zip(songs, stressed, strict=True):
        events = _attempt(lambda song=song: encode(song), file)  # type: ignore[misc]
        if events is not None:
            _keep(file, codes=events.codes, bar_offsets=events.bar_offsets)
    return len(job.sources)


def _checked(song: Song) -> Song:
    check(song)
    if not song.duration_ticks or not (song.chords or any(t.notes for t in song.tracks)):
        raise InputError("neither notes nor chords in it")
    return song


def _attempt(step: Callable[[], Result], file: Path) -> Result | None:
    """Returns what a step gives; a failure, whatever a stranger's file does to it, is kept as its one line."""
    try:
        return step()
    except Exception as error:
        text = str(error) if isinstance(error, SongwrightError) else f"{type(error).__name__}: {error}"
        _keep(file, reason=np.array(" ".join(text.split())[:300]))
        return None


def _keep(file: Path, **arrays: NDArray[np.generic]) -> None:
    aside = file.with_suffix(".partial")
    with aside.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    aside.replace(file)


def _write(
    out: Path,
    found: Mapping[str, Sequence[Source]],
    kept: Mapping[str, Sequence[Path]],
    held: frozenset[str],
    progress: Progress,
) -> list[Tally]:
    tallies = []
    ledger = {name: _entry(CORPORA[name]) for name in found}
    for old in out.glob("shard-*.safetensors"):
        old.unlink()
    with ShardWriter(out, vocabulary_hash=vocabulary_hash(), streams=STREAMS, ledger=ledger) as writer:
        for name, sources in found.items():
            tally = Tally(CORPORA[name])
            for source, file in zip(sources, kept[name], strict=True):
                _add(writer, tally, source, file, held)
            tallies.append(tally)
            progress("writing", len(tallies) / len(found))
    return tallies


def _entry(corpus: Corpus) -> dict[str, str | bool]:
    """Returns what the ledger says of a corpus."""
    entry: dict[str, str | bool] = {"licence": corpus.licence, "attribution": corpus.attribution,
                                    "usable": corpus.usable}  # fmt: skip
    return entry if corpus.usable else {**entry, "why_not": corpus.why_not}


def _add(writer: ShardWriter, tally: Tally, source: Source, file: Path, held: frozenset[str]) -> None:
    with np.load(file, allow_pickle=False) as arrays:
        if "reason" in arrays:
            reason = str(arrays["reason"])
            tally.skipped.append((source.id, reason.removeprefix(f"{source.path}: ")))
            return
        codes, bar_offsets = arrays["codes"], arrays["bar_offsets"]
    corpus = tally.corpus
    side = side_of(corpus.name, source, held)
    piece = ShardPiece(f"{corpus.name}/{source.id}", corpus.name, corpus.licence, side, corpus.augmentable)
    writer.add(piece, codes, bar_offsets=bar_offsets)
    tally.pieces[side] += 1
    tally.notes += int((codes[KIND] == Kind.NOTE).sum())
    tally.bars += int((codes[KIND] == Kind.BAR).sum())
    tally.events += codes.shape[1]


def table(tallies: Sequence[Tally]) -> Iterator[str]:
    """Yields the lines of a table: pieces, notes, bars, events and what was skipped, corpus by corpus."""
    heads = ("train", "valid", "test", "notes", "bars", "events", "skipped")
    yield f"{'corpus':<20}" + "".join(f"{head:>{w}}" for head, w in zip(heads, _WIDTHS, strict=True)) + "  weights"
    for tally in tallies:
        corpus, p = tally.corpus, tally.pieces
        use = "yes" if corpus.usable else f"no: {corpus.why_not}"
        yield (f"{corpus.name:<20}{p['train']:>7}{p['valid']:>7}{p['test']:>6}{tally.notes:>10}{tally.bars:>9}"
               f"{tally.events:>10}{len(tally.skipped):>9}  {use}")  # fmt: skip
        for reason, count in Counter(re.sub(r"\d+", "N", why) for _, why in tally.skipped).most_common(4):
            yield f"{'':<20}{count:>7} skipped: {reason[:80]}"
    sums = [sum(values) for values in zip(*((t.pieces["train"], t.pieces["valid"], t.pieces["test"], t.notes, t.bars,
                                            t.events, len(t.skipped)) for t in tallies), strict=True)]  # fmt: skip
    if sums:
        yield (f"{'together':<20}{sums[0]:>7}{sums[1]:>7}{sums[2]:>6}{sums[3]:>10}{sums[4]:>9}{sums[5]:>10}"
               f"{sums[6]:>9}")  # fmt: skip
