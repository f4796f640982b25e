"""Who somebody is: X.509-SVIDs and trust bundles, TLS by them, and what hands them out."""
