import dataclasses
import json
import os

import numpy as np
import pytest
import soundfile

from songwright.audio import pcm
from songwright.errors import ConfigError, InputError
from songwright.perform.earlier import Reuse
from songwright.perform.render import plan_stems, render_song
from songwright.score.song import Insert, MasterMix, Note, Song, TempoChange, Track, TrackMix

RATE = 44100


class Tones:
    """Plays decaying tones and remembers for whom."""

    identity = "tones"

    def __init__(self):
        self.asked = []

    def render(self, performance, instrument, *, sample_rate, num_samples):
        if num_samples > 3 * sample_rate:
            self.asked.append((instrument, tuple(sorted(set(performance.pitches.tolist())))))
        out = np.zeros((2, num_samples), np.float32)
        for start, pitch, velocity in zip(
            performance.start_seconds, performance.pitches, performance.velocities, strict=True
        ):
            first = int(start * sample_rate)
            time = np.arange(min(num_samples - first, sample_rate // 2)) / sample_rate
            tone = np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time) * np.exp(-8 * time) * velocity / 400
            out[:, first : first + len(time)] += tone
        return out


def players():
    return {"sampler": Tones(), "synth": Tones()}


def song():
    lead = tuple(Note(i * 960, 900, 70 + i % 5, 90) for i in range(12))
    drums = tuple(Note(i * 960, 100, p, 100) for i in range(12) for p in ((36, 42), (38, 42))[i % 2])
    pad = (Note(0, 11520, 60, 70), Note(0, 11520, 64, 70))
    return Song(
        duration_ticks=11520,
        tempos=(TempoChange(0, 180.0),),
        master=MasterMix(reverb="plate", inserts=(Insert("saturation", {"drive_db": 2.0}),)),
        tracks=(
            Track("lead", "melody", "trumpet", notes=lead, mix=TrackMix(reverb_db=-12, delay_db=-18, pan=0.2)),
            Track("pad", "pad", "super_saw", notes=pad, mix=TrackMix(duck_db=6, inserts=(Insert("chorus"),))),
            Track("drums", "drums", "standard_kit", notes=drums, mix=TrackMix(reverb_db=-20)),
            Track("empty", "chords", "violin"),
        ),
    )


def render(folder, song=None, **options):
    folder.mkdir()
    return render_song(
        song or globals()["song"](), folder, players=options.pop("players", None) or players(), **options
    )


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def read(path):
    return np.concatenate(list(pcm.read_blocks(path)), axis=1).astype(np.int64)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("render") / "song"
    return folder, render(folder)


def test_the_files_and_their_numbers(done):
    folder, made = done
    assert list(made.stems) == ["lead", "pad", "drums_kick", "drums_snare", "drums_hats"]
    assert sorted(p.name for p in (folder / "stems").iterdir()) == sorted(
        [f"{n}.wav" for n in made.stems] + ["stems.json"]
    )
    for path in (*made.stems.values(), made.premaster, made.mix):
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (RATE, 2, "PCM_24")
        assert info.duration == pytest.approx(made.duration_seconds)
    assert made.duration_seconds == pytest.approx(4.0 + 1.5, abs=0.01)
    assert made.loudness_lufs == pytest.approx(-14, abs=0.5)
    assert made.true_peak_dbtp <= -1.0
    assert made.reused == ()


def test_the_stems_sum_to_the_premaster(done):
    _, made = done
    total = sum(read(path) for path in made.stems.values())
    assert np.abs(total - read(made.premaster)).max() <= len(made.stems)
    assert np.array_equal(total, read(made.premaster))


def test_the_same_bytes_whatever_the_number_of_workers(done, tmp_path):
    folder, _ = done
    for workers in (1, 2, 5):
        render(tmp_path / str(workers), num_workers=workers)
        assert contents(tmp_path / str(workers)) == contents(folder)


def test_changing_one_track_makes_only_its_stem_and_the_mix_anew(done, tmp_path):
    folder, first = done
    old = song()
    changed = old.with_track(dataclasses.replace(old.track("lead"), instrument="violin", mix=TrackMix(gain_db=-3)))
    used = players()
    made = render(tmp_path / "b", changed, players=used, reuse=Reuse(folder))
    assert made.reused == ("pad", "drums_kick", "drums_snare", "drums_hats")
    assert [name for name, _ in used["sampler"].asked] == ["violin"]
    assert used["synth"].asked == []
    for name in made.reused:
        assert made.stems[name].read_bytes() == first.stems[name].read_bytes()
    assert contents(tmp_path / "b") == contents_of_fresh(changed, tmp_path)


def contents_of_fresh(changed, tmp_path):
    render(tmp_path / "fresh", changed)
    return contents(tmp_path / "fresh")


def test_everything_is_taken_over_when_nothing_changed(done, tmp_path):
    folder, first = done
    used = players()
    made = render(tmp_path / "b", players=used, reuse=Reuse(folder))
    assert set(made.reused) == set(first.stems) and used["sampler"].asked == []
    assert contents(tmp_path / "b") == contents(folder)


def without_first_kick(drums):
    return dataclasses.replace(drums, notes=drums.notes[1:])


@pytest.mark.parametrize(
    ("change", "remade"),
    [
        (lambda s: dataclasses.replace(s, master=dataclasses.replace(s.master, reverb="hall")), {"lead", "drums"}),
        (lambda s: dataclasses.replace(s, master=dataclasses.replace(s.master, delay_beats=0.5)), {"lead"}),
        (lambda s: dataclasses.replace(s, master=dataclasses.replace(s.master, inserts=())), set()),
        (lambda s: s.with_track(without_first_kick(s.track("drums"))), {"drums_kick", "pad"}),
        (lambda s: dataclasses.replace(s, tempos=(TempoChange(0, 170.0),)), {"lead", "pad", "drums"}),
        (lambda s: dataclasses.replace(s, title="Other"), set()),
    ],
)  # fmt: skip
def test_a_stem_is_remade_for_what_it_hears_and_nothing_else(done, tmp_path, change, remade):
    folder, first = done
    made = render(tmp_path / "b", change(song()), reuse=Reuse(folder))
    anew = set(first.stems) - set(made.reused)
    assert anew == {n for n in first.stems if n in remade or n.split("_")[0] in remade}


def test_another_player_is_another_sound(done, tmp_path):
    folder, _ = done
    used = players()
    used["sampler"].identity = "another soundfont"
    assert render(tmp_path / "b", players=used, reuse=Reuse(folder)).reused == ("pad",)


@pytest.mark.parametrize("harm", ["cut", "edited", "missing", "index"])
def test_a_harmed_stem_is_made_anew(done, tmp_path, harm):
    folder, _ = done
    render(tmp_path / "a")
    stem = tmp_path / "a" / "stems" / "lead.wav"
    data = bytearray(stem.read_bytes())
    if harm == "cut":
        stem.write_bytes(data[:-100])
    elif harm == "edited":
        data[5000] ^= 1
        stem.write_bytes(data)
    elif harm == "missing":
        stem.unlink()
    else:
        (tmp_path / "a" / "stems" / "stems.json").write_text("[]")
    made = render(tmp_path / "b", reuse=Reuse(tmp_path / "a"))
    assert "lead" not in made.reused
    assert contents(tmp_path / "b") == contents(folder)


def test_what_is_too_loud_for_24_bits_is_kept_as_floats(tmp_path):
    notes = tuple(Note(i * 960, 900, 69, 127) for i in range(4))
    tracks = tuple(Track(f"t{i}", "melody", "trumpet", notes=notes, mix=TrackMix(gain_db=9.0)) for i in range(4))
    made = render(tmp_path / "a", Song(duration_ticks=3840, tracks=tracks))
    total = sum(read(path) for path in made.stems.values())
    assert soundfile.info(made.premaster).subtype == "FLOAT"
    floats, _ = soundfile.read(made.premaster, dtype="float64")
    assert np.abs(floats.T * pcm.FULL_SCALE - total).max() <= len(tracks)
    assert np.abs(floats).max() > 1.0
    assert not made.premaster_integer and any("32-bit floats" in note for note in made.notes)
    assert made.true_peak_dbtp <= -1.0


def test_a_song_without_notes_is_silent_files(tmp_path):
    made = render(tmp_path / "a", Song(duration_ticks=3840))
    assert made.stems == {} and made.loudness_lufs == -70.0
    assert not read(made.mix).any()


def test_names_are_safe_and_different(tmp_path):
    notes = (Note(0, 960, 60, 90),)
    ids = ["../../evil", "Bass", "bass", "con", "drums_kick"]
    tracks = tuple(Track(i, "melody", "violin", notes=notes) for i in ids)
    drums = Track("drums", "drums", "standard_kit", notes=(Note(0, 960, 36, 90),))
    names = [plan.name for plan in plan_stems(Song(duration_ticks=3840, tracks=(*tracks, drums)))]
    assert names == ["evil", "bass", "bass-2", "con-song", "drums_kick", "drums_kick-2"]


def test_every_drum_lands_in_one_stem():
    notes = tuple(Note(p, 10, p, 90) for p in range(128))
    plans = plan_stems(Song(tracks=(Track("d", "drums", "standard_kit", notes=notes),)))
    assert [plan.phrase for plan in plans] == ["kick", "snare", "hats", "toms", "cymbals", "percussion"]
    assert sorted(p for plan in plans for p in plan.pitches) == list(range(128))


def test_faults_come_before_any_sound(tmp_path):
    bad = song()
    insert = dataclasses.replace(bad.track("pad").mix, inserts=(Insert("reverb"),))
    with pytest.raises(ConfigError, match="unknown effect"):
        render(tmp_path / "a", bad.with_track(dataclasses.replace(bad.track("pad"), mix=insert)))
    with pytest.raises(InputError, match="no player"):
        render(tmp_path / "b", players={"sampler": Tones()})
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == {}


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def full(self, samples):
        raise InputError("cannot write lead.wav: No space left on device")

    monkeypatch.setattr(pcm.WavWriter, "write", full)
    with pytest.raises(InputError, match="No space left"):
        render(tmp_path / "a")
    assert list((tmp_path / "a").rglob("*.wav")) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_one_line(tmp_path):
    (tmp_path / "a").mkdir(mode=0o555)
    with pytest.raises(InputError, match="cannot write"):
        render_song(song(), tmp_path / "a", players=players())


def test_progress_rises_to_the_end(tmp_path):
    seen = []
    render(tmp_path / "a", progress=lambda stage, fraction: seen.append((stage, fraction)))
    for stage in ("stems", "master"):
        fractions = [f for s, f in seen if s == stage]
        assert fractions == sorted(fractions) and fractions[-1] == 1.0


def test_the_index_says_what_stems_were_made_from(done):
    folder, made = done
    index = json.loads((folder / "stems" / "stems.json").read_text())
    assert list(index["stems"]) == list(made.stems)
    assert all(len(entry["made_from"]) == 32 for entry in index["stems"].values())


def test_endless_songs_are_refused(tmp_path):
    with pytest.raises(InputError, match="minutes"):
        render(tmp_path / "a", Song(duration_ticks=960 * 10**6))


def test_a_drum_track_of_no_kit_is_one_stem(tmp_path):
    notes = (Note(0, 960, 60, 90),)
    made = render(tmp_path / "a", Song(duration_ticks=3840, tracks=(Track("d", "drums", "violin", notes=notes),)))
    assert list(made.stems) == ["d"]
