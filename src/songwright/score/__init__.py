"""The written music: `Song` and its parts, theory, and the files a score is read from and written to."""
