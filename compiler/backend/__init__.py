"""What a target is: the interface that every backend implements, and what goes in and out of it."""
