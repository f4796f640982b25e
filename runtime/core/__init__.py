"""What the runtime says to what it is sent: no socket, no clock, no randomness, so every case is a test of data."""
