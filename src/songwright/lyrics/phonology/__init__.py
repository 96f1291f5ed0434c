"""How words sound in each language: one file per language, and what they share."""
