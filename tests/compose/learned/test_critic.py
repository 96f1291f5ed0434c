"""Every term of the critic hears the fault that it is there for; the critic prefers music to spoilt music."""

import json
from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.learned.critic import (
    LIKELIHOOD,
    TABLE_FILE,
    Critic,
    Verdict,
    Weighing,
    choose,
    cost,
    load_critic,
    read_critic,
)
from songwright.compose.learned.critic_terms import TERMS
from songwright.compose.learned.critic_view import hear
from songwright.errors import ConfigError, InputError
from songwright.score.song import ChordSpan, Note, Song, Track
from songwright.score.theory import parse_key

BAR = 3840
TUNE, BASS, DRUMS, BACKING = ("melody", "vocal"), ("bass",), ("drums",), ("chords", "pad", "counter_melody")


@pytest.fixture(scope="module")
def song():
    return compose_song(Brief(styles=("pop",), seed=105, instrumental=True))


@pytest.fixture(scope="module")
def even():
    """The critic with all terms weighed alike, so that no term can hide."""
    return Critic({name: replace(w, weight=1.0) for name, w in load_critic().weighings.items()})


def changed(song, roles, change):
    """Returns the song with other notes in the tracks of some roles; `change` gets all of a track's notes."""
    tracks = [replace(t, notes=tuple(sorted(change(list(t.notes))))) if t.role in roles else t for t in song.tracks]
    return replace(song, tracks=tuple(tracks))


def pitches(roles, pattern):
    return lambda song: changed(
        song, roles, lambda notes: [replace(n, pitch=60 + p) for n, p in zip(notes, cycle(pattern), strict=False)]
    )


def moved(roles, semitones=0, ticks=0):
    def move(notes):
        return [replace(n, pitch=n.pitch + semitones, start_ticks=n.start_ticks + ticks) for n in notes]

    return lambda song: changed(song, roles, move)


def one_note_a_bar(song):
    return changed(song, TUNE, lambda notes: [Note(s, 480, 72, 90) for s in song.bar_starts()])


