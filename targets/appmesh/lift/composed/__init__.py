"""What files mean that were emitted for a known policy: listeners, composed with the gates in front of them.

Written from what App Mesh does, without looking at what emits the files; names alone are shared (`naming`).
"""
