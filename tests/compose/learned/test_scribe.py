"""Whatever the network says, what is written is music in the language: given parts stay, bars add up, ranges hold."""

import numpy as np
import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.learned.grammar import PartRules, Place
from songwright.compose.learned.scribe import Scribe, skeleton
from songwright.compose.tokens.decode import decode
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.piece import index_piece
from songwright.compose.tokens.vocabulary import KIND, POSITION, ROLES, VALUE, VALUES, Kind
from songwright.compose.tokens.windows import Choice, ChosenPart, build
from songwright.errors import InputError

torch = pytest.importorskip("torch")

from tiny_composer import STEPS, tiny_composer  # noqa: E402


@pytest.fixture(scope="module")
def model():
    return tiny_composer()


@pytest.fixture(scope="module")
def piece():
    return index_piece(encode(compose_song(Brief(styles=("rock",), seed=2))).codes)


def example(piece, targets=("melody", "bass"), given=("harmony", "drums"), hole=None, bars=(8, 14)):
    parts = {ROLES[part.role]: part for part in reversed(piece.parts)}
    chosen = [ChosenPart(parts[role], role in targets) for role in (*given, *targets)]
    return build(piece, Choice(*bars, tuple(chosen), hole=hole))


def write(model, made, seeds=(0, 1), **options):
    return Scribe(model, made, **options).write([np.random.default_rng(s) for s in seeds], max_steps=STEPS)


def events(written, part):
    return written.codes[:, written.free & (written.parts == part)], written.bars[
        written.free & (written.parts == part)
    ]


def test_what_is_written_is_in_the_language(model, piece):
    for written in write(model, example(piece), seeds=(0, 1, 2)):
        song = decode(written.codes.astype(np.int16))
        assert {track.role for track in song.tracks} >= {"drums"}


def test_given_parts_and_everything_outside_the_hole_stay(model, piece):
    made = example(piece, hole=(2, 4))
    bare, opens = skeleton(made)
    for written in write(model, made):
        kept = written.codes[:, ~written.free]
        assert np.array_equal(kept, bare.codes)
        assert opens.sum() == 4  # two parts in two bars
        assert set(written.bars[written.free].tolist()) <= {2, 3}


def test_bars_before_the_first_one_stay(model, piece):
    for written in write(model, example(piece), from_bar=4):
        assert written.bars[written.free].min() >= 4


def test_rules_hold(model, piece):
    major = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11))
    rules = {2: PartRules(60, 72, major, grid=(12,), lengths=(12,), least=(3,) * 6, most=6), 3: PartRules(36, 48)}
    for written in write(model, example(piece), rules=rules, seeds=range(4)):
        notes, bars = events(written, 2)
        pitches = notes[VALUE] - VALUES["pitch"].start
        assert pitches.min() >= 60
        assert pitches.max() <= 72
        assert major[pitches % 12].all()
        assert ((notes[POSITION] - 1) % 12 == 0).all()
        counts = np.bincount(bars, minlength=6)
        assert counts.min() >= 3
        assert counts.max() <= 6
        for bar in range(6):
            assert (np.diff(notes[POSITION, bars == bar]) > 0).all()  # a single voice


def test_wishes_that_leave_nothing_give_way(model, piece):
    nothing = PartRules(pitch_classes=np.zeros(12, dtype=bool), least=(1,) * 6)
    written = write(model, example(piece), rules={2: nothing})[0]
    assert events(written, 2)[0].shape[1] >= 6


def test_chords_and_drums(model, piece):
    allowed = np.zeros(VALUES["chord"].size, dtype=bool)
    allowed[1:4] = True
    made = example(piece, targets=("harmony", "drums"), given=("melody",))
    rules = {1: PartRules(chords=allowed, slash=False, least=(1,) * 6), 2: PartRules(drums=frozenset({36, 38}))}
    written = write(model, made, rules=rules)[0]
    chords, _ = events(written, 1)
    assert set((chords[VALUE] - VALUES["chord"].start).tolist()) <= {1, 2, 3}
    drums, _ = events(written, 2)
    assert set((drums[VALUE] - VALUES["drum"].start).tolist()) <= {36, 38}


