"""Sockets, clocks and signals: the only place where the runtime has any."""
