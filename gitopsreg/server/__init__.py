"""HTTP: reads the shelf, answers clients, writes nothing."""
