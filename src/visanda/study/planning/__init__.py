"""Planning: how many codes, of which rows, by how many coders."""
