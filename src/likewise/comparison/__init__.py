"""Several set-ups on the same data, side by side."""
