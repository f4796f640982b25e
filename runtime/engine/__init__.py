"""The decision engine: an index of a policy that decides and routes as the language reference says.

It is a reading of its own: it shares values with the compiler and nothing else, above all not the interpreter. The
work of a decision does not grow with rules that cannot match: destination and caller are looked up first, then the
method, then the path.
"""
