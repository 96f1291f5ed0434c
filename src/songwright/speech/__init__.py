"""Speech: the phonemes of texts and their sound, from espeak-ng in a process of its own."""
