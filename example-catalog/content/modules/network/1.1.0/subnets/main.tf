module "netmask" {
  source = "../netmask"

  parts = length(var.names) + var.spare
}

locals {
  ranges = { for index, name in var.names : name => cidrsubnet(var.cidr, module.netmask.bits, index) }
}
