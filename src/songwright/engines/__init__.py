"""Ways from a Brief to a Recording; `score` writes the music first and then plays it."""
