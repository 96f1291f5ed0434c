"""Song to stems to mix: the players, effects, the mixer and mastering."""
