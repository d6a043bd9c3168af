variable "cidr" {
  description = "The address range to cut, like \"10.20.0.0/16\"."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0))
    error_message = "An address range is written like 10.20.0.0/16."
  }
}

variable "names" {
  description = "The subnets, in order; adding one at the end may change the size of all."
  type        = list(string)

  validation {
    condition     = length(var.names) > 0 && length(distinct(var.names)) == length(var.names)
    error_message = "At least one name, and each only once."
  }
}

variable "spare" {
  description = "Room for this many more subnets, so that adding them changes no size."
  type        = number
  default     = 0
}
