from dataclasses import replace

import numpy as np
import pytest

from songwright.errors import InputError
from songwright.evaluation.musical_fit import musical_fit
from songwright.evaluation.singing import (
    Budget,
    measure_singing,
    planned_in_order,
    sampled,
    steady_parts,
    summarise_onsets,
)
from songwright.evaluation.sung_lines import line_spans, targets
from songwright.lyrics.phonetics import sound_out_words
from songwright.perform.singer.player import SingerPlayer, phone_times
from songwright.perform.timeline import performance
from songwright.score.song import ChordSpan, Note, Singer, Song, Syllable, TempoChange, Track

SAMPLE_RATE = 22050
ALL = Budget(1e9, 1e9, 0.0)  # harvest is slow, and measured where it matters
BOTH = Budget(1e9, 1e9, 2.0)
LINES = ("we follow the moon to the silent sea", "my heart is a boat and you never let go")
DEGREES = (0, 2, 4, 5, 4, 2, 4, 0, 2, 0)


def song_of(lines=LINES, pitch=52, language="en"):
    syllables, notes, tick = [], [], 1920
    for index, text in enumerate(lines):
        flat = [(w, s) for w in sound_out_words(text.split(), language) for s in w.syllables]
        for k, (word, s) in enumerate(flat):
            notes.append(Note(tick, 960, pitch + DEGREES[k % 10], 80, syllable=len(syllables)))
            syllables.append(
                Syllable(len(syllables), s.text, word.text, s.stress, index, language, s.phonemes, s.nucleus, s.tone)
            )
            tick += 960
        tick += 1920
    track = Track("vocal", "vocal", "voice", notes=tuple(notes), singer=Singer("boris"))
    chords = (ChordSpan(0, tick, "E"),)
    return Song(
        duration_ticks=tick, tempos=(TempoChange(0, 100.0),), chords=chords, tracks=(track,), syllables=tuple(syllables)
    )


@pytest.fixture(scope="module")
def sung():
    song = song_of()
    played = performance(song, song.tracks[0])
    length = int((song.duration_seconds + 0.5) * SAMPLE_RATE)
    sound = SingerPlayer(3).render(played, "voice", sample_rate=SAMPLE_RATE, num_samples=length)[0]
    return song, sound, phone_times(played)


@pytest.fixture(scope="module")
def report(sung):
    song, sound, phones = sung
    return measure_singing(song, "vocal", sound, SAMPLE_RATE, phones, budget=BOTH)


def measured(sung, sound=None, song=None, phones=None):
    return measure_singing(
        song or sung[0], "vocal", sung[1] if sound is None else sound, SAMPLE_RATE, phones or sung[2], budget=ALL
    )


def test_the_house_singer_is_heard(report):
    assert report.planned_in_order == 1.0
    assert report.lines == report.lines_heard == 2
    assert report.syllables_found >= 0.8
    assert report.phoneme_error < 0.6
    assert report.pyin.median_cents < 15 and report.harvest.median_cents < 15
    assert report.pyin.within_50_cents > 0.95
    assert report.voicing_error < 0.1


def test_onsets_are_told_apart_by_what_comes_before(report):
    assert report.onsets["all"].count == sum(report.onsets[k].count for k in ("stop", "fricative", "nasal"))
    assert abs(report.onsets["all"].median_ms) < 25


def test_the_meter_tells_a_shift_of_forty_milliseconds(sung, report):
    _song, sound, _phones = sung
    late = np.concatenate([np.zeros(round(0.04 * SAMPLE_RATE), np.float32), sound])
    shifted = measured(sung, sound=late)
    assert shifted.onsets["all"].median_ms - report.onsets["all"].median_ms == pytest.approx(40, abs=10)


def test_a_wrong_note_is_told(sung, report):
    song, sound, phones = sung
    track = song.tracks[0]
    raised = replace(track, notes=tuple(replace(n, pitch=n.pitch + 1) for n in track.notes))
    wrong = measure_singing(song.with_track(raised), "vocal", sound, SAMPLE_RATE, phones, budget=BOTH)
    assert wrong.pyin.median_cents == pytest.approx(100, abs=15)
    assert wrong.harvest.median_cents == pytest.approx(100, abs=15)
    assert wrong.pyin.within_50_cents < 0.2


def test_a_monotone_voice_is_wrong_on_most_notes(sung):
    _song, sound, _phones = sung
    time = np.arange(len(sound)) / SAMPLE_RATE
    drone = sum(np.sin(2 * np.pi * 164.8 * k * time) / k for k in range(1, 20)).astype(np.float32) * np.float32(0.1)
    report = measured(sung, sound=drone)
    assert report.pyin.within_50_cents < 0.45
    assert report.syllables_found < 0.3
    assert report.phoneme_error > 0.7
    assert report.voicing_error > 0.05


def test_shuffled_words_score_badly(sung, report):
    song, _sound, _phones = sung
    order = np.random.default_rng(4).permutation(len(song.syllables))
    mixed = tuple(
        replace(s, phonemes=song.syllables[j].phonemes, nucleus=song.syllables[j].nucleus)
        for s, j in zip(song.syllables, order.tolist(), strict=True)
    )
    shuffled = measured(sung, song=replace(song, syllables=mixed))
    assert shuffled.syllables_found < report.syllables_found - 0.3
    assert shuffled.phoneme_error > report.phoneme_error + 0.25


