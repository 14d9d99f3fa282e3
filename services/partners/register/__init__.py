"""The register: which partners there are, and in what standing."""
