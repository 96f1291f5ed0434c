"""The singer: a vocal track of a score becomes sound."""
