"""Validity: a machine against gold, on every scale, in subgroups, beside another machine and beside a coder."""
