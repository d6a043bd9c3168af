locals {
  name = join("-", compact([var.team, var.application, var.environment, var.suffix]))

  tags = {
    team        = var.team
    application = var.application
    environment = var.environment
    name        = local.name
  }
}

# Says in the plan when a name is about to change, before anything that carries it is replaced.
resource "terraform_data" "name" {
  input = local.name

  lifecycle {
    precondition {
      condition     = contains(var.environments, var.environment)
      error_message = "The environment \"${var.environment}\" is none of ${join(", ", var.environments)}."
    }
  }
}
