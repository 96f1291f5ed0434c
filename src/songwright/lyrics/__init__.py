"""Lyrics: sheets of sections, lines, words and syllables; their sounds; their timing; the writer."""
