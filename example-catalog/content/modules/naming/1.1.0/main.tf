locals {
  name = join("-", compact([var.team, var.application, var.environment, var.suffix]))

  tags = {
    team        = var.team
    application = var.application
    environment = var.environment
  }
}
