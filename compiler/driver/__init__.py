"""What the commands do, without a command line: read, resolve, judge, decide, explain, compile.

Every step is a function from values to values; nothing here prints, and bad input becomes a finding.
"""
