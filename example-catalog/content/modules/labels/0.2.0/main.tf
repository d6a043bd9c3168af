variable "team" {
  description = "Who owns it."
  type        = string
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

variable "extra" {
  description = "More labels; they win over the common ones."
  type        = map(string)
  default     = {}
}

output "labels" {
  description = "The labels."
  value       = merge({ team = var.team, environment = var.environment }, var.extra)
}
