"""What imported music does not say: who plays which role, in what key, and which marks are sections.

Guesses from plain measures (register, polyphony, note length, names), good enough to mix and to look at; files of our
own carry their roles and need none of this.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from songwright.score.drums import drum_group
from songwright.score.instruments import instrument
from songwright.score.song import KeyChange, Note, Section, SectionRole, Track, TrackRole
from songwright.score.theory import Key

_NAMES: tuple[tuple[str, TrackRole], ...] = (
    (
        r"\b(melody|melodie|lead|vocals?|voice|sing\w*|solo|tune|soprano)\b|旋律|主唱|人声|мелод|вокал|голос|соло",
        "melody",
    ),
    (r"\bbass\b|贝斯|贝司|低音|бас\b", "bass"),
    (r"\b(pads?|strings|choir|organ)\b|弦乐|铺底|струнн|хор", "pad"),
    (r"\b(chords?|comp|rhythm|accomp\w*|piano|guitar)\b|和弦|伴奏|аккорд|аккомп", "chords"),
)
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_SECTIONS: tuple[tuple[str, SectionRole], ...] = (
    (r"pre.?chorus|导歌|предприпев", "prechorus"),
    (r"chorus|refrain|hook|副歌|припев", "chorus"),
    (r"intro|opening|前奏|вступ|интро", "intro"),
    (r"verse|strophe|主歌|куплет", "verse"),
    (r"bridge|middle|桥|бридж", "bridge"),
    (r"solo|соло|独奏", "solo"),
    (r"outro|ending|coda|尾奏|концовк|кода", "outro"),
    (r"inter|break|间奏|проигрыш", "interlude"),
    (r"build|нараст", "build"),
    (r"drop|дроп", "drop"),
    (r"head", "head"),
    (r"theme|тема|主题", "theme"),
)


def guess_roles(tracks: Sequence[Track]) -> tuple[Track, ...]:
    """Returns the tracks with roles: drums keep theirs; among the rest at most one is the melody."""
    found = [track if track.is_drums else replace(track, role=_role(track)) for track in tracks]
    leads = [i for i, track in enumerate(found) if track.role == "melody"]
    if not leads:
        leads = [i for i, t in enumerate(found) if t.role in ("counter_melody", "chords", "pad") and t.notes]
    best = max(leads, key=lambda i: (_lead_score(found[i]), -i), default=None)
    for i in leads:
        if i == best:
            found[i] = replace(found[i], role="melody")
        elif found[i].role == "melody":
            found[i] = replace(found[i], role="counter_melody")
    return tuple(found)


def drum_role(notes: Sequence[Note]) -> TrackRole:
    """Returns ``percussion`` if nearly no note is of the drum kit, else ``drums``."""
    others = sum(drum_group(n.pitch) == "percussion" for n in notes)
    return "percussion" if others > 0.9 * len(notes) else "drums"


def polyphony(notes: Sequence[Note]) -> float:
    """Returns how many notes sound on average while any sounds."""
    total, union, end = 0, 0, 0
    for n in sorted(notes):
        total += n.duration_ticks
        union += max(0, n.end_ticks - max(end, n.start_ticks))
        end = max(end, n.end_ticks)
    return total / max(1, union)


def _role(track: Track) -> TrackRole:
    family = instrument(track.instrument).family
    if family in ("effect", "sound") and polyphony(track.notes) < 6 and family == "sound":
        return "effects"
    for pattern, role in _NAMES:
        if re.search(pattern, track.name.lower()):
            return role
    mean = sum(n.pitch for n in track.notes) / max(1, len(track.notes))
    thick = polyphony(track.notes)
    if thick < 1.4 and (family == "bass" or mean < 47):
        return "bass"
    length = sum(n.duration_ticks for n in track.notes) / max(1, len(track.notes))
    if family in ("pad", "ensemble", "organ") and length > 1440 and thick > 1.3:
        return "pad"
    return "chords" if thick >= 1.4 else "counter_melody"


def _lead_score(track: Track) -> float:
    """Returns how much a track looks like the tune: single notes, high, many, lively, or called so."""
    if not track.notes:
        return -1e9
    mean = sum(n.pitch for n in track.notes) / len(track.notes)
    moves = sum(a.pitch != b.pitch for a, b in pairwise(sorted(track.notes))) / len(track.notes)
    called = 30.0 if re.search(_NAMES[0][0], track.name.lower()) else 0.0
    busy = min(len(track.notes), 300) / 15.0
    return called + min(mean, 76.0) / 2 + busy + 10 * moves - 14.0 * (polyphony(track.notes) - 1.0)


def guess_key(tracks: Sequence[Track]) -> KeyChange:
    """Returns the key whose profile fits the sounding time of the pitch classes best.

    Reference: Krumhansl, Cognitive Foundations of Musical Pitch, 1990, chapter 4.
    """
    weight = _weights(tracks)
    if not any(weight):
        return KeyChange(0, "C major")
    options = [(_fit(weight, p, t), Key(t, m)) for m, p in (("major", _MAJOR), ("minor", _MINOR)) for t in range(12)]
    return KeyChange(0, str(max(options, key=lambda o: o[0])[1]))


def guess_mode(fifths: int, tracks: Sequence[Track]) -> str:
    """Returns ``major`` or ``minor``, whichever of the two keys of a signature fits better."""
    weight = _weights(tracks)
    tonic = fifths * 7 % 12
    return "minor" if _fit(weight, _MINOR, (tonic + 9) % 12) > _fit(weight, _MAJOR, tonic) else "major"


def _weights(tracks: Sequence[Track]) -> list[float]:
    """Returns how long each pitch class sounds, notes longer than four quarters counted as four."""
    weight = [0.0] * 12
    for track in tracks:
        if not track.is_drums:
            for n in track.notes:
                weight[n.pitch % 12] += min(n.duration_ticks, 3840)
    return weight


def _fit(weight: Sequence[float], profile: Sequence[float], tonic: int) -> float:
    """Returns the correlation of the weights with a profile turned to a tonic."""
    turned = [profile[(i - tonic) % 12] for i in range(12)]
    mean_w, mean_p = sum(weight) / 12, sum(turned) / 12
    cross = sum((w - mean_w) * (p - mean_p) for w, p in zip(weight, turned, strict=True))
    norm = sum((w - mean_w) ** 2 for w in weight) * sum((p - mean_p) ** 2 for p in turned)
    return cross / math.sqrt(max(1e-12, norm))


def sections_from_marks(
    marks: Sequence[tuple[int, str]], bar_starts: Sequence[int], end: int, tracks: Sequence[Track]
) -> tuple[Section, ...]:
    """Returns sections for marks most of which name a part of a song; empty if they do not.

    Args:
        marks: (tick, text) in order.
        bar_starts: ticks of the bar lines; marks move to the nearest.
        end: of the last bar.
        tracks: whose onsets tell the energy.
    """
    roles = [next((r for p, r in _SECTIONS if re.search(p, text.lower())), None) for _, text in marks]
    if sum(r is not None for r in roles) < max(2, len(marks) / 2) or len(marks) > 100:
        return ()
    placed: dict[int, tuple[str, SectionRole]] = {}
    for (tick, text), role in zip(marks, roles, strict=True):
        placed[min(bar_starts, key=lambda b: abs(b - tick))] = (text.strip()[:40], role or "interlude")
    if 0 not in placed:
        placed[0] = ("Start", "intro")
    starts = sorted(placed)
    spans = list(zip(starts, [*starts[1:], end], strict=True))
    onsets = [sum(a <= n.start_ticks < b for t in tracks for n in t.notes) / max(1, b - a) for a, b in spans]
    most = max(max(onsets), 1e-9)
    seen: dict[str, int] = {}
    found = []
    for (a, b), density in zip(spans, onsets, strict=True):
        label, role = placed[a]
        seen[label] = seen.get(label, 0) + 1
        unique = label if seen[label] == 1 else f"{label} ({seen[label]})"
        found.append(Section(unique, role, a, b - a, round(density / most, 2)))
    return tuple(found)
