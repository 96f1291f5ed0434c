"""Examples cut from pieces: what they hold, what is learned, and features that can be computed while writing."""

import copy
import dataclasses

import numpy as np
import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.learned.scribe import follows_of
from songwright.compose.tokens.augment import frame_shift, shift_velocities, transpose
from songwright.compose.tokens.bars import key_number, key_of
from songwright.compose.tokens.controls import UNSAID, measure
from songwright.compose.tokens.decode import decode, decode_grid
from songwright.compose.tokens.draw import DrawSettings, draw_choice
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.features import FEATURE_SIZES, NAMES, features, word_plan
from songwright.compose.tokens.piece import HARMONY_ROLE, KIND_OF_ROLE, TARGET_KINDS, Part, index_piece, part_events
from songwright.compose.tokens.tracker import Tracker
from songwright.compose.tokens.vocabulary import KIND, LENGTH, POSITION, ROLES, VALUE, VALUES, VELOCITY, WORD, Kind
from songwright.compose.tokens.windows import Choice, ChosenPart, build
from songwright.errors import InputError
from songwright.score.song import KeyChange, Note, Section, Song, Track
from songwright.score.theory import Key
from songwright.seeding import generator

ENDS = (Kind.TRACK, Kind.BAR, Kind.FILL, Kind.EOS)
MANY_HOLES = DrawSettings(hole=0.6)


@pytest.fixture(scope="module")
def pieces():
    """A sung song, one with swing, and one in three."""
    briefs = [
        Brief(styles=("rock",), seed=3, vocal=True, duration_seconds=60),
        Brief(styles=("jazz",), seed=3, instrumental=True, duration_seconds=50),
        Brief(styles=("waltz",), seed=4, vocal=True, duration_seconds=50),
    ]
    return [index_piece(encode(compose_song(brief)).codes) for brief in briefs]


def examples(pieces, count, settings=MANY_HOLES, steps=500):
    """Yields drawn examples of every piece."""
    for which, piece in enumerate(pieces):
        for number in range(count):
            random = generator(7, "example", which, number)
            choice = draw_choice(piece, steps, settings, random)
            yield piece, choice, build(piece, choice)


def walked(example, tracker):
    """Returns the features that a tracker gives, column by column."""
    out = np.zeros((len(NAMES), example.num_steps), dtype=np.int16)
    kinds = example.codes[KIND]
    following, after = [None] * len(kinds), None
    for step in reversed(range(len(kinds))):
        following[step] = after
        after = Kind(int(kinds[step])) if kinds[step] in ENDS else after
    for step in range(len(kinds) - 1):
        tracker.feed(example.codes[:, step], int(example.parts_of[step]), following[step])
        out[:, step + 1] = tracker.features
    return out


def emptied(example):
    """Returns an example with nothing in what is to be written but TRACK."""
    keep = ~example.targets | (example.codes[KIND] == Kind.TRACK)
    fill = int(np.count_nonzero(keep[: example.fill]))
    kept = {"codes": example.codes[:, keep], "bars": example.bars[keep], "parts_of": example.parts_of[keep]}
    return dataclasses.replace(example, mask=np.zeros_like(example.mask[:, keep]), fill=fill, **kept)


def test_features_can_be_computed_while_writing(pieces):
    for _, _, example in examples(pieces, 12):
        whole = features(example)
        assert whole.min() >= 0 and (whole.max(axis=1) < FEATURE_SIZES).all()
        words = {i: plan for i in range(len(example.parts)) if (plan := word_plan(example, i)) is not None}
        blank = emptied(example)
        assert not (blank.targets & (blank.codes[KIND] == Kind.NOTE)).any()
        found = walked(example, Tracker(blank, words))
        wrong = [NAMES[k] for k in np.flatnonzero((found != whole).any(axis=1))]
        assert not wrong


def test_a_fork_goes_on_by_itself(pieces):
    for _, _, example in examples(pieces, 3):
        follows = follows_of(example.codes[KIND])
        events = [(example.codes[:, i], int(example.parts_of[i]), follows[i]) for i in range(example.num_steps)]
        half = example.num_steps // 2
        tracker = Tracker(example)
        for event in events[:half]:
            tracker.feed(*event)
        forks = [tracker.fork(), tracker.fork(), copy.deepcopy(tracker)]
        for event in events[half:]:
            other = event[0].copy()
            if other[KIND] == Kind.NOTE:
                other[VALUE] += 1
            forks[1].feed(other, *event[1:])  # what one fork hears is not heard by the others
            for fork in (forks[0], forks[2]):
                fork.feed(*event)
            assert np.array_equal(forks[0].features, forks[2].features)
        for event in events[half:]:
            tracker.feed(*event)
        assert np.array_equal(tracker.features, forks[0].features)


