"""The tree of a policy: frozen values, one file a concern, compared without their places.

Importing it loads no parser.
"""
