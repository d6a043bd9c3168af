variable "name" {
  description = "Any name."
  type        = string

  validation {
    condition     = can(regex("[A-Za-z0-9]", var.name))
    error_message = "A name needs at least one letter or digit."
  }
}

locals {
  dashed = replace(lower(var.name), "/[^a-z0-9]+/", "-")
  label  = trim(substr(trim(local.dashed, "-"), 0, 63), "-")
}

output "label" {
  description = "The name as one label of a host name: lower case, at most 63 characters."
  value       = local.label
}
