"""songwright: one sentence becomes a finished song, written as a score first."""

__version__ = "0.1.0"
