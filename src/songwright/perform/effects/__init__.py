"""Effects of the mixer: each a function from a stereo waveform to a stereo waveform of the same length.

`chain.EFFECTS` lists them by the name that style books and scores use.
"""
