"""HTTP/2 both ways (RFC 9113): bytes to events and commands to bytes, every state bounded, nothing trusted."""
