"""What estimates in a corpus rest on: the columns that a formula names, and the files that results are written to."""
