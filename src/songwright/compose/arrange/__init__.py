"""Arrangement: the plan, the chords and the tune become players and their notes."""
