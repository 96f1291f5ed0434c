"""Network and tables are compared fairly: probabilities add up, bars count once, nothing is told too early."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import learned
import learned_band as band
import learned_harmony as harmony
import learned_reading as reading
import learned_tunes as tunes
import patterns
from songwright.collection.chord_names import spans
from songwright.compose.harmony.functions import NUM_FUNCTIONS
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.piece import index_piece
from songwright.compose.tokens.vocabulary import KIND, POSITION, VALUE, VALUES, VOCABULARY_SIZES, Kind
from songwright.neural.chosen import chosen_nats, told_features
from songwright.neural.language_model import LanguageModelConfig, MultiStreamLM
from songwright.score.song import TICKS_PER_QUARTER, KeyChange, MeterChange, Note, Section, Song, TempoChange, Track

torch.set_num_threads(1)
ROOT = Path(__file__).parents[1]
BAR = 4 * TICKS_PER_QUARTER
PITCHES = (0, 2, 4, 5, 7, 5, 4, 2)


class Fake:
    """A network that finds everything equally likely, or what is there certain."""

    max_steps = 400

    def __init__(self, *, knows: bool = False) -> None:
        self.knows = knows

    def distributions(self, codes, features, mask):
        """Yields its log-probabilities."""
        for stream, size in enumerate(VOCABULARY_SIZES):
            rows, steps = np.nonzero(mask[:, stream])
            table = np.full((len(rows), size), -np.log(size))
            if self.knows:
                table[:] = -np.inf
                table[np.arange(len(rows)), codes[rows, stream, steps]] = 0.0
            yield table

    def nats(self, codes, features, mask):
        """Returns its nats."""
        sizes = np.array(VOCABULARY_SIZES)[:, None]
        return mask * (0.0 if self.knows else np.log(sizes))


def tune(name="pop909/001", shift=0, bars=16):
    corpora = tunes.recipe_modules("melody", "corpora")["corpora"]
    notes = tuple((i * 2, 2, 60 + PITCHES[(i + i // 8 + shift) % 8]) for i in range(8 * bars))
    chords = tuple((16 * bar, 0, (0, 4, 7)) for bar in range(bars))
    return corpora.Tune(name, 0, "4/4", 0, notes, (True,) * len(notes), chords, tuple(range(0, bars, 4)), 100.0)


def song(symbols=("C", "Am", "F", "G7"), bars=8):
    rows = [(i * BAR // 2, symbols[(i + i // 8) % len(symbols)]) for i in range(2 * bars)]
    return Song(
        style="pop",
        duration_ticks=bars * BAR,
        tempos=(TempoChange(0, 100.0),),
        meters=(MeterChange(0, 4, 4),),
        keys=(KeyChange(0, "D major"),),
        sections=(Section("Verse", "verse", 0, bars * BAR, 0.5),),
        chords=spans(rows, bars * BAR),
        tracks=(Track("bass", "bass", "electric_bass_finger", notes=tuple(Note(i * BAR // 4, 800, 38 + i % 5, 80)
                                                                          for i in range(4 * bars))),),
    )  # fmt: skip


@pytest.mark.parametrize("before", [3, 60, 125])
def test_the_classes_of_intervals_share_all_pitches(before):
    random = np.random.default_rng(0)
    logits = random.normal(size=128)
    logs = logits - np.log(np.exp(logits).sum())
    reached = [p for p in range(before - 12, before + 13) if 0 <= p < 128]
    expected = np.exp(tunes.interval_table(np.stack([logs, logs]), np.array([before, 0]))[0])
    total = sum(expected[np.clip(pitch - before, -12, 12) + 12] for pitch in reached)
    assert total == pytest.approx(1.0)


def test_functions_share_all_chords_and_move_with_the_key():
    random = np.random.default_rng(1)
    logits = random.normal(size=(4, VALUES["chord"].size))
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    for tonic in (0, 7):
        found = harmony.by_function(logs, tonic)
        assert found.sum(axis=1) == pytest.approx(1.0)
        assert found[:, NUM_FUNCTIONS] == pytest.approx(np.exp(logs[:, 0]))
    in_c, in_d = harmony.functions_of_chords(0)[1:], harmony.functions_of_chords(2)[1:]
    assert (in_d == np.where(in_c < NUM_FUNCTIONS, (in_c - 8) % NUM_FUNCTIONS, NUM_FUNCTIONS)).all()


def test_which_and_when_sum_to_what_is_said():
    probable = np.random.default_rng(2).dirichlet(np.ones(NUM_FUNCTIONS + 1))
    whole = -np.log(probable[20])
    for before, is_new in ((0, True), (-1, True), (20, True), (0, False)):
        assert harmony.split_nats(probable, 20, before, is_new=is_new).sum() == pytest.approx(whole)
    others = [harmony.split_nats(probable, f, 20, is_new=True)[0] for f in range(NUM_FUNCTIONS + 1) if f != 20]
    assert np.exp(-np.array(others)).sum() == pytest.approx(1.0), "which: a distribution over all other functions"
    assert harmony.split_nats(probable, 20, 20, is_new=True)[0] == 0, "going on is a matter of when"


def test_wins_are_shared_where_costs_are_equal():
    assert reading.wins([1.0, 2.0, 3.0]) == 1
    assert reading.wins([2.0, 1.0, 3.0]) == 0
    assert reading.wins([1.0, 1.0, 1.0, 1.0]) == 0.25


def test_intervals_hold_the_mean_and_do_not_change():
    sums, counts = np.array([1.0, 9.0, 4.0, 6.0]), np.array([1, 3, 2, 4])
    mean, low, high = reading.bootstrap(sums, counts)
    assert mean == pytest.approx(2.0) and low < mean < high
    assert reading.bootstrap(sums, counts) == (mean, low, high)
    assert reading.bootstrap(3.0 * counts, counts) == pytest.approx((3.0, 3.0, 3.0))
    assert np.isnan(reading.bootstrap([], [])).all()


@pytest.mark.parametrize(("limit", "heard"), [(400, 12), (150, 2), (150, 0)])
def test_windows_judge_every_bar_once(limit, heard):
    piece = index_piece(encode(tunes.song_of(tune(bars=40))).codes)
    found = reading.windows(piece, reading.parts_of(piece, reading.MELODY, (reading.HARMONY,)), limit, heard)
    assert len(found) > 1 and all(w.example.num_steps <= limit for w in found)
    ends = [w.start + len(w.example.bar_steps) for w in found]
    assert [w.judged for w in found] == [0, *ends[:-1]] and ends[-1] == piece.num_bars
    readings = reading.read(Fake(), found, tunes.keep_pitches)
    assert sum(len(r.at) for r in readings) == 320, "every note once"
    bars = np.concatenate([r.bars for r in readings])
    kinds = np.log(VOCABULARY_SIZES[KIND]) * (320 + 40)  # every note and the end of the part in every bar
    assert np.bincount(bars).tolist() == [9] * 40
    nats = np.concatenate([r.nats for r in readings]).sum(axis=0)
    assert nats == pytest.approx([kinds, np.log(VOCABULARY_SIZES[POSITION]) * 320])


def test_both_are_asked_about_the_same_notes_of_a_tune():
    known, guessed = tunes.scores(Fake(knows=True), [tune()])[0], tunes.scores(Fake(), [tune()])[0]
    assert known.notes == guessed.notes == 127 and known.table == guessed.table
    assert known.network == pytest.approx(0.0, abs=1e-6)
    assert guessed.network == pytest.approx(127 * np.log(VALUES["pitch"].size), rel=1e-6)
    assert known.both < known.table < guessed.both < guessed.network, "who knows helps, who guesses does not"
    assert 0 < known.table < 127 * np.log(25), "the table knows better than chance how such a tune goes on"


def test_phrases_of_others_are_laid_on_the_same_rhythm():
    many = [tune(f"pop909/{i:03d}", shift) for i, shift in enumerate(range(1, 8))]
    many += [replace(t, id=t.id + "b", notes=tuple((s, n, 130 - p) for s, n, p in t.notes)) for t in many]
    asked = tunes.choices(many, 1, seed=1)
    assert asked
    for phrase, lines in asked:
        assert len(lines) == 10 and len({tuple(line) for line in lines}) == 10
        made = [tunes.excerpt(phrase, line, 4) for line in lines]
        rhythm = [(s, n) for s, n, _ in made[0].notes]
        assert all([(s, n) for s, n, _ in one.notes] == rhythm for one in made)
        assert all(one.notes[:32] == made[0].notes[:32] and one.chords == made[0].chords for one in made)
        assert [p for _, _, p in made[0].notes[32:]] == [p for _, _, p in phrase.notes]
        assert all(abs(np.mean(line) - np.mean(lines[0])) <= 6 for line in lines)
    rows = tunes.forced_choice(Fake(knows=True), asked[:1], 4)
    assert rows[0][2] == pytest.approx(0.1), "who finds all of them certain wins by chance"


def test_sections_become_functions_and_keep_one_colour():
    runs = harmony.runs_of(song(("D", "Dmaj7", "G", "A7")))
    assert [run.role for run in runs] == ["verse"] and runs[0].tonic == 2
    assert [(e.start_beat, e.num_beats, e.function) for e in runs[0].section.events[:3]] == [
        (0, 4, 0), (4, 2, 20), (6, 2, 30),
    ]  # fmt: skip
    assert runs[0].colours[:3] == ("C", "F", "G7")
    assert [c.symbol for c in harmony.joined(song(("D", "Dmaj7", "G", "A7"))).chords[:3]] == ["D", "G", "A7"]


def test_the_network_pays_for_every_bar_of_the_harmony_once():
    given = song()
    runs = harmony.runs_of(given)
    known = harmony.scores(Fake(knows=True), [given], "pop909", 4)[0]
    assert known.network == pytest.approx([0.0, 0.0], abs=1e-6)
    guessed = harmony.scores(Fake(), [given], "pop909", 4)[0]
    chords = [e for e in encode(harmony.joined(given)).codes.T if e[KIND] == Kind.CHORD]
    sizes = np.bincount(harmony.functions_of_chords(2), minlength=NUM_FUNCTIONS + 1) / VOCABULARY_SIZES[VALUE]
    told = [harmony.functions_of_chords(2)[e[VALUE] - VALUES["chord"].start] for e in chords]
    whole = -np.log(sizes[told]).sum() + len(chords) * np.log(VOCABULARY_SIZES[POSITION])
    whole += (len(chords) + 8) * np.log(VOCABULARY_SIZES[KIND])
    assert guessed.network.sum() == pytest.approx(whole)
    assert guessed.chords == sum(len(run.section.events) for run in runs)
    assert guessed.table == pytest.approx(harmony.table_nats(runs[0], "pop909"))


def test_progressions_of_others_take_the_rhythm_and_the_key():
    orders = [("D", "Bm", "G", "A7"), ("D", "A", "Bm", "G"), ("D", "G", "Em", "A"), ("Bm", "G", "D", "A"),
              ("D", "F#m", "G", "A"), ("D", "Em", "F#m", "G"), ("G", "A", "F#m", "Bm"), ("Bm", "A", "G", "A7"),
              ("D", "Bm", "Em", "A"), ("D", "C", "G", "D"), ("Em", "A", "D", "Bm")]  # fmt: skip
    songs = {f"pop909/{i}": song(order) for i, order in enumerate(orders)}
    asked = harmony.choices(songs, 1, seed=1)
    assert len(asked) == len(songs)
    true, several = asked[0]
    made, run = harmony.excerpt(true, several[3], songs[true.song])
    assert len(several) == 10 and made.keys[0].key == "C major" and run.end == made.duration_ticks == 8 * BAR
    assert [c.start_ticks for c in made.chords] == [
        round(e.start_beat * TICKS_PER_QUARTER) for e in true.run.section.events[: len(several[3])]
    ]
    rows = harmony.forced_choice(Fake(knows=True), songs, asked[:1], "pop909")
    assert rows[0][0] == true.song and rows[0][2] == pytest.approx(0.1)


def test_takes_of_the_style_book_differ_and_a_strange_bass_comes_into_the_key():
    excerpt = band.excerpts_of("mine", song(), "bass", 1, seed=1)[0]
    assert excerpt.song.duration_ticks == 4 * BAR and len(excerpt.track.notes) == 16
    takes = band.style_takes(excerpt, seed=1)
    assert len(takes) == len(set(takes)) >= band.OTHERS
    assert all(note.start_ticks < 4 * BAR for notes in takes for note in notes)
    low = replace(excerpt, track=replace(excerpt.track, notes=tuple(replace(n, pitch=n.pitch - 12) for n in
                                                                    excerpt.track.notes)))  # fmt: skip
    in_e = replace(low, name="other", song=replace(low.song, keys=(KeyChange(0, "E major"),)))
    assert band.moved(excerpt, low) == 12 and band.moved(excerpt, in_e) in (10, -2)
    assert len(band.strangers(excerpt, [excerpt, in_e], seed=1)) == 1
    rows = band.forced_choice(Fake(), [(excerpt, takes)])
    assert (rows[0][0] == "mine" and 0 < rows[0][1] <= 1) or rows[0][1] == 0


def test_lines_say_who_is_better():
    line = learned.nats_line("pitch", "pop909", [10, 20], [20.0, 44.0], [15.0, 30.0])
    assert line.gain is not None and line.gain[0] == pytest.approx(19 / 30) and line.count == 30
    both = learned.choice_line("phrase", "pop909", [("a", 1.0, 0.0), ("a", 0.0, 1.0), ("b", 0.0, 1.0)])
    assert both.table is not None and both.table[0] == pytest.approx(1 / 3) and both.network[0] == pytest.approx(2 / 3)
    alone = learned.choice_line("drums", "groove-midi", [("a", 1.0), ("b", 0.0)])
    assert alone.table is None and alone.gain is None and alone.network[0] == 0.5
    shown = learned.as_table([line, both, alone], markdown=True).splitlines()
    assert len(shown) == 5 and all(row.count("|") == 8 for row in shown)
    assert learned.choice_line("drums", "groove-midi", []).count == 0


@pytest.mark.parametrize("pattern", ["flat", "delay", "parallel", "depth"])
def test_no_pattern_is_told_what_follows_from_what_it_must_say(pattern):
    sizes, steps, at = (5, 7, 3), 12, 6
    torch.manual_seed(0)
    config = LanguageModelConfig(sizes, pattern, dim=16, num_layers=1, num_heads=2, max_steps=steps, depth_dim=16,
                                 depth_layers=1, feature_sizes=(9, 4))  # fmt: skip
    model = MultiStreamLM(config).eval()
    batch = {
        "codes": torch.stack([torch.randint(size, (2, steps)) for size in sizes], dim=1),
        "features": torch.stack([torch.randint(size, (2, steps)) for size in (9, 4)], dim=1),
        "mask": torch.ones(2, 3, steps, dtype=torch.bool),
    }
    with torch.no_grad():
        before = chosen_nats(model, batch).nats.view(2, steps, 3)
        later = {**batch, "features": batch["features"].clone()}
        later["features"][:, :, at + 1 :] = (later["features"][:, :, at + 1 :] + 1) % 4
        after = chosen_nats(model, later).nats.view(2, steps, 3)
        whole = model.nats(batch["codes"], told_features(batch["features"], config)).transpose(1, 2)
    assert torch.equal(before[:, : at + 1], after[:, : at + 1])
    assert not torch.equal(before, after), "they are told in the end"
    assert torch.allclose(before, whole, atol=1e-5)


def test_a_table_of_patterns_and_budgets():
    rows = [patterns.Row("flat", 1_000_000, 80, 5.0, {"nats": 5.0, "melody": 4.5}, {1: 37.4, 8: 300.0}),
            patterns.Row("depth", 1_100_000, 900, 5.0, {"nats": 4.0, "melody": 3.5}, {1: 100.0, 8: 700.0})]  # fmt: skip
    lines = patterns.as_table(rows, markdown=True).splitlines()
    assert len(lines) == 4 and "melody" in lines[0] and "bass" not in lines[0] and "37" in lines[2]
    budget = patterns.Budget(1e9)
    for _ in range(5):
        budget()
    assert len(budget.times) == 6 and budget.step_seconds >= 0 and not patterns.Budget(1e9)()
    weights = {
        pattern: MultiStreamLM(
            LanguageModelConfig(VOCABULARY_SIZES, pattern, feature_sizes=(9,), max_steps=8, **patterns.COMMON, **shape)
        ).num_parameters
        for pattern, shape in patterns.SHAPES.items()
    }
    assert max(weights.values()) - min(weights.values()) < 0.01 * max(weights.values()), weights
