"""Waveforms: files in and out, resampling, loudness and true peak. No music vocabulary lives here."""
