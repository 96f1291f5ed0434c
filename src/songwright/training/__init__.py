"""Training of every network here: recipes in, checkpoints and curves out. Importing the package imports no torch."""
