"""Identities from an agent: a client of SPIFFE's Workload API."""
