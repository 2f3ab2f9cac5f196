"""One loop for every method. Kept light: the command line reads its options from here."""
