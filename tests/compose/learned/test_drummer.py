"""Grooves that a network plays: the backbone stays whatever it says, the style decides, louder stays fuller."""

from dataclasses import replace

import numpy as np
import pytest

from songwright.compose.arrange.drum_patterns import pattern_bars
from songwright.compose.arrange.drummer import Groove
from songwright.compose.arrange.drums import write_drums
from songwright.compose.judges import Judges
from songwright.compose.learned.composer import judges_of, load_composer
from songwright.compose.learned.drummer import FULLEST, THINNEST, TOLD, LearnedDrummer
from songwright.compose.learned.groove_sheet import FREE, Sheet, repeated
from songwright.compose.learned.scribe import Scribe, Written
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import load_style
from songwright.compose.tokens.vocabulary import KIND, Kind
from songwright.score.theory import parse_key

pytest.importorskip("torch")

from tiny_composer import STEPS, tiny_composer


def plan_of_four(style, meter=(4, 4)):
    rows = (("verse", 0, 8, 0.5), ("chorus", 8, 8, 0.9), ("verse", 16, 8, 0.5))
    sections = tuple(SectionPlan(f"{r} {b}", r, b, n, e, b // 16, b > 0) for r, b, n, e in rows)
    return SongPlan("t", style.name, 0, parse_key("C major"), 110.0, *meter, sections)


def part_of(style):
    return style.parts_of("drums")[0]


def grooves_of(style):
    """Every steady groove of a style book in four quarters."""
    plan, part = plan_of_four(style), part_of(style)
    return [
        Groove(i, pattern_bars(p, plan), p.energy[1])
        for i, p in enumerate(part.pattern)
        if not p.fill and p.meter == "4/4" and p.probability >= 1.0
    ]


def sheet_of(style, groove):
    triplets = part_of(style).pattern[groove.number].grid % 3 == 0
    return Sheet(plan_of_four(style), style, TOLD.get(style.name, "rock"), groove.bars, triplets)


def strokes(bar):
    return {(hit.tick, hit.drum) for hit in bar}


@pytest.fixture(scope="module")
def model():
    return tiny_composer()


@pytest.mark.parametrize("name", ["rock", "funk", "jazz", "blues", "reggae"])
def test_what_is_read_from_a_sheet_is_what_was_put_on_it(name):
    style = load_style(name)
    for groove in grooves_of(style):
        sheet = sheet_of(style, groove)
        example = sheet.page()
        inside = (np.arange(example.num_steps) > example.fill) & (example.codes[KIND] == Kind.NOTE)
        none = np.full(example.num_steps, -1)
        found = sheet.hits(Written(example.codes, example.bars, example.parts_of, inside, none, none * 0.0))
        assert [strokes(bar) for bar in found] == [strokes(bar) for bar in repeated(groove.bars, len(found))]


@pytest.mark.parametrize("name", ["rock", "jazz", "disco", "salsa"])
def test_the_backbone_stays_whatever_the_network_says(model, name):
    style = load_style(name)
    for groove in grooves_of(style)[:3]:
        sheet = sheet_of(style, groove)
        scribe = Scribe(model, sheet.page(), rules={0: sheet.rules()})
        for written in scribe.write([np.random.default_rng(i) for i in range(2)], max_steps=STEPS):
            for bar, book in zip(sheet.hits(written), repeated(groove.bars, sheet.hole[0]), strict=True):
                assert strokes(bar) >= {(hit.tick, hit.drum) for hit in book if sheet.is_certain(hit)}
                new = [hit for hit in bar if (hit.tick, hit.drum) not in strokes(book)]
                assert all(hit.drum in FREE for hit in new)
                assert all(hit.mark in "go" for hit in new if hit.drum == "snare")
                assert all(hit.tick % 960 for hit in new)
                assert all(0 <= hit.tick < 3840 for hit in bar)


class Contrast:
    """A network that writes like the tiny one and finds one row of a batch likelier when the style is said."""

    def __init__(self, model, favourite):
        self.model, self.favourite = model, favourite

    def __getattr__(self, name):
        return getattr(self.model, name)

    def nats(self, codes, features, mask):
        found = np.where(mask, 2.0, 0.0)
        rows = len(codes) // 2
        found[rows + self.favourite % rows] /= 2
        return found


def test_the_groove_that_the_style_explains_best_is_played(model):
    style = load_style("rock")
    groove = grooves_of(style)[0]
    sheet = sheet_of(style, groove)
    candidates = [repeated(groove.bars, 1), [groove.bars[0][:-1]], [groove.bars[0][:-2]]]
    candidates = [tuple(map(tuple, bars)) for bars in candidates]
    for favourite in range(3):
        best = LearnedDrummer(Contrast(model, favourite))._best(sheet, candidates)
        assert best == candidates[favourite]
    same = LearnedDrummer(Contrast(model, 1))._best(sheet, [candidates[0], candidates[0] * 2])
    assert same == candidates[0] * 2  # the same strokes are no choice


def test_louder_grooves_stay_fuller(model):
    style = load_style("funk")
    grooves = grooves_of(style)
    drummer = LearnedDrummer(Contrast(model, 1), attempts=3)
    played = drummer.play(plan_of_four(style), style, part_of(style), grooves, seed=3)
    per_bar = [
        (sum(map(len, b)) / len(b), sum(map(len, g.bars)) / len(g.bars), g)
        for b, g in zip(played, grooves, strict=True)
    ]
    assert any(bars != groove.bars for bars, groove in zip(played, grooves, strict=True))
    for mine, book, groove in per_bar:
        assert THINNEST * book <= mine <= FULLEST * book
        for other, other_book, louder in per_bar:
            if louder.intensity > groove.intensity and other_book >= book:
                assert other >= mine


@pytest.mark.parametrize(
    ("name", "meter"), [("house", (4, 4)), ("guofeng", (4, 4)), ("rock", (3, 4)), ("rock", (6, 8))]
)
def test_what_no_drummer_was_heard_in_stays_the_books(model, name, meter):
    style = load_style(name)
    plan, grooves = plan_of_four(style, meter), [Groove(0, ((),), 0.5)]
    assert LearnedDrummer(model).play(plan, style, part_of(style), grooves, seed=0) == [((),)]


def test_silence_stays_silent(model):
    style = load_style("rock")
    played = LearnedDrummer(model).play(plan_of_four(style), style, part_of(style), [Groove(0, ((),), 0.5)], seed=0)
    assert not any(bar for bars in played for bar in bars)


def test_a_drummer_plays_the_grooves_and_the_book_what_joins_them():
    style = load_style("rock")
    plan, part = plan_of_four(style), part_of(style)

    class Sparse:
        def play(self, plan, style, part, grooves, *, seed):
            return [tuple(tuple(h for h in bar if h.drum in ("kick", "snare")) for bar in g.bars) for g in grooves]

    sections = {s.label: s.energy for s in plan.sections}
    book = write_drums(plan, style, part, sections, seed=1)
    sparse = write_drums(plan, style, part, sections, seed=1, drummer=Sparse())
    where = {(n.start_ticks, n.pitch) for n in book}
    assert {(n.start_ticks, n.pitch) for n in sparse} < where
    crashes = [n.start_ticks for n in book if n.pitch in (49, 57)]
    assert crashes and crashes == [n.start_ticks for n in sparse if n.pitch in (49, 57)]


def test_the_shipped_drummer_plays_the_same_with_any_number_of_threads():
    style = load_style("funk")
    plan, part = plan_of_four(style), part_of(style)
    sections = {s.label: s.energy for s in plan.sections}
    takes = [
        write_drums(plan, style, part, sections, seed=6, drummer=LearnedDrummer(load_composer(threads=n)))
        for n in (1, 2)
    ]
    assert takes[0] == takes[1] != write_drums(plan, style, part, sections, seed=6)


def test_judges_with_a_drummer_are_learned(model):
    assert Judges(drummer=LearnedDrummer(model)).name == "learned"
    assert isinstance(judges_of(model).drummer, LearnedDrummer)
    assert replace(judges_of(model), drummer=None).name == "learned"
