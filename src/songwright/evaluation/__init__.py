"""Measuring music: one metric a file, and the report that holds what was asked against what came out."""
