"""The network as the judge of progressions and of takes: see `harmony.write` and `arrange.takes`."""

from collections.abc import Sequence
from dataclasses import dataclass

from songwright.compose.learned.judge import Reader, judge, sketch
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Style
from songwright.compose.tokens.vocabulary import HARMONY, VALUE
from songwright.score.song import ChordSpan, Song, Track

JUDGED_BARS = 4
"""Bars of the sections of a role by which a take is judged."""


@dataclass(frozen=True)
class LearnedTakes:
    """Prefers the take that is the likeliest, event by event, after what the others play.

    Attributes:
        reader: the network.
        takes: how many takes it wants to hear.
        kinds: of parts that it judges. Of basses it prefers what people played to takes of the style book; of drums
            and chords it prefers the most regular take to any person's (docs/composer.md), so these are not asked.
    """

    reader: Reader
    takes: int = 4
    kinds: tuple[str, ...] = ("bass",)

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
        heard = [track for track in others if track.id != takes[0].id]
        songs = [sketch(plan, style, chords, [*heard, take]) for take in takes]
        return [self._best(songs, takes, [bar * plan.bar_ticks for bar in bars], plan.bar_ticks) for bars in groups]

    def _best(self, songs: Sequence[Song], takes: Sequence[Track], starts: Sequence[int], bar_ticks: int) -> int:
        """Returns the best take in the bars that start at these ticks, judged by the first of them that sound."""
        inside = [
            [[note for note in take.notes if start <= note.start_ticks < start + bar_ticks] for start in starts]
            for take in takes
        ]
        sounding = [i for i in range(len(starts)) if all(bars[i] for bars in inside)][:JUDGED_BARS]
        if not sounding:
            return 0
        different: dict[object, int] = {}
        for take, bars in enumerate(inside):
            figure = tuple((n.start_ticks, n.pitch, n.duration_ticks) for i in sounding for n in bars[i])
            different.setdefault(figure, take)
        if len(different) == 1:
            return 0
        rows, at = list(different.values()), [starts[i] // bar_ticks for i in sounding]
        judged = judge(self.reader, [songs[row] for row in rows], takes[0].id, at)
        return min(zip(rows, judged, strict=True), key=lambda found: (found[1].mean(at), found[0]))[0]


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
