"""Tiny soundfonts made in memory, for the sampler's tests."""

import io
import struct
from dataclasses import dataclass, field

import numpy as np

FREQUENCY_HZ = 441.0


def sine(seconds=0.5, rate=44100, frequency=FREQUENCY_HZ):
    """A sine whose period is exactly 100 samples, 16 bit."""
    return np.round(np.sin(2 * np.pi * frequency / rate * np.arange(int(seconds * rate))) * 16384).astype("<i2")


def noise(seconds=2.0, rate=44100):
    return (np.random.default_rng(7).uniform(-0.5, 0.5, int(seconds * rate)) * 32767).astype("<i2")


@dataclass
class Sample:
    data: np.ndarray
    loop: tuple[int, int] = (100, 2100)
    rate: int = 44100
    root: int = 69
    correction: int = 0


@dataclass
class Zone:
    """Generators and modulators of one zone; `target` is its sample (or None for a global zone)."""

    target: int | None
    generators: dict[int, int] = field(default_factory=dict)
    modulators: list[tuple[int, int, int, int]] = field(default_factory=list)  # source, destination, amount, scale


@dataclass
class Preset:
    zones: list[Zone]
    bank: int = 0
    program: int = 0
    outer: list[Zone] = field(default_factory=list)  # preset zones: a global one, or one with its own generators


def chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _level(groups: list[list[Zone]], link: int) -> tuple[list[int], bytes, bytes, bytes]:
    """Bags, modulators and generators of one level, and where each group's bags begin."""
    starts, bags, mods, gens = [], b"", b"", b""
    for zones in groups:
        starts.append(len(bags) // 4)
        for zone in zones:
            bags += struct.pack("<HH", len(gens) // 4, len(mods) // 10)
            rows = [(k, v) for k, v in zone.generators.items() if k in (43, 44)]
            rows += [(k, v) for k, v in zone.generators.items() if k not in (43, 44)]
            if zone.target is not None:
                rows.append((link, zone.target))
            gens += b"".join(struct.pack("<HH", k, v & 0xFFFF) for k, v in rows)
            mods += b"".join(struct.pack("<HHhHH", s, d, a, c, 0) for s, d, a, c in zone.modulators)
    starts.append(len(bags) // 4)
    bags += struct.pack("<HH", len(gens) // 4, len(mods) // 10)
    return starts, bags, mods + b"\0" * 10, gens + b"\0" * 4


def build(samples: list[Sample], presets: list[Preset], *, vorbis: bool = False) -> bytes:
    """A soundfont with one instrument for each preset."""
    pool, headers = b"", b""
    for i, s in enumerate(samples):
        start = len(pool) if vorbis else len(pool) // 2
        if vorbis:
            import soundfile

            file = io.BytesIO()
            soundfile.write(file, s.data.astype(np.float32) / 32768, s.rate, format="OGG", subtype="VORBIS")
            pool += file.getvalue()
        else:
            pool += s.data.tobytes()
        end = len(pool) if vorbis else len(pool) // 2
        loop = s.loop if vorbis else (s.loop[0] + start, s.loop[1] + start)
        kind = 0x11 if vorbis else 1
        name = f"sample {i}".encode()
        headers += struct.pack("<20sIIIIIBbHH", name, start, end, *loop, s.rate, s.root, s.correction, 0, kind)
        if not vorbis:
            pool += bytes(92)
    headers += struct.pack("<20sIIIIIBbHH", b"EOS", *[0] * 9)
    outer = []
    for i, p in enumerate(presets):
        *common, last = p.outer or [Zone(None)]
        outer.append([*common, Zone(i, last.generators, last.modulators)])
    starts, pbag, pmod, pgen = _level(outer, 41)
    rows = [(f"preset {p.program}", p.program, p.bank, s) for p, s in zip(presets, starts, strict=False)]
    rows.append(("EOP", 0, 0, starts[-1]))
    phdr = b"".join(struct.pack("<20sHHHIII", n.encode(), p, b, s, 0, 0, 0) for n, p, b, s in rows)
    starts, ibag, imod, igen = _level([p.zones for p in presets], 53)
    inst = b"".join(struct.pack("<20sH", b"instrument", s) for s in starts)
    tables = {"phdr": phdr, "pbag": pbag, "pmod": pmod, "pgen": pgen}
    tables |= {"inst": inst, "ibag": ibag, "imod": imod, "igen": igen, "shdr": headers}
    info = chunk(b"ifil", struct.pack("<HH", 3 if vorbis else 2, 1)) + chunk(b"INAM", b"Tiny\0\0")
    body = b"sfbk" + chunk(b"LIST", b"INFO" + info) + chunk(b"LIST", b"sdta" + chunk(b"smpl", pool))
    body += chunk(b"LIST", b"pdta" + b"".join(chunk(k.encode(), v) for k, v in tables.items()))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def simple(generators=None, *, data=None, modulators=(), **preset) -> bytes:
    """A font of one looped sample (a sine unless given), on program 0."""
    loop = {54: 1} if data is None else {}
    sample = Sample(sine() if data is None else data, correction=-4)  # 441 Hz is 3.93 cents above A4
    return build([sample], [Preset([Zone(0, loop | (generators or {}), list(modulators))], **preset)])
