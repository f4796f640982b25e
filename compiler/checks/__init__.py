"""Checks: what is wrong or doubtful in a policy, one file a check, found by `registry`."""
