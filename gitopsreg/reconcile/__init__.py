"""From declarations to a published index: resolve, plan, sync, publish, and again. Knows no library."""
