"""The registry without a server of ours: as plain files for any web server, and as one file across an air gap."""
