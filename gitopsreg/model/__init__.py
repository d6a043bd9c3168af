"""The nouns: frozen values that can't be wrong once made. No I/O, no clock, no dictionaries."""
