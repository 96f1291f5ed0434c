"""The network as the judge of progressions and of takes: see `harmony.write` and `arrange.takes`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from songwright.compose.learned.judge import Reader, judge, sketch
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Style
from songwright.compose.tokens.vocabulary import HARMONY, VALUE
from songwright.score.song import ChordSpan, Song, Track

JUDGED_BARS = 4
"""Bars of the sections of a role by which a take is judged."""

CONTRASTED = ("chords",)
"""Roles of which not the likeliest take is the best but the one that the rest of the song makes likelier.

They are read twice, so half as many bars of them are read, and of several players only the first has a choice.
"""


def costs(reader: Reader, songs: Sequence[Song], target: str, bars: Sequence[int]) -> list[float]:
    """Returns how badly a part suits each of several songs: the less, the better.

    Of a bass it is what an event of it costs. Of chord players that prefers what repeats exactly, whatever the song;
    so of them it is what an event costs beside the others, less what it costs alone, without chords and tune.

    Args:
        reader: the network.
        songs: alike but for the part.
        target: id of its track.
        bars: which are judged.
    """
    beside = [one.mean(bars) for one in judge(reader, songs, target, bars)]
    own = next(track for track in songs[0].tracks if track.id == target)
    if own.role not in CONTRASTED:
        return beside
    alone = [replace(song, chords=(), tracks=tuple(t for t in song.tracks if t.id == target)) for song in songs]
    return [cost - one.mean(bars) for cost, one in zip(beside, judge(reader, alone, target, bars), strict=True)]


@dataclass(frozen=True)
class LearnedTakes:
    """Prefers the take that suits best what the others play; see `costs`.

    Attributes:
        reader: the network.
        takes: how many takes it wants to hear.
        kinds: of parts that it judges: those of which it prefers what people played to takes of the style book
            (docs/composer.md). Drums are not asked for: `drummer` plays them.
    """

    reader: Reader
    takes: int = 4
    kinds: tuple[str, ...] = ("bass", "comp")

    def choose(
        self,
        plan: SongPlan,
        style: Style,
        chords: tuple[ChordSpan, ...],
        others: Sequence[Track],
        takes: Sequence[Track],
        groups: Sequence[Sequence[int]],
    ) -> list[int]:
        """Returns the best take for each group of bars; see `arrange.takes.TakeJudge`."""
        role = takes[0].role
        if role in CONTRASTED and any(track.role == role for track in others):
            return [0] * len(groups)
        heard = [track for track in others if track.id != takes[0].id]
        songs = [sketch(plan, style, chords, [*heard, take]) for take in takes]
        return [self._best(songs, takes, [bar * plan.bar_ticks for bar in bars], plan.bar_ticks) for bars in groups]

    def _best(self, songs: Sequence[Song], takes: Sequence[Track], starts: Sequence[int], bar_ticks: int) -> int:
        """Returns the best take in the bars that start at these ticks, judged by the first of them that sound."""
        inside = [
            [[note for note in take.notes if start <= note.start_ticks < start + bar_ticks] for start in starts]
            for take in takes
        ]
        most = JUDGED_BARS // 2 if takes[0].role in CONTRASTED else JUDGED_BARS
        sounding = [i for i in range(len(starts)) if all(bars[i] for bars in inside)][:most]
        if not sounding:
            return 0
        different: dict[object, int] = {}
        for take, bars in enumerate(inside):
            figure = tuple((n.start_ticks, n.pitch, n.duration_ticks) for i in sounding for n in bars[i])
            different.setdefault(figure, take)
        if len(different) == 1:
            return 0
        rows, at = list(different.values()), [starts[i] // bar_ticks for i in sounding]
        found = costs(self.reader, [songs[row] for row in rows], takes[0].id, at)
        return min(zip(rows, found, strict=True), key=lambda one: (one[1], one[0]))[0]


@dataclass(frozen=True)
class LearnedHarmony:
    """Prefers the progression whose chords are the likeliest; the tables know better when chords change.

    Likelihood loves to stay where it is: of the candidates only the half with more different chords is judged.

    Attributes:
        reader: the network.
        candidates: how many progressions it wants to see.
    """

    reader: Reader
    candidates: int = 6

    def choose(
        self,
        plan: SongPlan,
        style: Style,
        section: SectionPlan,
        candidates: Sequence[tuple[ChordSpan, ...]],
        num_bars: int,
    ) -> int:
        """Returns the best candidate for a section; see `harmony.write.HarmonyJudge`."""
        varied = [len({span.symbol for span in chords}) for chords in candidates]
        rows = [i for i, count in enumerate(varied) if count >= sorted(varied)[len(varied) // 2]]
        songs = [sketch(plan, style, candidates[row]) for row in rows]
        bars = range(section.first_bar, section.first_bar + min(num_bars, section.num_bars))
        judged = judge(self.reader, songs, HARMONY, bars, (VALUE,))
        return min(zip(rows, judged, strict=True), key=lambda found: (found[1].mean(bars), found[0]))[0]
