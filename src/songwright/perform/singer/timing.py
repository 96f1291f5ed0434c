"""When every phone of a phrase is sung: vowels start on their notes, consonants keep their length before them."""

from collections.abc import Sequence
from dataclasses import dataclass

from songwright.perform.singer.lines import Phrase, SungSyllable
from songwright.perform.singer.phones import is_stop
from songwright.perform.singer.source import SourcePhone, SpokenLine
from songwright.score.sung import SungPhone

LONGEST_ONSET_SECONDS = 0.2
_LONGEST_CODA_SECONDS = 0.22
_LONGEST_STOP_SECONDS, _LONGEST_SOUND_SECONDS = 0.16, 0.15
_ONSET_SHARE, _CONSONANT_SHARE = 0.45, 0.62
_LEGATO_SECONDS = 0.12
"""A gap before the next syllable's consonants below this is filled by the vowel."""
_SHORTEST_PHONE_SECONDS = 0.012


@dataclass(frozen=True, slots=True)
class PlannedPhone:
    """A phone with its place in the song and in the spoken line; times in seconds."""

    phone: SungPhone
    source: SourcePhone


def plan(phrase: Phrase, spoken: SpokenLine) -> tuple[PlannedPhone, ...]:
    """Returns the phones of a phrase in order, without overlaps.

    Args:
        phrase: what is sung.
        spoken: the same syllables as spoken.
    """
    groups: list[list[SourcePhone]] = [[] for _ in phrase.syllables]
    for phone in spoken.phones:
        groups[phone.syllable].append(phone)
    nuclei = [next(i for i, p in enumerate(group) if p.is_nucleus) for group in groups]
    onsets = [_onset(group[:nucleus]) for group, nucleus in zip(groups, nuclei, strict=True)]
    codas = [
        _lengths(group[nucleus + 1 :], _LONGEST_CODA_SECONDS) for group, nucleus in zip(groups, nuclei, strict=True)
    ]
    starts = [s.start for s in phrase.syllables]
    room = min(phrase.rest_before, LONGEST_ONSET_SECONDS) if phrase.opens else _ONSET_SHARE * 0.2
    onsets[0] = _scaled(onsets[0], max(room, 0.02))
    ends: list[float] = []
    for i, syllable in enumerate(phrase.syllables):
        if i + 1 == len(groups):
            length = syllable.end - syllable.start
            codas[i] = _scaled(codas[i], 0.5 * length)
            ends.append(syllable.end)
            continue
        length = starts[i + 1] - starts[i]
        rest = starts[i + 1] - syllable.end
        onsets[i + 1] = _scaled(onsets[i + 1], max(_ONSET_SHARE * length, rest))
        free = starts[i + 1] - sum(onsets[i + 1])
        end = free if free - syllable.end < _LEGATO_SECONDS else syllable.end
        codas[i] = _scaled(codas[i], max(end - starts[i] - (1 - _CONSONANT_SHARE) * length, 0.08 * length))
        ends.append(end)
    rows: list[PlannedPhone] = []
    for i, syllable in enumerate(phrase.syllables):
        lengths = onsets[i], ends[i] - starts[i] - sum(codas[i]), codas[i]
        rows += _placed(syllable, groups[i], nuclei[i], lengths)
    return tuple(rows)


def _placed(
    syllable: SungSyllable, group: Sequence[SourcePhone], nucleus: int, lengths: tuple[list[float], float, list[float]]
) -> list[PlannedPhone]:
    onset, vowel, coda = lengths
    at = syllable.start - sum(onset)
    rows = []
    for i, (phone, length) in enumerate(zip(group, [*onset, vowel, *coda], strict=True)):
        start = syllable.start if i == nucleus else at
        at = start + length
        sung = SungPhone(phone.symbol, syllable.syllable.id, start, at, i == nucleus)
        rows.append(PlannedPhone(sung, phone))
    return rows


def _onset(phones: Sequence[SourcePhone]) -> list[float]:
    return _lengths(phones, LONGEST_ONSET_SECONDS)


def _lengths(phones: Sequence[SourcePhone], longest: float) -> list[float]:
    """Returns spoken lengths, scaled down together where they are too long; single consonants stay brisk."""
    caps = [_LONGEST_STOP_SECONDS if is_stop(p.symbol) else _LONGEST_SOUND_SECONDS for p in phones]
    spoken = [min(p.end_seconds - p.start_seconds, cap) for p, cap in zip(phones, caps, strict=True)]
    return _scaled(spoken, longest)


def _scaled(lengths: Sequence[float], room: float) -> list[float]:
    total = sum(lengths)
    if total <= room or not total:
        return list(lengths)
    return [max(x * room / total, min(_SHORTEST_PHONE_SECONDS, room / len(lengths))) for x in lengths]
