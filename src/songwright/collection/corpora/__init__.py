"""One module a corpus; each ends in its `CORPUS`. `catalogue` lists them."""
