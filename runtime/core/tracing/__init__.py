"""Trace headers: what a request brought is continued, what is malformed is dropped and a new trace is begun."""
