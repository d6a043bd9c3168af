variable "name" {
  description = "Any name."
  type        = string
}

locals {
  plain   = replace(lower(var.name), "/[^a-z0-9]/", "")
  account = length(local.plain) <= 24 ? local.plain : "${substr(local.plain, 0, 18)}${substr(sha256(local.plain), 0, 6)}"
}

output "account" {
  description = "The name as a storage account: at most 24 letters and digits, and still unique when cut."
  value       = local.account
}
