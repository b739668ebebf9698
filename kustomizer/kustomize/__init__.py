"""Running kustomize, and reading kustomizations and what a build printed."""
