output "name" {
  description = "The name, like \"payments-checkout-dev\"."
  value       = local.name
}

output "tags" {
  description = "Tags for everything that carries the name."
  value       = local.tags
}
