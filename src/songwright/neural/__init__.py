"""Networks and how they are sampled. `sampling` and `step_model` need only numpy; everything else needs torch.

What the numbers mean (tokens of songs, voices of chorales) is decided by the rooms that use these networks.
"""
