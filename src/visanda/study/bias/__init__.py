"""Bias: whom a machine serves worse, what that does to an estimate, and who is in a collection."""
