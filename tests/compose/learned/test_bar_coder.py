"""Bars as cells: what is read is written back, chords climb rungs, and the file of networks is checked."""

import zipfile

import numpy as np
import pytest

from songwright.compose.learned.bars.cells import (
    base_of,
    chord_bars,
    chords_in,
    drum_bars,
    harmony_bars,
    line_bars,
    shifts_of,
    sounding,
    windows_of,
)
from songwright.compose.learned.bars.coder import between, load_coder, save_coder
from songwright.compose.learned.bars.kinds import KINDS, KNOWN, LADDER, REAL, bar_shapes, pitch_of_rung, rung_of_pitch
from songwright.compose.learned.bars.writing import kit_notes, kit_of, line_notes, line_of, roll_notes, roll_of
from songwright.compose.tokens.bars import key_number
from songwright.compose.tokens.grid import chord_number
from songwright.errors import CheckpointError
from songwright.neural.bar_network import BarNetwork, weight_sizes
from songwright.score.theory import parse_chord, parse_key

SHAPES = bar_shapes(24, 8, 6)
SURE = 12.0


def said(shape, bars):
    """What a decoder that is sure of these bars would say."""
    found = {}
    for head in shape.heads:
        values = bars.cells[..., shape.span(head.name)]
        found[head.name] = values if head.kind == "level" else SURE * (2 * values - 1)
    return found


def chord_row(text):
    return np.array([[0, chord_number(parse_chord(text)), 0]])


def rows(*notes):
    """Notes as (start, pitch, length, level) in steps, as the grid has them."""
    return np.array([[start, pitch, steps, level, 0, 0] for start, pitch, steps, level in notes]).reshape(-1, 6)


def test_bars_are_read_whole_or_in_even_parts():
    windows = windows_of(np.array([96, 48, 120, 72, 192]))
    assert windows.starts.tolist() == [0, 96, 144, 204, 264, 336, 432]
    assert windows.cells.tolist() == [16, 8, 10, 10, 12, 16, 16]
    assert windows.bars.tolist() == [0, 1, 2, 2, 3, 4, 4]
    assert int(windows.steps.sum()) == 96 + 48 + 120 + 72 + 192
    odd = windows_of(np.array([100, 7]))
    assert int(odd.steps.sum()) == 107 and (odd.cells <= 16).all()


@pytest.mark.parametrize("lowest", [False, True])
def test_a_line_is_written_as_it_was_read(lowest):
    windows = windows_of(np.array([96, 96]))
    notes = rows((0, 48, 18, 20), (18, 52, 6, 16), (32, 55, 10, 10), (96, 53, 96, 28))  # the third on a triplet
    chord, _ = chords_in(windows, chord_row("C"), np.zeros(2, int))
    base = base_of(notes[:, 1], "bass" if lowest else "tune", 0)
    bars = line_bars(SHAPES["tune"], windows, notes, chord, base, np.zeros(2, int), lowest=lowest)
    line = line_of(said(SHAPES["tune"], bars), bars.mask, chord, from_root=lowest)
    back = np.concatenate([line_notes(line, w, w, windows, chord[w], base, from_root=lowest) for w in (0, 1)])
    assert back[:, 0].tolist() == [0, 18, 32, 96]
    assert back[:, 1].tolist() == [48, 52, 55, 53]
    assert back[:, 3].tolist() == [20, 16, 10, 28]
    assert back[[0, 1, 3], 2].tolist() == [18, 6, 96]


def test_a_long_note_is_held_in_the_bars_that_follow():
    windows = windows_of(np.array([96, 96, 96]))
    notes, chord = rows((48, 60, 200, 9)), np.zeros((3, 16), int)
    bars = line_bars(SHAPES["tune"], windows, notes, chord, 48, np.zeros(3, int))
    state = bars.cells[..., :38].argmax(-1)
    assert (state[1] == 0).all() and state[2].tolist() == [0] * 9 + [1] * 7
    assert sounding(SHAPES["tune"], bars).tolist() == [True, False, False]


def test_a_bass_read_over_one_chord_follows_another():
    windows = windows_of(np.array([96]))
    read, _ = chords_in(windows, chord_row("C"), np.zeros(1, int))
    write, _ = chords_in(windows, chord_row("F"), np.zeros(1, int))
    bars = line_bars(
        SHAPES["bass"], windows, rows((0, 36, 24, 20), (48, 43, 24, 20)), read, 36, np.zeros(1, int), lowest=True
    )
    line = line_of(said(SHAPES["bass"], bars), bars.mask, write, from_root=True)
    assert line_notes(line, 0, 0, windows, write[0], 36, from_root=True)[:, 1].tolist() == [41, 48]


def test_chord_tones_of_every_chord_keep_their_rungs():
    for number in range(1, len(LADDER)):
        for octave in range(4):
            for place in np.flatnonzero(REAL[number]).tolist():
                above = 12 * octave + int(LADDER[number, place])
                rung = rung_of_pitch(np.array(number), np.array(above))
                assert int(pitch_of_rung(np.array(number), rung)) == above
    numbers = np.arange(1, len(LADDER))
    for rung in range(20):
        pitch = pitch_of_rung(numbers, np.full(len(numbers), rung))
        assert (KNOWN[numbers, pitch % 12] > 0).all()  # a tone that the chord lacks is never written


