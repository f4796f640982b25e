"""What is seen from outside: metrics, access log, decision log, spans. It slows nobody down and stops nobody."""
