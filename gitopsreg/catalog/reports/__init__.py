"""The report in the forms that forges and CI services read: one pure function a format, from a Report to its text."""
