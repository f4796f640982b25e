"""Tokens: where they stand in a request, whether an issuer of the policy has signed them, and what they claim.

`Verifier.verify` is all that whoever judges requests needs; `KeyRefresher` keeps the keys of the issuers current.
"""
