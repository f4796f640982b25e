"""What every target needs to write files: YAML that is read as it was meant, and names that Kubernetes takes."""