def looped(roles, bars=1):
    """The busiest bar of each track over and over."""

    def loop(notes):
        if not notes:
            return notes
        counts = np.bincount([n.start_ticks // (bars * BAR) for n in notes])
        low = int(counts.argmax()) * bars * BAR
        mine = [n for n in notes if low <= n.start_ticks < low + bars * BAR]
        end = notes[-1].start_ticks
        return [replace(n, start_ticks=n.start_ticks - low + o) for o in range(0, end, bars * BAR) for n in mine]

    return lambda song: changed(song, roles, loop)


def bars_shuffled(song):
    starts = song.bar_starts()
    order = np.random.default_rng(0).permutation(len(starts))
    return changed(
        song, TUNE, lambda notes: [replace(n, start_ticks=int(order[n.start_ticks // BAR]) * BAR + n.start_ticks % BAR)
                                   for n in notes]
    )  # fmt: skip


def scattered(roles):
    def scatter(notes):
        random = np.random.default_rng(1)
        return [replace(n, start_ticks=n.start_ticks // BAR * BAR + 240 * int(random.integers(16))) for n in notes]

    return lambda song: changed(song, roles, scatter)


def chords(symbols, length=BAR):
    """Chords of one length; the song's key is C major."""

    def write(song):
        starts = range(0, song.duration_ticks, length)
        spans = [ChordSpan(s, length, c) for s, c in zip(starts, cycle(symbols), strict=False)]
        return replace(song, chords=tuple(spans), keys=(replace(song.keys[0], key="C major"),))

    return write


def chords_late(song):
    return replace(song, chords=tuple(replace(c, start_ticks=c.start_ticks + 480) for c in song.chords[:-1]))


def chords_restless(song):
    steps = [1, 3, 2, 5, 1, 1, 4, 2, 7, 3, 6, 1]
    spans, at = [], 0
    for i, (step, chord) in enumerate(zip(cycle(steps), cycle(["C", "Am", "F", "G"]), strict=False)):
        if at >= song.duration_ticks:
            break
        spans.append(ChordSpan(at, 960 * step, chord if i % 3 else "Dm"))
        at += 960 * step
    return replace(song, chords=tuple(spans))


def roles_swapped(song):
    other = {"verse": "chorus", "chorus": "verse"}
    return replace(song, sections=tuple(replace(s, role=other.get(s.role, s.role)) for s in song.sections))


def equally_busy(song):
    return only(*TUNE)(one_note_a_bar(song))


def bass_follows_tune(song):
    notes = tuple(replace(n, pitch=n.pitch - 24) for t in song.tracks if t.role in TUNE for n in t.notes)
    return replace(song, tracks=tuple(replace(t, notes=notes) if t.role == "bass" else t for t in song.tracks))


def octaves_apart(roles):
    return lambda song: changed(
        song, roles, lambda notes: [replace(n, pitch=n.pitch + 24 * (n.start_ticks // BAR % 2)) for n in notes]
    )


def few_bars(song):
    return changed(song, TUNE, lambda notes: [n for n in notes if n.start_ticks // BAR % 16 < 1])


def held_notes(song):
    def shift(notes):
        return [replace(n, start_ticks=n.start_ticks // 960 * 960 + 720, duration_ticks=960) for n in notes]

    return changed(song, TUNE, shift)


def same_velocity(song):
    return changed(song, DRUMS, lambda notes: [replace(n, velocity=90) for n in notes])


def snare_on_kicks(song):
    def double(notes):
        kept = [n for n in notes if n.pitch not in (37, 38, 39, 40)]
        return kept + [replace(n, pitch=38) for n in notes if n.pitch in (35, 36)]

    return changed(song, DRUMS, double)


def short_notes(song):
    return changed(song, TUNE, lambda notes: [replace(n, duration_ticks=100) for n in notes])


def unstable(song):
    degree = parse_key(song.keys[0].key).tonic + 2
    return changed(song, TUNE, lambda notes: [replace(n, pitch=60 + degree) for n in notes])


def only(*roles):
    return lambda song: replace(song, tracks=tuple(t for t in song.tracks if t.role in roles))


strange = chords(["Eb", "A"])
WORSE = {
    "strong_beats_on_chord": moved(TUNE, 1),
    "tune_on_chord": moved(TUNE, 1),
    "dissonance_by_step": pitches(TUNE, (0, 13, 5, 18)),
    "leap_recovery": pitches(TUNE, (0, 8, 16, 24)),
    "mean_interval": pitches(TUNE, (0, 15)),
    "wide_leaps": pitches(TUNE, (0, 15)),
    "tune_range": pitches(TUNE, (0,)),
    "one_climax": pitches(TUNE, (0, 4)),
    "arch": pitches(TUNE, (0, 4, 0, 4)),
    "in_scale": moved(TUNE, 1),
    "turns": pitches(TUNE, (0, 4)),
    "phrase_ends_on_chord": moved(TUNE, 1),
    "phrase_ends_stable": unstable,
    "phrase_ends_held": short_notes,
    "phrase_length": one_note_a_bar,
    "rests": few_bars,
    "notes_per_bar": one_note_a_bar,
    "rhythm_variety": one_note_a_bar,
    "syncopation": held_notes,
    "off_beats": moved(TUNE, 0, 240),
    "rhythm_returns": looped(TUNE),
    "motif_returns": looped(TUNE),
    "motif_varied": looped(TUNE),
    "motif_order": bars_shuffled,
    "joints": octaves_apart(TUNE),
    "cadences": strange,
    "changes_on_strong_beats": chords_late,
    "steady_harmonic_rhythm": chords_restless,
    "chords_per_bar": chords(["C", "F", "G", "C"], 480),
    "diatonic": strange,
    "strong_progressions": strange,
    "common_tones": strange,
    "chord_variety": strange,
    "tonic_share": strange,
    "chords_return": chords_restless,
    "ends_at_home": strange,
    "clashes": moved(TUNE, 1),
    "bass_on_root": moved(BASS, 1),
    "bass_on_chord": moved(BASS, 1),
    "bass_moves": pitches(BASS, (0, 15)),
    "parallels": bass_follows_tune,
    "comping_leads": octaves_apart(BACKING),
    "backing_on_chord": moved(BACKING, 1),
    "groove_steady": scattered(DRUMS),
    "backbeat": scattered(DRUMS),
    "kick_on_one": scattered(DRUMS),
    "drums_on_beat": moved(DRUMS, 0, 240),
    "kick_and_snare_apart": snare_on_kicks,
    "touch": same_velocity,
    "fills": looped(DRUMS),
    "bass_with_kick": moved(BASS, 0, 240),
    "bass_steady": scattered(BASS),
    "chorus_lift": roles_swapped,
    "chorus_higher": roles_swapped,
    "sections_return": scattered(TUNE),
    "sections_differ": equally_busy,
}


def test_every_term_has_a_song_that_is_worse():
    assert set(WORSE) == set(TERMS)


@pytest.mark.parametrize("name", sorted(TERMS))
def test_a_term_hears_its_fault(name, song, even):
    good, bad = even.score(song), even.score(WORSE[name](song))
    assert name in good.measured and name in bad.measured
    assert bad.terms[name] < good.terms[name] - 0.5, (good.measured[name], bad.measured[name])


@pytest.mark.parametrize("spoil", [moved(TUNE, 1), strange, scattered(TUNE), scattered(DRUMS), moved(BASS, 1)])
def test_the_critic_prefers_music(spoil, song):
    critic = load_critic()
    assert critic.score(spoil(song)).total < critic.score(song).total


def test_a_verdict_is_the_sum_of_its_terms_and_the_same_every_time(song):
    verdict = load_critic().score(song)
    assert verdict.total == pytest.approx(sum(verdict.terms.values()))
    assert verdict == load_critic().score(song)
    assert all(verdict.terms[name] < 0 for name in verdict.worst())


def test_transposing_changes_nothing(song):
    parts = [t for t in song.tracks if t.role in ("melody", "bass")]
    bare = replace(song, tracks=tuple(parts), chords=chords(["C", "Am", "F", "G"])(song).chords, keys=song.keys)
    bare = replace(bare, keys=(replace(song.keys[0], key="C major"),))
    up = changed(bare, ("melody", "bass"), lambda notes: [replace(n, pitch=n.pitch + 2) for n in notes])
    up = replace(up, chords=chords(["D", "Bm", "G", "A"])(song).chords, keys=(replace(song.keys[0], key="D major"),))
    assert load_critic().score(up).total == pytest.approx(load_critic().score(bare).total)


@pytest.mark.parametrize(
    "empty",
    [
        Song(),
        Song(duration_ticks=BAR),
        Song(duration_ticks=8 * BAR, tracks=(Track("a", "melody", "acoustic_piano", notes=(Note(0, 960, 60, 80),)),)),
        Song(duration_ticks=8 * BAR, chords=(ChordSpan(0, 8 * BAR, "N.C."),)),
        Song(duration_ticks=8 * BAR, tracks=(Track("d", "drums", "standard_kit", notes=(Note(0, 240, 36, 80),)),)),
    ],
)
def test_what_holds_nothing_to_judge_costs_nothing(empty):
    verdict = load_critic().score(empty)
    assert abs(verdict.total) < 5 and set(verdict.terms) == set(TERMS)
    assert all(np.isfinite(value) for value in verdict.measured.values())
    assert hear(empty).num_bars >= 1


def test_costs_count_on_the_wrong_side_and_have_an_end():
    assert cost(3.0, 1.0, 1.0, "low") == 0.0 == cost(-3.0, 1.0, 1.0, "high")
    assert cost(0.0, 1.0, 1.0, "low") == cost(2.0, 1.0, 1.0, "high") == cost(2.0, 1.0, 1.0, "both") == 1.0
    assert cost(-100.0, 1.0, 1.0, "both") == 9.0


def test_a_likelihood_counts_where_it_is_known(song):
    weighings = {**load_critic().weighings, LIKELIHOOD: Weighing(-1.0, 0.5, 0.5, 2.0)}
    critic = Critic(weighings)
    assert LIKELIHOOD not in critic.score(song).terms
    likely, unlikely = critic.score(song, -0.9), critic.score(song, -2.0)
    assert likely.total - critic.score(song).total == pytest.approx(1.0)
    assert unlikely.total < critic.score(song).total < likely.total


def test_the_best_is_chosen_and_the_first_of_equals(song):
    verdicts = [Verdict(v, {}, {}) for v in (0.0, 2.0, 2.0, 1.0)]
    assert choose([song] * 4, verdicts) == 1
    with pytest.raises(InputError, match="4 songs and 0 verdicts"):
        choose([song] * 4, [])


@pytest.mark.parametrize("damage", ["text", "lost", "unknown", "spread", "word", "list"])
def test_a_broken_table_is_one_line(damage, tmp_path):
    table = json.loads(TABLE_FILE.read_text())
    match damage:
        case "lost":
            del table["terms"]["clashes"]
        case "unknown":
            table["terms"]["beauty"] = table["terms"]["clashes"]
        case "spread":
            table["terms"]["clashes"]["spread"] = 0
        case "word":
            table["terms"]["clashes"]["weight"] = "much"
        case "list":
            table["terms"] = []
    path = tmp_path / "critic.json"
    path.write_text("{" if damage == "text" else json.dumps(table))
    with pytest.raises(ConfigError) as caught:
        read_critic(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
