"""Voicebanks that sing by themselves: folders in the DiffSinger format, as OpenUtau reads them."""