def test_features_do_not_look_at_what_is_to_be_written(pieces):
    for _, _, example in examples(pieces, 4):
        whole = features(example)
        written = example.targets & np.isin(example.codes[KIND], (Kind.NOTE, Kind.CHORD))
        at = int(np.flatnonzero(written)[np.count_nonzero(written) // 2])
        codes = example.codes.copy()
        later = written & (np.arange(example.num_steps) >= at)
        codes[VALUE, later] += 1
        changed = features(dataclasses.replace(example, codes=codes))
        assert np.array_equal(changed[:, : at + 1], whole[:, : at + 1])
        assert not np.array_equal(changed, whole)


def test_examples_fit_and_decode(pieces):
    holes = 0
    for piece, choice, example in examples(pieces, 10):
        holes += choice.hole is not None
        assert example.num_steps <= 500 or choice.stop - choice.start == 1
        grid = decode_grid(example.codes)
        assert grid.bar_steps.tolist() == piece.bar_steps[choice.start : choice.stop].tolist()
        assert [p.role for p in grid.players] == [c.part.role for c in choice.parts if c.part.role != HARMONY_ROLE]
        assert (example.codes[KIND, example.fill] == Kind.FILL) if choice.hole else example.fill == example.num_steps
        back = transpose(example.codes, -choice.shift)
        for chosen in choice.parts:
            place = [(part.role, part.slot) for part in piece.parts].index((chosen.part.role, chosen.part.slot))
            events, _ = part_events(piece, place, choice.start, choice.stop)
            mine = (example.parts_of == choice.parts.index(chosen)) & (example.codes[KIND] != Kind.TRACK)
            assert sorted(events[VALUE].tolist()) == sorted(back[VALUE, mine].tolist())
    assert holes


def test_a_whole_song_in_one_example_is_the_song(pieces):
    piece = pieces[2]
    stop = min(piece.num_bars, 32)
    parts = tuple(ChosenPart(part) for part in piece.parts)
    example = build(piece, Choice(0, stop, parts))
    song, window = decode(piece.codes), decode(example.codes)
    end = window.duration_ticks
    assert window.chords[:-1] == tuple(c for c in song.chords if c.end_ticks < end)[: len(window.chords) - 1]
    for track in window.tracks:
        assert [n.start_ticks for n in track.notes] == [
            n.start_ticks for n in song.track(track.id).notes if n.start_ticks < end
        ]


def test_the_mask_covers_what_is_to_be_written_and_nothing_else(pieces):
    for _, choice, example in examples(pieces, 6):
        kinds, mask, targets = example.codes[KIND], example.mask, example.targets
        assert mask.any()
        assert not mask[:, example.bars < 0][1:].any()
        stray = mask[KIND] & ~targets
        before = np.append(False, targets[:-1])
        assert (before[stray] & np.isin(kinds[stray], ENDS)).all()
        assert not mask[1:, stray].any()
        assert (example.codes[POSITION][mask[POSITION]] > 0).all()
        assert (example.codes[VALUE][mask[VALUE]] > 0).all()
        assert (example.codes[VELOCITY][mask[VELOCITY]] > 0).all()
        if choice.hole:
            after = (example.bars >= choice.hole[1]) & (np.arange(len(kinds)) < example.fill)
            assert not mask[POSITION, after].any()


def test_the_unheard_is_not_learned(pieces):
    piece = pieces[0]
    codes = piece.codes.copy()
    notes = codes[KIND] == Kind.NOTE
    codes[VELOCITY, notes], codes[WORD] = 20, 0
    flat = index_piece(codes)
    example = build(flat, Choice(0, 8, tuple(ChosenPart(part) for part in flat.parts)))
    assert not example.mask[VELOCITY].any() and not example.mask[WORD].any()
    drums = example.codes[VALUE] > 128
    assert not example.mask[LENGTH, drums & (example.codes[KIND] == Kind.NOTE)].any()


def test_drawing_is_a_function_of_the_generator(pieces):
    first = [example.codes.tobytes() for _, _, example in examples(pieces, 3)]
    again = [example.codes.tobytes() for _, _, example in examples(pieces, 3)]
    assert first == again and len(set(first)) == len(first)


def test_weights_decide_what_is_written_first(pieces):
    only = DrawSettings(
        part_weights={kind: float(kind == "bass") for kind in TARGET_KINDS}, everything=0.0, onwards=0.0, solo=1.0
    )
    for _, choice, _ in examples(pieces, 5, only):
        targets = [TARGET_KINDS[KIND_OF_ROLE[c.part.role]] for c in choice.parts if c.is_target]
        assert targets == ["bass"]


def test_impossible_choices_are_refused(pieces):
    parts = (ChosenPart(pieces[0].parts[0]),)
    for choice in (Choice(3, 3, parts), Choice(0, 40, parts), Choice(0, 4, parts, hole=(2, 9))):
        with pytest.raises(InputError):
            build(pieces[0], choice)


def test_transposing_there_and_back_changes_nothing(pieces):
    codes = pieces[1].codes
    for semitones in (-5, 3, 6):
        moved = transpose(codes, semitones)
        assert np.array_equal(transpose(moved, -semitones), codes)
        was, now = decode(codes), decode(moved)
        for before, after in zip(was.tracks, now.tracks, strict=True):
            shift = 0 if before.is_drums else semitones
            assert [n.pitch + shift for n in before.notes] == [n.pitch for n in after.notes]


def test_all_keys_share_one_frame():
    for tonic in range(12):
        for mode, at in (("major", 0), ("minor", 9), ("dorian", 2), ("mixolydian", 7), ("harmonic_minor", 9)):
            number = key_number(Key(tonic, mode))
            assert key_of(number) == Key(tonic, mode)
            shift = frame_shift(number)
            assert (tonic + shift) % 12 == at and -6 <= shift <= 6


def test_louder_stays_within_levels(pieces):
    codes = pieces[0].codes
    moved = shift_velocities(codes, 40)
    notes = codes[KIND] == Kind.NOTE
    assert set(moved[VELOCITY, notes].tolist()) == {32}
    assert np.array_equal(moved[:, ~notes], codes[:, ~notes])


def test_controls_measure_what_they_say():
    def part(rows):
        events = np.zeros((6, len(rows)), dtype=np.int16)
        events[KIND] = Kind.NOTE
        events[POSITION], events[VALUE] = [1 + r[1] for r in rows], [1 + r[2] for r in rows]
        return events, np.array([r[0] for r in rows])

    role = ROLES.index("melody")
    steps = np.array([96, 96])
    sparse = measure(*part([(0, 0, 60), (1, 0, 60)]), role, steps)
    busy = measure(*part([(b, p, 60) for b in (0, 1) for p in range(0, 96, 12)]), role, steps)
    high = measure(*part([(0, 0, 84), (1, 0, 84)]), role, steps)
    thick = measure(*part([(b, 0, p) for b in (0, 1) for p in (60, 64, 67)]), role, steps)
    assert sparse[0] < busy[0] and sparse[1] < high[1] and sparse[2] < thick[2] and sparse[3] < busy[3]
    assert sparse[4] == busy[4] == 5
    assert measure(*part([(0, 0, 60), (1, 12, 60)]), role, steps)[4] == 0
    assert measure(*part([]), role, steps) == (0, UNSAID, UNSAID, UNSAID, UNSAID)
    assert measure(*part([(0, 0, 36)]), ROLES.index("drums"), steps)[1] == UNSAID


def test_some_parts_are_said_to_be_played_by_others(pieces):
    often = DrawSettings(swap=0.6, unsaid=0.0)
    said = [(piece, choice, example) for piece, choice, example in examples(pieces, 8, often)]
    moved = total = 0
    for piece, choice, example in said:
        own = {(part.role, part.slot): part.instrument for part in piece.parts}
        for chosen in choice.parts:
            total += 1
            moved += own[chosen.part.role, chosen.part.slot] != chosen.part.instrument
            if chosen.part.role == HARMONY_ROLE:
                assert chosen.part.instrument == -1
        assert example.style == (piece.style if choice.style is None else choice.style)
        styles = example.codes[VALUE, example.codes[KIND] == Kind.STYLE].tolist()
        assert styles == [VALUES["style"].start + example.style]
    assert 0.2 * total < moved < 0.8 * total
    assert any(choice.style is not None for _, choice, _ in said)


def test_parts_can_be_asked_for_where_nothing_sounds_yet():
    form = Song(
        style="pop",
        duration_ticks=8 * 3840,
        keys=(KeyChange(0, "D major"),),
        sections=(Section("a", "verse", 0, 4 * 3840, 0.4), Section("b", "chorus", 4 * 3840, 4 * 3840, 0.9)),
    )
    piece = index_piece(encode(form).codes)
    roles = ("harmony", "melody", "drums")
    seats = [Part(ROLES.index(role), 0, -1 if role == "harmony" else 20) for role in roles]
    wanted = tuple(ChosenPart(part, True, (3, 4, 0, 1, 5)) for part in seats)
    example = build(piece, Choice(0, 8, wanted, shift=frame_shift(int(piece.keys[0]))))
    assert np.count_nonzero(example.codes[KIND] == Kind.TRACK) == 24
    told = features(example)
    assert np.array_equal(told, walked(example, Tracker(example)))
    assert told[NAMES.index("left"), -2] == 1 and told[NAMES.index("density"), -2] == 4
    assert decode(example.codes).keys[0].key == "C major"


@pytest.mark.parametrize("hole", [None, (0, 1), (1, 2)])
@pytest.mark.parametrize("places", [(), (0,), (1,), (2,), (0, 1), (0, 1, 2)])
def test_the_fewest_notes_are_enough(hole, places):
    notes = tuple(Note(3840 * bar, 480, 60, 80) for bar in places)
    tracks = (Track("a", "melody", "flute", notes=notes), Track("b", "bass", "acoustic_bass"))
    piece = index_piece(encode(Song(duration_ticks=3 * 3840, tracks=tracks)).codes)
    for is_target in (True, False):
        parts = (
            ChosenPart(Part(ROLES.index("melody"), 0, 73), is_target),
            ChosenPart(Part(ROLES.index("bass"), 0, 32)),
        )
        example = build(piece, Choice(0, 3, parts, hole))
        assert np.array_equal(features(example), walked(example, Tracker(emptied(example))))
