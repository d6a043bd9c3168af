"""A Terraform and OpenTofu registry whose whole desired state is a Git repository."""

__version__ = "0.1.0"
