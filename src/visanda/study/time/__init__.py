"""Time: units on the clock, joined to what goes on around them, and averaged over stretches and bins."""
