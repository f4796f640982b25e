"""What App Mesh leaves to others when a policy is compiled to it."""
