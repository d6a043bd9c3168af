variable "parts" {
  description = "How many equal parts are needed."
  type        = number

  validation {
    condition     = var.parts >= 1 && var.parts <= 256 && floor(var.parts) == var.parts
    error_message = "From 1 to 256 whole parts."
  }
}

output "bits" {
  description = "How many bits longer the mask of a part is."
  value       = ceil(log(var.parts, 2))
}
