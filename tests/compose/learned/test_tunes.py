"""A network beside the table of pitches: it judges what the whole sequence says, and the rules still hold."""

import numpy as np
import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song, instrumental_draft, style_of
from songwright.compose.judges import Judges
from songwright.compose.learned.tunes import TuneNetwork, _without
from songwright.compose.melody.features import INTERVALS
from songwright.compose.melody.phrase_plan import PhrasePlan, Setting
from songwright.compose.melody.pitch import Past
from songwright.compose.tokens.tracker import Tracker
from songwright.compose.tokens.vocabulary import VALUE, VALUES
from songwright.neural.sampling import log_softmax

torch = pytest.importorskip("torch")

from tiny_composer import tiny_composer  # noqa: E402

SLOTS = ((-2, 2), (0, 4), (4, 4), (10, 6), (16, 2), (20, 8))


@pytest.fixture(scope="module")
def network():
    return TuneNetwork(tiny_composer(), particles=3)


@pytest.fixture(scope="module")
def setting():
    brief = Brief(styles=("rock",), seed=1, duration_seconds=60.0)
    style = style_of(brief)
    draft = instrumental_draft(brief, style)
    return Setting(draft.plan, style, draft.chords)


def test_scores_are_those_of_the_whole_sequence(network, setting):
    """What a particle is told note by note is what the network says of its tune when it sees it whole."""
    plan = PhrasePlan(8 * setting.plan.bar_ticks, 2)
    reader = network.begin(plan, setting, SLOTS, Past(((-8, 4), (-4, 7))), 0)
    tunes = np.array([[4, 5, 7, 9, 7, 5], [0, 0, 2, 4, 5, 7], [7, 5, 4, 2, 0, 0]])
    told = []
    before = np.array([4, 4, 4])
    for k in range(len(SLOTS)):
        scores = reader.scores(before)
        assert scores.shape == (3, len(INTERVALS))
        told.append(np.take_along_axis(scores, (tunes[:, k] - before + 12)[:, None], axis=1)[:, 0])
        before = tunes[:, k]
        reader.feed(before)
    for row in range(3):
        codes = reader.tunes[row]
        tracker, columns = Tracker(_without(reader.example, int(reader.places[0]))), []
        for t in range(codes.shape[1]):
            columns.append(tracker.features.copy())
            tracker.feed(codes[:, t], int(reader.example.parts_of[t]), reader.follows[t])
        with torch.no_grad():
            logits = network.model.model(
                torch.tensor(codes)[None], torch.tensor(np.stack(columns, axis=1), dtype=torch.int64)[None]
            )
        span = VALUES["pitch"]
        said = log_softmax(logits[VALUE][0, :, span.start : span.stop].numpy())
        own = [said[t, codes[VALUE, t] - span.start] for t in reader.places]
        assert np.allclose([column[row] for column in told], own, atol=1e-3)


def test_particles_share_a_row_until_they_part(network, setting):
    plan, past = PhrasePlan(8 * setting.plan.bar_ticks, 2), Past(((-8, 4), (-4, 7)))
    five = TuneNetwork(network.model, particles=5)
    tunes = np.array([[4, 5, 7], [4, 5, 5], [0, 2, 4], [4, 5, 7], [0, 2, 4]])
    reader = five.begin(plan, setting, SLOTS, past, 0)
    told, before = [], np.full(5, 4)
    for notes, rows in zip(tunes.T, (2, 2, 3), strict=True):
        told.append(reader.scores(before))
        reader.feed(notes)
        assert len(reader.trackers) == rows
        before = notes
    told.append(reader.scores(before))
    for scores in told:
        assert np.array_equal(scores[0], scores[3]) and np.array_equal(scores[2], scores[4])
    assert not np.array_equal(told[-1][0], told[-1][1])
    for some in ([0, 1, 2], [4, 3, 1]):  # whoever else sings, a tune is told the same
        reader, before = network.begin(plan, setting, SLOTS, past, 0), np.full(3, 4)
        for scores, notes in zip(told, [*tunes[some].T, None], strict=True):
            assert np.allclose(reader.scores(before), scores[some], atol=1e-4)
            if notes is not None:
                reader.feed(notes)
                before = notes


def test_one_tune_alone_still_has_two_rows(network, setting):
    reader = network.begin(PhrasePlan(8 * setting.plan.bar_ticks, 2), setting, SLOTS, Past(), 0)
    reader.scores(np.full(3, 4))
    reader.feed(np.full(3, 5))
    assert len(reader.trackers) == 2
    assert len({tuple(row) for row in reader.scores(np.full(3, 5)).tolist()}) == 1


def test_an_upbeat_before_the_song_is_not_judged(network, setting):
    reader = network.begin(PhrasePlan(0, 2), setting, SLOTS, Past(), 0)
    assert (reader.scores(np.array([4, 4, 4])) == 0).all()
    reader.feed(np.array([4, 5, 6]))
    assert (reader.scores(np.array([4, 5, 6])) < 0).all()


@pytest.mark.parametrize("instrumental", [True, False])
def test_songs_keep_the_rules(network, instrumental):
    brief = Brief(styles=("pop",), seed=3, duration_seconds=40.0, instrumental=instrumental)
    song, plain = compose_song(brief, judges=Judges(tunes=network)), compose_song(brief)
    assert song.provenance["composer"] == "learned"
    assert song.chords == plain.chords
    lead = next(t for t in song.tracks if t.role in ("vocal", "melody"))
    other = next(t for t in plain.tracks if t.id == lead.id)
    assert lead.notes != other.notes
    assert compose_song(brief, judges=Judges(tunes=network)) == song
