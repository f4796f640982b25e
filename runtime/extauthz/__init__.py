"""The external authorizer that Envoys ask: what it takes from a request, and what it answers. No socket, no clock."""
