"""The index: a small content-addressed Merkle tree on the shelf. Pure values, their bytes, and the one pointer."""
