"""Say what is installed, which soundfont sounds, and how fast this machine is; fetch a better soundfont."""

import argparse
import os
import platform
import sys
import time

EXAMPLES = """examples:
  songwright doctor
  songwright doctor --get-soundfont
"""

_PACKAGES = {
    "core": (
        "numpy",
        "scipy",
        "soundfile",
        "soxr",
        "pretty_midi",
        "pillow",
        "espeakng-loader",
        "pyworld-prebuilt",
        "pypinyin",
        "onnxruntime",
    ),
    "train": ("torch", "safetensors", "onnx"),
    "voices": ("pyyaml",),
    "llm": ("openai",),
    "notation": ("music21",),
    "plots": ("matplotlib",),
}
_BANNED = ("torchaudio", "torchvision", "torchcodec", "tensorflow", "fadtk")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--get-soundfont", action="store_true", help="install a better General MIDI soundfont (40 MB)")


def run(args: argparse.Namespace) -> int:
    """Prints the state of the installation; 2 when something needed is missing."""
    from songwright import __version__
    from songwright.cli.show import ProgressLine
    from songwright.perform.soundfonts import find_soundfont, get_soundfont

    if args.get_soundfont:
        with ProgressLine() as progress:
            print(f"soundfont: {get_soundfont(progress)}")
    print(f"songwright {__version__}, Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} CPUs")
    missing = _print_packages()
    choice = find_soundfont()
    print(f"soundfont: {choice.path} ({choice.source}; licence {choice.licence})")
    speaks = _print_speech()
    for program, what in (
        ("fluidsynth", "--player fluidsynth"),
        ("festival", "--voice-source festival"),
        ("flite", "--voice-source flite"),
    ):
        print(f"{program}: {'found' if _which(program) else 'not installed'} ({what})")
    _print_voices()
    _print_speed()
    return 0 if speaks and not missing else 2


def _print_speech() -> bool:
    """Says whether the singers have a voice to sing with; False if espeak-ng does not work."""
    from songwright.score.voices import SINGERS
    from songwright.speech.espeak import SpeechError, Utterance, speak

    try:
        spoken = speak([Utterance("la")], "en")[0]
    except SpeechError as error:
        print(f"singers: {error}", file=sys.stderr)
        return False
    print(f"singers: {', '.join(SINGERS)} (espeak-ng speaks: {len(spoken.phones)} phones)")
    return True


def _print_voices() -> None:
    """Lists the piper voices and the voicebanks in the folder of voices."""
    from songwright.perform.singer.bank.config import voices_folder

    folder = voices_folder()
    voices = sorted(p.stem for p in folder.glob("*.onnx")) if folder.is_dir() else []
    banks = sorted(p.parent.name for p in folder.glob("*/dsconfig.yaml")) if folder.is_dir() else []
    found = [f"piper:{name}" for name in voices] + [f"bank:{name}" for name in banks]
    print(f"voices in {folder}: {', '.join(found) or 'none'} (--voice-source piper:NAME or bank:NAME)")


def _which(program: str) -> str | None:
    import shutil

    return shutil.which(program)


def _print_packages() -> list[str]:
    from importlib.metadata import PackageNotFoundError, version

    missing = []
    for extra, names in _PACKAGES.items():
        found = []
        for name in names:
            try:
                found.append(f"{name} {version(name)}")
            except PackageNotFoundError:
                found.append(f"{name} missing")
                if extra == "core":
                    missing.append(name)
        print(f"{extra}: {', '.join(found)}")
    for name in _BANNED:
        try:
            print(f"warning: {name} {version(name)} is installed and is known to break other packages", file=sys.stderr)
        except PackageNotFoundError:
            continue
    return missing


def _print_speed() -> None:
    """Times two small jobs that bound a song: memory copies and a filter, the median of five each."""
    import numpy as np
    from scipy import signal

    block = np.random.default_rng(0).standard_normal((2, 44100 * 20)).astype(np.float32)
    sos = signal.butter(4, 1000.0, fs=44100.0, output="sos")
    copy = _median_seconds(lambda: block * np.float32(0.5))
    filtered = _median_seconds(lambda: signal.sosfilt(sos, block, axis=-1))
    rate = 2 * block.nbytes / copy / 1e9
    print(f"memory: {rate:.1f} GB/s; filter: {20 / filtered:.0f} times real time (stereo, 1 thread)")


def _median_seconds(job: object) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        job()  # type: ignore[operator]
        times.append(time.perf_counter() - started)
    return sorted(times)[2]
