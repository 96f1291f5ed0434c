"""What the reader has found in a prompt so far; `conclusions` makes the Brief of it."""

from dataclasses import dataclass, field


@dataclass
class Draft:
    """What has been found so far, in the order of the text.

    Attributes:
        said: for every field the values that the person stated.
        numbers: values of fields that hold a number or the name of one (tempo, key…).
        era_hint: the time that a style word belongs to.
        soft_moods: moods and images named only inside the subject.
        artists: names with the values they hint at.
        refused: what was negated and has no field of its own, as written.
        notes, not_understood: as in `Brief`.
    """

    said: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, float | str] = field(default_factory=dict)
    era_hint: str = ""
    soft_moods: list[str] = field(default_factory=list)
    artists: list[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_understood: list[str] = field(default_factory=list)

    def add(self, name: str, value: str) -> None:
        """Adds a value to a field once."""
        values = self.said.setdefault(name, [])
        if value not in values:
            values.append(value)

    def drop(self, name: str, value: str) -> None:
        """Takes a value back."""
        if value in self.said.get(name, ()):
            self.said[name].remove(value)
