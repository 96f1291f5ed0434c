"""Every corpus the program knows, by name."""

from songwright.collection.corpora import (
    bands,
    billboard,
    chopin,
    chorales,
    groove,
    hymnal,
    lieder,
    openewld,
    pop909,
    quartets,
    tunes,
)
from songwright.collection.corpus import Corpus

CORPORA: dict[str, Corpus] = {
    "pop909": pop909.CORPUS,
    "pop909-hands": pop909.HANDS,
    "openewld": openewld.CORPUS,
    "open-hymnal": hymnal.CORPUS,
    "openscore-lieder": lieder.CORPUS,
    "mcgill-billboard": billboard.CORPUS,
    "groove-midi": groove.CORPUS,
    "groove-fills": groove.FILLS,
    "freedoom-midi": bands.FREEDOOM,
    "folk-abc": tunes.FOLK,
    "openscore-quartets": quartets.CORPUS,
    "chopin-kern": chopin.CORPUS,
    "nottingham": tunes.NOTTINGHAM,
    "openmsx-midi": bands.OPENMSX,
    "jsb-chorales": chorales.JSB,
    "js-fakes": chorales.FAKES,
}
"""In the order in which they are prepared; those that weights may learn from first."""
