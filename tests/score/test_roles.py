from songwright.score.roles import drum_role, guess_key, guess_mode, guess_roles, polyphony, sections_from_marks
from songwright.score.song import Note, Track


def track(name, instrument, pitches, *, length=480, together=1, role="counter_melody"):
    notes = [Note(i * 480, length, p + 4 * k, 80) for i, p in enumerate(pitches) for k in range(together)]
    return Track(name or instrument, role, instrument, name, tuple(sorted(notes)))


def test_a_band_gets_its_roles():
    band = guess_roles([
        track("Track 1", "acoustic_grand_piano", [60, 62, 64, 62] * 8, together=3),
        track("", "electric_bass_finger", [33, 33, 40, 28] * 8),
        track("", "flute", [72, 74, 76, 79, 77, 74] * 6),
        track("", "slow_strings", [60] * 4, length=3840, together=3),
        track("kit", "standard_kit", [36, 38] * 8, role="drums"),
    ])  # fmt: skip
    assert [t.role for t in band] == ["chords", "bass", "melody", "pad", "drums"]


def test_names_win_over_measures():
    named = guess_roles([track("主唱", "violin", [50] * 9), track("Бас", "flute", [70, 72] * 9)])
    assert [t.role for t in named] == ["melody", "bass"]


def test_only_one_melody():
    roles = [t.role for t in guess_roles([track("Lead", "flute", [70, 72] * 9), track("Lead 2", "oboe", [60] * 9)])]
    assert roles.count("melody") == 1


def test_polyphony_counts_what_sounds_together():
    assert polyphony([Note(0, 480, 60, 1), Note(0, 480, 64, 1), Note(960, 480, 60, 1)]) == 1.5


def test_keys_and_modes():
    minor = [track("a", "flute", [69, 71, 72, 76, 69, 68, 69, 64, 69])]
    assert guess_key(minor).key == "A minor" and guess_mode(0, minor) == "minor"
    major = [track("a", "flute", [60, 64, 67, 72, 65, 59, 60, 67, 60])]
    assert guess_key(major).key == "C major" and guess_mode(0, major) == "major"
    assert guess_key([]).key == "C major"


def test_percussion_is_no_drum_kit():
    assert drum_role([Note(0, 1, 64, 1)]) == "percussion"
    assert drum_role([Note(0, 1, 36, 1), Note(0, 1, 64, 1)]) == "drums"


def test_marks_in_three_languages_and_marks_that_are_none():
    marks = [(100, "前奏"), (3900, "Куплет 1"), (7680, "Chorus"), (11520, "Chorus")]
    found = sections_from_marks(marks, range(0, 15360, 3840), 15360, [])
    assert [(s.label, s.role, s.start_ticks) for s in found] == [
        ("前奏", "intro", 0), ("Куплет 1", "verse", 3840), ("Chorus", "chorus", 7680), ("Chorus (2)", "chorus", 11520),
    ]  # fmt: skip
    assert sections_from_marks([(0, "A"), (3840, "loopStart")], [0, 3840], 7680, []) == ()
