"""What `codebook`, `sample`, `code` and `adjudicate` rest on: drawing, sheets to fill in, codes that come in."""
