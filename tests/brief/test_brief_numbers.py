"""Tempo, length, key, metre and decade in three languages."""

import pytest

from songwright.brief.reader import read_prompt
from songwright.score.theory import parse_key

TEMPI = {
    "at 92 bpm": 92, "92 BPM": 92, "tempo: 76": 76, "90-100 bpm": 95, "♩=120": 120, "121.5bpm": 121.5,
    "jazz, 140 beats per minute": 140, "темп 76": 76, "180 ударов в минуту": 180, "140 бпм": 140, "每分钟180拍": 180,
    "速度120": 120, "一百二十拍": 120, "90拍": 90, "九十二拍": 92, "drum and bass 174": 174, "ninety bpm": 90,
    "tempo of 88": 88, "，75bpm": 75,
}  # fmt: skip
LENGTHS = {
    "three minutes": 180, "3:30": 210, "a minute and a half": 90, "two and a half minutes": 150, "90 seconds": 90,
    "3 min": 180, "2 minutes 40 seconds": 160, "3-minute song": 180, "45s": 45, "half a minute": 30, "2.5 minutes": 150,
    "1 min 30": 90, "3m20s": 200, "(30s)": 30,
    "полторы минуты": 90, "три минуты": 180, "две с половиной минуты": 150, "полминуты": 30, "на 10 минут": 600,
    "минута тридцать": 90, "40 секунд": 40, "2分30秒": 150, "三分钟": 180, "两分半": 150, "一分半": 90, "半分钟": 30,
    "时长：3:30": 210, "3分鐘": 180, "1:05": 65,
}  # fmt: skip
KEYS = {
    "in A minor": "A minor", "in a minor": "A minor", "in a minor key": "minor", "key of C": "C major",
    "Am, slow": "A minor",
    "F# minor": "F# minor", "Bb major": "Bb major", "in E flat major": "Eb major", "D dorian": "D dorian",
    "in Am": "A minor",
    "C sharp minor": "C# minor", "blues in A, 12 bar": "A major", "B flat": "Bb major", "minor key": "minor",
    "a小调": "A minor", "降B大调": "Bb major", "升f小调": "F# minor", "C大调": "C major", "大调": "major",
    "ля минор": "A minor", "в ля миноре": "A minor", "си-бемоль мажор": "Bb major", "фа-диез минор": "F# minor",
    "в миноре": "minor", "a-moll": "A minor", "C-Dur": "C major", "h-moll": "B minor", "调性：Am": "A minor",
    "key: G major.": "G major", "jazz, 95bpm; G": "G major",
    "соль минор": "G minor", "harmonic minor": "", "a minor problem": "",
}  # fmt: skip
METERS = {
    "waltz time": "3/4", "6/8": "6/8", "in 12/8 time": "12/8", "5/4": "5/4", "四三拍": "3/4", "6/8拍": "6/8",
    "三拍子": "3/4",
    "четыре четверти": "4/4", "размер три четверти": "3/4", "шесть восьмых": "6/8", "open 24/7": "", "八六拍": "6/8",
}  # fmt: skip
ERAS = {
    "80s": "1980s", "1980s": "1980s", "'90s": "1990s", "eighties": "1980s", "00s": "2000s", "from 1967": "1960s",
    "80-х": "1980s", "90-е": "1990s", "восьмидесятых": "1980s", "девяностые": "1990s", "80年代": "1980s",
    "八十年代": "1980s", "九十年代": "1990s", "1920s": "1920s", "70-х годов": "1970s",
}  # fmt: skip


@pytest.mark.parametrize("text", TEMPI)
def test_tempo(text):
    assert read_prompt(f"x {text}" if text[0] == "，" else text).tempo_bpm == TEMPI[text]


@pytest.mark.parametrize("text", LENGTHS)
def test_length(text):
    brief = read_prompt(text)
    assert brief.duration_seconds == LENGTHS[text]
    assert (brief.tempo_bpm, brief.key, brief.meter, brief.era) == (None, "", "", "")


@pytest.mark.parametrize("text", KEYS)
def test_key(text):
    key = read_prompt(text).key
    assert key == KEYS[text]
    if " " in key:
        assert str(parse_key(key)) == key


@pytest.mark.parametrize("text", METERS)
def test_meter(text):
    assert read_prompt(text).meter == METERS[text]


@pytest.mark.parametrize("text", ERAS)
def test_era(text):
    assert read_prompt(text).era == ERAS[text]
