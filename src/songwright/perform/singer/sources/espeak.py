"""espeak-ng as a source: all lines of a track in one worker process for each language, checked phone by phone.

What is sent as mnemonics does not always come back as it was sent: allophone rules exchange, insert and merge phones,
closures of stops are counted to the vowel before, and long clauses make the engine crash. Here lines are cut into
pieces that it bears, answers are aligned with the question, and a line that lost a vowel is spoken syllable by
syllable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.phones import is_stop, is_voiced, is_vowel, kind_of
from songwright.perform.singer.source import SourceLine, SourcePhone, SpokenLine
from songwright.score.song import Syllable
from songwright.speech.espeak import Spoken, Utterance, speak

SLOWEST_WORDS_PER_MINUTE = 80
_VOLUME = 55  # the loudest variants clip at 100, some still at 60
_PIECE_PHONES = 48  # espeak-ng 1.52 crashes in clauses of about 100 phonemes, boundaries and stresses included
_PAUSE_SECONDS = 0.03
_SILENT_DB = -48.0
_SMALLEST_PHONE_SECONDS = 0.02

FULL_VOWELS = {
    "en": {"@": "@5", "I2": "I"},
    "ru": {"a": "A", "I": "i", "e": "E"},
}
"""What singers do not reduce: espeak makes unstressed vowels a murmur, which a held note would expose."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Neighbouring syllables of one line and one language, by index."""

    line: int
    first: int
    syllables: tuple[Syllable, ...]

    @property
    def language(self) -> str:
        return self.syllables[0].language or "en"

    @property
    def sent(self) -> list[tuple[str, int, bool]]:
        """(symbol, syllable of the line, is nucleus) of every phone."""
        return [
            (symbol, self.first + k, i == syllable.nucleus)
            for k, syllable in enumerate(self.syllables)
            for i, symbol in enumerate(syllable.phonemes)
        ]


@dataclass(frozen=True, slots=True)
class EspeakSource:
    """Speaks with one espeak variant, slowly and flat; follows the `Source` protocol.

    Args:
        variant: e.g. ``klatt2``.
        pitch: 0 to 99; the spectrum of a variant does not depend on it, and harmonics about 140 Hz apart show formants
            well and in little time.
    """

    variant: str = "klatt2"
    pitch: int = 90
    _engine: str = field(default="", repr=False)

    @property
    def identity(self) -> str:
        """Engine, version, variant and settings."""
        try:
            engine = version("espeakng-loader")
        except PackageNotFoundError:
            engine = "unknown"
        return f"espeak {engine} {self.variant} {self.pitch} {SLOWEST_WORDS_PER_MINUTE} {_VOLUME}"

    def languages(self) -> tuple[str, ...]:
        """Returns nothing: it speaks whatever espeak speaks."""
        return ()

    def speak(self, lines: Sequence[SourceLine]) -> list[SpokenLine]:
        """Returns each line as spoken; every syllable has its nucleus.

        Raises:
            SpeechError: espeak failed or hung.
        """
        pieces = [piece for i, line in enumerate(lines) for piece in _pieces(i, line)]
        spoken = self._speak_pieces(pieces)
        broken = [k for k, (_, _, phones) in enumerate(spoken) if phones is None]
        single = [_Piece(pieces[k].line, pieces[k].first + j, (s,)) for k in broken
                  for j, s in enumerate(pieces[k].syllables)]  # fmt: skip
        again = dict(zip([(p.line, p.first) for p in single], self._speak_pieces(single), strict=True))
        parts: list[list[tuple[NDArray[np.float32], int, list[SourcePhone]]]] = [[] for _ in lines]
        for k, piece in enumerate(pieces):
            wave, rate, phones = spoken[k]
            if phones is not None:
                parts[piece.line].append((wave, rate, phones))
                continue
            for j, syllable in enumerate(piece.syllables):
                wave, rate, found = again[piece.line, piece.first + j]
                parts[piece.line].append((wave, rate, found or _evenly(wave, rate, syllable, piece.first + j)))
        return [_joined(rows) for rows in parts]

    def _speak_pieces(
        self, pieces: Sequence[_Piece]
    ) -> list[tuple[NDArray[np.float32], int, list[SourcePhone] | None]]:
        """Returns waveform, rate and phones of every piece; None where a nucleus was lost."""
        result: list[tuple[NDArray[np.float32], int, list[SourcePhone] | None]] = [
            (np.zeros(1, np.float32), 22050, None) for _ in pieces
        ]
        for language in sorted({p.language for p in pieces}):
            mine = [k for k, p in enumerate(pieces) if p.language == language]
            texts = list(dict.fromkeys(_mnemonics(pieces[k].syllables) for k in mine))
            asked = [Utterance(text, self.variant, SLOWEST_WORDS_PER_MINUTE, self.pitch, 0, _VOLUME) for text in texts]
            answers = dict(zip(texts, speak(asked, language), strict=True))
            for k in mine:
                answer = answers[_mnemonics(pieces[k].syllables)]
                result[k] = (answer.waveform, answer.sample_rate, matched(pieces[k].sent, answer))
        return result


