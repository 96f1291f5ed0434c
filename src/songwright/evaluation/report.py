"""The report of a song: what was asked beside what is measured from its audio."""

from typing import Any

import numpy as np

from songwright.brief.brief import Brief
from songwright.compose.learned.novelty import as_dict, nearest
from songwright.evaluation.key import measure_key, relation
from songwright.evaluation.spectrum import SAMPLE_RATE, features, read_mono
from songwright.evaluation.tempo import at_level, measure_tempo
from songwright.perform.render import Rendering
from songwright.score.song import Section, Song
from songwright.score.theory import parse_key

LENGTH_TOLERANCE_SECONDS = 2.0
TEMPO_TOLERANCE = 0.01


def measure_song(song: Song, brief: Brief | None, rendering: Rendering, *, soundfont: dict[str, str]) -> dict[str, Any]:
    """Returns the report as plain data, ready for JSON.

    Args:
        song: the score.
        brief: what was asked, or None for a rendered score (then the score's own values are what was asked).
        rendering: the files that were made from it.
        soundfont: which instruments sounded: file, source, licence, player.
    """
    mono = read_mono(rendering.premaster)
    heard = features(mono)
    tempo = measure_tempo(heard.onset_strength, heard.frame_rate)
    key, lead = measure_key(heard.chroma)
    asked_seconds = brief.duration_seconds if brief is not None else None
    length = _row(asked_seconds, song.duration_seconds, rendering.duration_seconds)
    length["within"] = asked_seconds is None or abs(rendering.duration_seconds - asked_seconds) <= _length_tolerance(
        song
    )
    written_bpm = song.tempos[0].bpm
    asked_bpm = brief.tempo_bpm if brief is not None else None
    bpm = at_level(tempo.bpm, written_bpm)
    tempo_row = _row(asked_bpm, written_bpm, bpm)
    tempo_row.update(confidence=_round(tempo.confidence), within=abs(bpm / written_bpm - 1.0) <= TEMPO_TOLERANCE)
    written_key = parse_key(song.keys[0].key)
    asked_key = brief.key if brief is not None and brief.origin("key") == "said" else None
    key_row: dict[str, Any] = {"asked": asked_key, "written": song.keys[0].key, "measured": str(key)}
    key_row.update(relation=relation(written_key, key), lead=_round(lead))
    return {
        "format": "songwright.report",
        "schema_version": 1,
        "title": song.title,
        "style": song.style,
        "seed": song.seed,
        "length_seconds": length,
        "tempo_bpm": tempo_row,
        "key": key_row,
        "loudness_lufs": _row(song.master.loudness_lufs, None, rendering.loudness_lufs),
        "true_peak_dbtp": _row(-1.0, None, rendering.true_peak_dbtp),
        "sections": section_levels(song, mono),
        "contrast_db": _contrast(song, mono),
        "novelty": as_dict(nearest(song)),
        "stems": sorted(rendering.stems),
        "stems_reused": sorted(rendering.reused),
        "soundfont": soundfont,
        "provenance": dict(song.provenance),
        "premaster_format": "24-bit integers" if rendering.premaster_integer else "32-bit floats",
        "notes": [*(brief.notes if brief is not None else ()), *rendering.notes],
        "not_understood": list(brief.not_understood) if brief is not None else [],
    }


def section_levels(song: Song, mono: np.ndarray) -> list[dict[str, Any]]:
    """Returns the level and number of note onsets of every section, from audio before the bus and from the score.

    Args:
        song: the score.
        mono: (samples,) of the premaster at `spectrum.SAMPLE_RATE`.
    """
    rows = []
    starts = np.array(sorted(n.start_ticks for t in song.tracks for n in t.notes), dtype=np.int64)
    for section in song.sections:
        first = int(song.seconds_at(section.start_ticks) * SAMPLE_RATE)
        last = int(song.seconds_at(section.end_ticks) * SAMPLE_RATE)
        level = _level_db(mono[first:last])
        onsets = int(np.searchsorted(starts, section.end_ticks) - np.searchsorted(starts, section.start_ticks))
        seconds = max((last - first) / SAMPLE_RATE, 1e-6)
        rows.append(
            {
                "label": section.label,
                "role": section.role,
                "seconds": _round(seconds),
                "energy": section.energy,
                "rms_db": _round(level),
                "onsets_per_second": _round(onsets / seconds),
            }
        )
    return rows