def test_silence_is_no_song(sung):
    report = measured(sung, sound=np.zeros(len(sung[1]), np.float32))
    assert report.syllables_found == 0.0
    assert report.phoneme_error >= 0.9
    assert report.pyin.notes == 0 and report.pyin.within_50_cents == 0.0
    assert report.voicing_error > 0.6
    assert report.as_dict()["pyin"]["median_cents"] is None


def test_noise_is_no_song(sung):
    noise = np.random.default_rng(0).normal(0, 0.1, len(sung[1])).astype(np.float32)
    report = measured(sung, sound=noise)
    assert report.syllables_found < 0.3
    assert report.phoneme_error > 0.7
    assert report.voicing_error > 0.6


def test_a_sound_that_stops_early_loses_the_rest(sung, report):
    cut = measured(sung, sound=sung[1][: len(sung[1]) // 2])
    assert cut.syllables_found < 0.7 * report.syllables_found
    assert cut.syllables == report.syllables


def test_missing_and_misplaced_syllables_are_counted(sung):
    song, _, phones = sung
    assert planned_in_order(song, "vocal", phones) == (len(song.syllables), 1.0)
    without = [p for p in phones if p.syllable != 3]
    assert planned_in_order(song, "vocal", without)[1] == pytest.approx(1 - 1 / len(song.syllables))
    swap = {4: 5, 5: 4}
    swapped = [replace(p, syllable=swap.get(p.syllable, p.syllable)) for p in phones]
    assert planned_in_order(song, "vocal", swapped)[1] < 1.0
    unsung = replace(song, syllables=(*song.syllables, replace(song.syllables[0], id=999)))
    assert planned_in_order(unsung, "vocal", phones)[1] < 1.0


def test_a_budget_measures_some_lines_and_says_how_many(sung):
    song, sound, phones = sung
    report = measure_singing(song, "vocal", sound, SAMPLE_RATE, phones, budget=Budget(1.0, 1.0, 0.0))
    assert report.lines == 2 and report.lines_heard == 1
    lines = line_spans(song, "vocal", phones)
    assert sampled(lines * 10, 1e9) == list(lines * 10)
    assert len(sampled(lines * 10, 20.0)) < 6 and sampled([], 10.0) == []


def test_lines_in_other_languages_are_not_heard_but_their_pitch_is(sung):
    song, _sound, _phones = sung
    foreign = replace(song, syllables=tuple(replace(s, language="fr") for s in song.syllables))
    report = measured(sung, song=foreign)
    assert report.lines_heard == 0 and report.syllables_found is None and report.phoneme_error is None
    assert report.pyin.within_50_cents > 0.95 and report.voicing_error is None


def test_spoken_lines_have_no_pitch(sung):
    song, _, _phones = sung
    rap = replace(song, syllables=tuple(replace(s, delivery="rap") for s in song.syllables))
    assert measured(sung, song=rap).pyin is None


def test_steady_parts_lie_inside_the_vowels(sung):
    song, _, phones = sung
    for line in line_spans(song, "vocal", phones):
        parts = steady_parts(line)
        assert parts
        for start, end, _ in parts:
            assert any(p.is_nucleus and p.start_seconds <= start < end <= p.end_seconds for p in line.phones)


def test_targets_name_one_vowel_for_each_syllable(sung):
    song, _, phones = sung
    for line in line_spans(song, "vocal", phones):
        wanted = targets(line)
        assert {s for s, n in zip(wanted.syllables, wanted.nuclei, strict=True) if n} == set(range(len(line.syllables)))


def test_report_is_plain_data(report):
    import json

    data = json.loads(json.dumps(report.as_dict()))
    assert data["onsets"]["all"]["count"] > 5 and 0 < data["measured_seconds"] < 60
    assert summarise_onsets([]) == {}


def test_fit_counts_beats_chords_and_rests():
    song = song_of()
    fit = musical_fit(song, "vocal")
    assert fit.stressed_on_beats == fit.stressed_on_or_over_beats == 1.0
    assert fit.lines_end_in_rests == 1.0 and fit.rests_inside_words == 0.0
    late = replace(
        song.tracks[0], notes=tuple(replace(n, start_ticks=n.start_ticks + 480) for n in song.tracks[0].notes)
    )
    moved = musical_fit(song.with_track(late), "vocal")
    assert moved.stressed_on_beats == 0.0 and moved.stressed_on_or_over_beats == 1.0
    assert moved.consonant_on_beats is None
    tonic = sum(n.pitch % 12 in (4, 8, 11) for n in song.tracks[0].notes)
    assert fit.consonant_on_beats == pytest.approx(tonic / len(song.tracks[0].notes))


def test_bad_input_is_told(sung):
    song, sound, phones = sung
    with pytest.raises(InputError, match="mono"):
        measure_singing(song, "vocal", np.stack([sound, sound]), SAMPLE_RATE, phones)
    with pytest.raises(InputError, match="no track 'bass'"):
        measure_singing(song, "bass", sound, SAMPLE_RATE, phones)
