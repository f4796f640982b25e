"""Building the tree: a method for each production of `grammar.lark`, called as soon as the parser has read it whole.

There is no parse tree in between. What the grammar cannot refuse (a day that does not exist, a clause that stands
twice) is refused here.
"""