def _pieces(index: int, line: SourceLine) -> list[_Piece]:
    """Returns a line in pieces of one language that espeak bears, cut between words where that can be."""
    pieces: list[_Piece] = []
    first = 0
    while first < len(line.syllables):
        end, phones, cut = first, 0, 0
        while end < len(line.syllables) and (line.syllables[end].language == line.syllables[first].language):
            phones += len(line.syllables[end].phonemes) + 2
            if phones > _PIECE_PHONES and end > first:
                break
            end += 1
            if end < len(line.syllables) and line.syllables[end].word != line.syllables[end - 1].word:
                cut = end
        if end < len(line.syllables) and phones > _PIECE_PHONES and cut > first:
            end = cut
        pieces.append(_Piece(index, first, line.syllables[first:end]))
        first = end
    return pieces


def _mnemonics(syllables: Sequence[Syllable]) -> str:
    """Returns what espeak is sent: phones parted by bars, words by double bars, stress before the stressed vowel."""
    text = ""
    for i, syllable in enumerate(syllables):
        if i:
            same_word = syllable.word and syllable.word == syllables[i - 1].word and syllable.text != syllable.word
            text += "|" if same_word else "||"
        stress = "'" if syllable.stress == 1 else "," if syllable.stress == 2 else ""
        full = FULL_VOWELS.get(syllable.language, {}) if syllable.delivery == "sung" else {}
        clean = [full.get(p, _clean(p)) for p in syllable.phonemes]
        text += "|".join((stress if j == syllable.nucleus else "") + p for j, p in enumerate(clean))
    return f"[[{text}]]"


def _clean(symbol: str) -> str:
    return "".join(c for c in symbol if c.isprintable() and c not in "[]|' ,") or "@"


def matched(sent: Sequence[tuple[str, int, bool]], answer: Spoken) -> list[SourcePhone] | None:
    """Returns the phones that were sent, each with the time of what came back for it.

    Args:
        sent: (symbol, syllable, is nucleus).
        answer: from espeak.

    Returns:
        None if the vowel of a syllable did not come back.
    """
    got = answer.phones
    bounds = _bounds(answer)
    pairs = _align([s for s, _, _ in sent], [p.symbol for p in got])
    times: list[tuple[float, float] | None] = [None] * len(sent)
    for a, b in pairs:
        if a is not None and b is not None:
            times[a] = bounds[b]
        elif a is None and b is not None:  # inserted: counted to its neighbour
            host = next((x for x, y in pairs if y is not None and y == b - 1), None)
            held = times[host] if host is not None else None
            if host is not None and held is not None:
                times[host] = (held[0], bounds[b][1])
    for i, (_, _, nucleus) in enumerate(sent):
        if nucleus and times[i] is None:
            return None
    for i in range(len(times)):
        if times[i] is None:
            _make_room(times, i)
    return [
        SourcePhone(symbol, syllable, *times_of, nucleus)
        for (symbol, syllable, nucleus), times_of in zip(sent, times, strict=True)
        if times_of is not None
    ]


def _make_room(times: list[tuple[float, float] | None], i: int) -> None:
    """Gives a lost consonant the last (or first) part of a neighbour."""
    before = times[i - 1] if i else None
    after = times[i + 1] if i + 1 < len(times) else None
    if before is not None:
        cut = before[1] - min(0.04, 0.4 * (before[1] - before[0]))
        times[i - 1], times[i] = (before[0], cut), (cut, before[1])
    elif after is not None:
        cut = after[0] + min(0.04, 0.4 * (after[1] - after[0]))
        times[i], times[i + 1] = (after[0], cut), (cut, after[1])
    else:
        times[i] = (0.0, _SMALLEST_PHONE_SECONDS)


