locals {
  name = join("-", [var.team, var.application, var.environment])

  tags = {
    team        = var.team
    application = var.application
    environment = var.environment
  }
}
