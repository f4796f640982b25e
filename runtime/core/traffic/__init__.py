"""What a sender does with its traffic by the routes of a policy: pure, with clock and randomness passed in."""
