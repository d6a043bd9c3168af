"""The shelf: keys and bytes, and one conditional write. Stores know nothing of packages."""