def _align(sent: Sequence[str], got: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Returns index pairs of the cheapest alignment; a phone is exchanged only for one of its sort."""
    rows, columns = len(sent), len(got)
    cost = np.zeros((rows + 1, columns + 1))
    cost[:, 0], cost[0, :] = np.arange(rows + 1), np.arange(columns + 1)
    for a in range(1, rows + 1):
        for b in range(1, columns + 1):
            change = cost[a - 1, b - 1] + _difference(sent[a - 1], got[b - 1])
            cost[a, b] = min(change, cost[a - 1, b] + 1.0, cost[a, b - 1] + 1.0)
    pairs: list[tuple[int | None, int | None]] = []
    a, b = rows, columns
    while a or b:
        if a and b and cost[a, b] == cost[a - 1, b - 1] + _difference(sent[a - 1], got[b - 1]):
            a, b = a - 1, b - 1
            pairs.append((a, b))
        elif a and cost[a, b] == cost[a - 1, b] + 1.0:
            a -= 1
            pairs.append((a, None))
        else:
            b -= 1
            pairs.append((None, b))
    return pairs[::-1]


def _difference(sent: str, got: str) -> float:
    if sent == got:
        return 0.0
    if is_vowel(sent) != is_vowel(got):
        return 3.0 if kind_of(sent) not in ("nasal", "liquid") else 1.5
    return 0.5 if is_voiced(sent) == is_voiced(got) else 0.9


def _bounds(answer: Spoken) -> list[tuple[float, float]]:
    """Returns (start, end) seconds of every phone; a closure belongs to its stop, and nobody is left silent."""
    rate = answer.sample_rate
    rows = [[p.start_sample / rate, p.end_sample / rate] for p in answer.phones]
    hop = max(1, int(0.004 * rate))
    count = len(answer.waveform) // hop
    if not count:
        return [(a, b) for a, b in rows]
    power = np.mean(answer.waveform[: count * hop].reshape(count, hop).astype(np.float64) ** 2, axis=1)
    loud = 10 * np.log10(power + 1e-12) > 10 * np.log10(power.max() + 1e-12) + _SILENT_DB
    for i, phone in enumerate(answer.phones):
        if not i or not is_stop(phone.symbol):
            continue
        at = frame = min(int(rows[i][0] * rate / hop), count - 1)
        while frame > 0 and not loud[frame - 1]:
            frame -= 1
        start = frame * hop / rate
        if at - frame < 2 or start < rows[i - 1][0] - 0.2:
            continue
        rows[i][0] = rows[i - 1][1] = start
        if rows[i - 1][1] - rows[i - 1][0] < _SMALLEST_PHONE_SECONDS:  # its sound lies in the phone before
            back = start - min(0.05, 0.35 * (start - rows[i - 2][0])) if i > 1 else start - _SMALLEST_PHONE_SECONDS
            rows[i - 1][0] = max(back, 0.0)
            if i > 1:
                rows[i - 2][1] = rows[i - 1][0]
    return [(a, b) for a, b in rows]


def _evenly(wave: NDArray[np.float32], rate: int, syllable: Syllable, index: int) -> list[SourcePhone]:
    """Returns phones of a syllable that cannot be matched at all: its sound divided, the vowel the largest part."""
    weights = np.array([3.0 if i == syllable.nucleus else 1.0 for i in range(len(syllable.phonemes))])
    length = max(len(wave) / rate - 0.05, 0.1)
    ends = np.cumsum(weights) / weights.sum() * length
    starts = np.concatenate(([0.0], ends[:-1]))
    return [
        SourcePhone(p, index, float(a), float(b), i == syllable.nucleus)
        for i, (p, a, b) in enumerate(zip(syllable.phonemes, starts, ends, strict=True))
    ]


def _joined(parts: Sequence[tuple[NDArray[np.float32], int, list[SourcePhone]]]) -> SpokenLine:
    """Returns pieces in a row, each cut after its last phone."""
    rate = parts[0][1]
    waves: list[NDArray[np.float32]] = []
    phones: list[SourcePhone] = []
    at = 0
    for wave, _, found in parts:
        shift = at / rate
        phones += [
            SourcePhone(p.symbol, p.syllable, p.start_seconds + shift, p.end_seconds + shift, p.is_nucleus)
            for p in found
        ]
        end = min(len(wave), int((found[-1].end_seconds + _PAUSE_SECONDS) * rate))
        waves.append(wave[:end])
        at += end
    return SpokenLine(np.concatenate(waves), rate, tuple(phones))
