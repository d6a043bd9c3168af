output "ranges" {
  description = "The address range of each subnet."
  value       = local.ranges
}
