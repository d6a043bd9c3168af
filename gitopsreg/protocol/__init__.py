"""The wire protocols as pure functions: snapshot in, documents out. No I/O, no framework."""