def test_a_row_is_the_same_whatever_stands_beside_it(model, piece):
    three = write(model, example(piece), seeds=(5, 6, 7))
    alone = write(model, example(piece), seeds=(6,))[0]
    assert np.array_equal(three[1].codes, alone.codes)
    assert np.allclose(three[1].log_probabilities, alone.log_probabilities, atol=1e-4)
    assert not np.array_equal(three[0].codes, three[1].codes)


def test_rows_that_have_ended_leave_the_batch_and_the_others_do_not_notice(model, piece, monkeypatch):
    made, seeds = example(piece, targets=("melody",), given=("harmony",), bars=(8, 10)), (5, 6, 7, 8)
    alone = [write(model, made, seeds=(seed,))[0] for seed in seeds]
    assert len({written.codes.shape[1] for written in alone}) > 2
    asked = []
    reorder = type(model).reorder
    monkeypatch.setattr(
        type(model), "reorder", lambda self, rows: asked.append(rows.tolist()) or reorder(self, rows), raising=True
    )
    together = write(model, made, seeds=seeds)
    assert all(np.array_equal(one.codes, other.codes) for one, other in zip(alone, together, strict=True))
    assert asked[0] == [0, 0, 0, 0]  # what is given was read by one row
    assert [len(rows) for rows in asked[1:]] == sorted({len(rows) for rows in asked[1:]}, reverse=True)
    assert len(asked[-1]) == 2


def test_probabilities_are_those_of_the_whole_sequence(model, piece):
    """Sampled without rules, the nats of a row are those that the network gives to its events afterwards."""
    from songwright.compose.tokens.tracker import Tracker

    made = example(piece, targets=("melody",), given=("harmony",), bars=(8, 10))
    written = write(model, made, seeds=(3,))[0]
    scribe = Scribe(model, made)
    tracker, columns = Tracker(scribe.bare), []
    follows = [Kind(int(k)) for k in written.codes[KIND]]
    for t in range(written.codes.shape[1]):
        columns.append(tracker.features.copy())
        after = (k for k in follows[t + 1 :] if k in (Kind.TRACK, Kind.BAR, Kind.FILL, Kind.EOS))
        tracker.feed(written.codes[:, t], int(written.parts[t]), next(after, Kind.EOS))
    codes, features = (
        torch.tensor(written.codes)[None],
        torch.tensor(np.stack(columns, axis=1), dtype=torch.int64)[None],
    )
    with torch.no_grad():
        nats = model.model.nats(codes, features)[0].numpy()
    free = written.free
    # The grammar leaves out what cannot be, so what it chose is at least as likely as in the whole vocabulary.
    assert (-nats.sum(axis=0)[free] <= written.log_probabilities[free] + 1e-4).all()


def test_too_little_room_is_told(model, piece):
    with pytest.raises(InputError, match="leave no room"):
        Scribe(model, example(piece)).write([np.random.default_rng(0)], max_steps=40)


def test_masks_that_are_kept_are_those_of_the_rules_and_cannot_be_spoilt():
    place = Place(0, ROLES.index("melody"), 96, last=24, last_value=60, count=3)
    event = np.array([Kind.NOTE, 30, 0, 0, 0, 0])
    classes = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11))
    rules = PartRules(50, 70, pitch_classes=classes, grid=(6,), lengths=(12,), least=(9,))
    pitches = np.flatnonzero(rules.allow(VALUE, place, event)) - VALUES["pitch"].start
    assert pitches.tolist() == [p for p in range(50, 71) if classes[p % 12]]
    steps = np.flatnonzero(rules.allow(POSITION, place, event)) - 1
    assert steps.tolist() == list(range(0, 96 - 5 * 6, 6))  # the last five are for events that are due
    assert np.array_equal(rules.allow(POSITION, place, event), rules.allow(POSITION, place, event))
    with pytest.raises(ValueError, match="read-only"):
        rules.allow(VALUE, place, event)[:] = True
    drums = PartRules(drums=frozenset((36, 38)))
    struck = np.flatnonzero(drums.allow(VALUE, Place(0, ROLES.index("drums"), 96), event)) - VALUES["drum"].start
    assert struck.tolist() == [36, 38]
    chords = np.zeros(VALUES["chord"].size, dtype=bool)
    chords[[1, 5]] = True
    allowed = PartRules(chords=chords).allow(VALUE, Place(0, ROLES.index("harmony"), 96), event)
    assert (np.flatnonzero(allowed) - VALUES["chord"].start).tolist() == [1, 5]