def summarise(report: dict[str, Any]) -> str:
    """Returns the report in a few lines for the terminal."""
    length, tempo, key = report["length_seconds"], report["tempo_bpm"], report["key"]
    minutes, seconds = divmod(round(length["measured"]), 60)
    lines = [
        f"{report['title']}  ({report['style'] or 'imported score'}, seed {report['seed']})",
        f"length {minutes}:{seconds:02d}{_asked(length)}, tempo {tempo['measured']:.1f} bpm{_asked(tempo)}, "
        f"key {key['written']} (heard: {key['measured']}), "
        f"{report['loudness_lufs']['measured']:.1f} LUFS, peak {report['true_peak_dbtp']['measured']:.1f} dBTP",
        "sections: " + "  ".join(f"{row['label']} {row['rms_db']:.0f} dB" for row in report["sections"]),
        f"soundfont: {report['soundfont']['file']} ({report['soundfont']['source']})",
    ]
    if "candidates" in report["provenance"]:
        lines.append(_summarise_candidates(report["provenance"]["candidates"]))
    if "singing" in report:
        lines.insert(3, _summarise_singing(report["singing"]))
    if "novelty" in report:
        lines.append(report["novelty"]["told"])
    if report["not_understood"]:
        lines.append(f"not understood: {', '.join(report['not_understood'])}")
    took = report.get("seconds")
    if took:
        lines.append("took " + ", ".join(f"{name} {value:.1f} s" for name, value in took.items() if value >= 0.05))
    return "\n".join(lines)


def _summarise_candidates(candidates: dict[str, Any]) -> str:
    """Returns which candidate was taken, and what the critic said of each."""
    chosen, scores = candidates["chosen"], candidates["scores"]
    totals = ", ".join(f"{one['total']:+.2f}" for one in scores)
    return f"took candidate {chosen} of 0 to {len(scores) - 1} (seed {scores[chosen]['seed']}); the critic: {totals}"


def _summarise_singing(singing: dict[str, Any]) -> str:
    parts = [f"voice: {singing['singer']} ({singing['source']}), {singing['syllables']} syllables"]
    if singing.get("syllables_found") is not None:
        parts.append(f"{singing['syllables_found']:.0%} heard in their places")
    if singing.get("pyin"):
        parts.append(f"{singing['pyin']['median_cents']:.0f} cents off")
    if singing.get("level_over_instruments_db") is not None:
        parts.append(f"{singing['level_over_instruments_db']:+.1f} dB over the band")
    return ", ".join(parts)


def _asked(row: dict[str, Any]) -> str:
    return "" if row["asked"] is None else f" (asked {row['asked']:g})"


def _length_tolerance(song: Song) -> float:
    meter = song.meters[0]
    half_bar = 0.5 * meter.bar_ticks * song.seconds_at(960) / 960
    return max(LENGTH_TOLERANCE_SECONDS, half_bar) + 0.05


def contrast_sections(song: Song) -> tuple[Section, Section] | None:
    """Returns the first verse and the last chorus (or what stands for them in styles without), or None."""
    lifted = [s for s in song.sections if s.role in ("chorus", "drop")]
    lifted = lifted or [s for s in song.sections if s.role in ("head", "theme")]
    plain = [s for s in song.sections if s.role == "verse"]
    plain = plain or [s for s in song.sections if s.role in ("head", "theme")]
    plain = plain or [s for s in song.sections if s.role != "intro"]
    if not lifted or not plain or lifted[-1] == plain[0]:
        return None
    return plain[0], lifted[-1]


def _contrast(song: Song, mono: np.ndarray) -> float | None:
    """Returns how much louder the last chorus is than the first verse, before the bus."""
    pair = contrast_sections(song)
    if pair is None:
        return None
    levels = {row["label"]: row["rms_db"] for row in section_levels(song, mono)}
    return _round(levels[pair[1].label] - levels[pair[0].label])


def _level_db(mono: np.ndarray) -> float:
    if not len(mono):
        return -120.0
    return float(10 * np.log10(np.mean(np.square(mono, dtype=np.float64)) + 1e-12))


def _row(asked: float | None, written: float | None, measured: float) -> dict[str, Any]:
    row: dict[str, Any] = {"asked": asked, "measured": _round(measured)}
    if written is not None:
        row["written"] = _round(written)
    return row


def _round(value: float) -> float:
    return round(float(value), 3)
