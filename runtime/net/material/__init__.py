"""What a sidecar is given, and given anew while it runs: policy, identity, keys of issuers; the last good is kept."""
