"""The learned composer: its network without torch, the rules it writes under, and what is made with it."""
