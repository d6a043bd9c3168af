"""The doors to the network and to Git: time limits, caps and refusals live here, not above."""
