"""Metrics: Istio's standard ones and our own. Peers cannot make series: every label has a cap (ADR 0251)."""
