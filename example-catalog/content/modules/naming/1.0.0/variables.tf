variable "team" {
  description = "Who owns it, like \"payments\"."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.team))
    error_message = "A team is 2 to 16 lower-case letters and digits and starts with a letter."
  }
}

variable "application" {
  description = "What it is for, like \"checkout\"."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.application))
    error_message = "An application is 2 to 31 lower-case letters, digits and dashes and starts with a letter."
  }
}

variable "environment" {
  description = "Where it runs."
  type        = string
  default     = "dev"

  validation {
    condition     = contains(["dev", "test", "prod"], var.environment)
    error_message = "An environment is dev, test or prod."
  }
}
