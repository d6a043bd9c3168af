"""Settings become live objects. Only here are concrete classes named."""
