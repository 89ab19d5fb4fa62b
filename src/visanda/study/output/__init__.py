"""Output: what goes into a paper: tables of several models, figures, the methods paragraph, a replication folder."""
