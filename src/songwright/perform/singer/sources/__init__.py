"""What speaks for a singer: one file for each engine, all following `singer.source.Source`."""
