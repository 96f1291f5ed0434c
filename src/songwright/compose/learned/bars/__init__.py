"""Single bars as numbers: what a bar of each kind of part is, the networks that read and write it, their weights."""
