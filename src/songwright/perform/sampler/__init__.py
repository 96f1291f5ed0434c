"""Our own soundfont player: SF2 and SF3 files to sound, in numpy."""
