"""Open data as songs: one file a corpus, with its licence, and what turns them into training shards."""
