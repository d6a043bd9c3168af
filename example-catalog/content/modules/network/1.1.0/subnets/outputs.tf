output "ranges" {
  description = "The address range of each subnet."
  value       = local.ranges
}

output "gateways" {
  description = "The first host address of each subnet."
  value       = { for name, range in local.ranges : name => cidrhost(range, 1) }
}
