"""From a commit to declarations: read, parse with positions, check by schema and rules. Writes nothing."""