def test_chords_are_written_as_they_were_read():
    windows = windows_of(np.array([96]))
    chord, _ = chords_in(windows, chord_row("Am7"), np.zeros(1, int))
    notes = rows((0, 57, 48, 20), (0, 60, 48, 20), (0, 64, 48, 20), (48, 55, 24, 12), (66, 64, 6, 12))
    bars = chord_bars(SHAPES["chords"], windows, notes, chord, 48, np.zeros(1, int))
    back = roll_notes(roll_of(said(SHAPES["chords"], bars), bars.mask), 0, 0, windows, chord[0], 48)
    assert back[:, :4].tolist() == notes[np.lexsort((notes[:, 1], notes[:, 0]))][:, :4].tolist()


def test_drums_are_written_as_they_were_read():
    windows = windows_of(np.array([72]))
    notes = rows((0, 36, 6, 24), (0, 42, 6, 12), (24, 38, 6, 28), (46, 46, 6, 9))
    bars = drum_bars(SHAPES["drums"], windows, notes)
    back = kit_notes(kit_of(said(SHAPES["drums"], bars), bars.mask), 0, 0, windows)
    assert back[:, [0, 1, 3]].tolist() == [[0, 0, 24], [0, 3, 12], [24, 1, 28], [46, 4, 9]]


def test_keys_meet_in_one_frame():
    windows = windows_of(np.array([96]))
    frames = []
    for key, chord in (("C major", "G7"), ("E major", "B7"), ("A minor", "G7"), ("D dorian", "G7")):
        shift = shifts_of(np.array([key_number(parse_key(key))]))
        frames.append(int(chords_in(windows, chord_row(chord), shift)[0][0, 0]))
    assert len(set(frames)) == 1
    lifted = shifts_of(np.array([key_number(parse_key(key)) for key in ("F major", "F# major")]))
    assert abs(int(lifted[1] - lifted[0])) == 1  # a lift by a semitone moves the frame by one, not by eleven


def test_the_harmony_tells_tones_and_bass():
    windows = windows_of(np.array([96]))
    chord, under = chords_in(windows, np.array([[0, chord_number(parse_chord("C")), 1 + 4]]), np.zeros(1, int))
    shape = SHAPES["harmony"]
    bars = harmony_bars(shape, windows, chord, under)
    assert bars.cells[0, 0, shape.span("root")].argmax() == 1
    assert np.flatnonzero(bars.cells[0, 3, shape.span("tones")]).tolist() == [0, 4, 7]
    assert bars.cells[0, 7, shape.span("under")].argmax() == 4


def random_weights(seed=0):
    random = np.random.default_rng(seed)
    return {
        kind: {name: random.normal(0, 0.2, size).astype(np.float32) for name, size in weight_sizes(shape).items()}
        for kind, shape in SHAPES.items()
    }


def test_networks_come_back_from_their_file_nearly_as_they_were(tmp_path):
    weights = random_weights()
    size = save_coder(tmp_path / "a.npz", SHAPES, weights, {"ledger": {"x": 1}})
    save_coder(tmp_path / "b.npz", SHAPES, weights, {"ledger": {"x": 1}})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert size == (tmp_path / "a.npz").stat().st_size
    coder = load_coder(tmp_path / "a.npz")
    assert set(coder.networks) == set(KINDS) and coder.meta["ledger"] == {"x": 1}
    windows = windows_of(np.array([96]))
    bars = drum_bars(SHAPES["drums"], windows, rows((0, 36, 6, 24), (24, 38, 6, 28)))
    whole = BarNetwork(SHAPES["drums"], weights["drums"])
    right, found = whole.encode(bars), coder.networks["drums"].encode(bars)
    assert 0 < np.linalg.norm(found - right) < 0.02 * np.linalg.norm(right)


def test_a_damaged_file_is_one_clear_line(tmp_path):
    path = tmp_path / "bars.npz"
    with pytest.raises(CheckpointError, match="missing"):
        load_coder(path)
    save_coder(path, SHAPES, random_weights(), {})
    data = path.read_bytes()
    for name, content in (("cut", data[: len(data) // 2]), ("text", b"no zip"), ("empty", b"")):
        bad = tmp_path / f"{name}.npz"
        bad.write_bytes(content)
        with pytest.raises(CheckpointError) as error:
            load_coder(bad)
        assert "\n" not in str(error.value)
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("something.npy", b"x")
    with pytest.raises(CheckpointError):
        load_coder(tmp_path / "other.npz")


def test_the_way_between_two_latents():
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 6, 8)).astype(np.float32)
    np.testing.assert_allclose(between(first, second, 0.0), first, atol=1e-5)
    np.testing.assert_allclose(between(first, second, 1.0), second, atol=1e-5)
    np.testing.assert_allclose(between(first, first, 0.5), first, atol=1e-5)
    np.testing.assert_allclose(between(first, second, 0.3), between(second, first, 0.7), atol=1e-5)
    lengths = [np.linalg.norm(z, axis=1) for z in (first, between(first, second, 0.5), second)]
    np.testing.assert_allclose(lengths[1], (lengths[0] + lengths[2]) / 2, atol=1e-5)
    assert np.isfinite(between(np.zeros((1, 8), np.float32), second[:1], 0.5)).all()
