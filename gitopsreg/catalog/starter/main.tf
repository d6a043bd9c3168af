terraform {
  required_version = ">= 1.3"
}

variable "name" {
  description = "Who is greeted."
  type        = string
  default     = "world"
}

output "greeting" {
  description = "The greeting."
  value       = "Hello, ${var.name}!"
}
