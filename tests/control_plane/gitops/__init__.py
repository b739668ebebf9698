"""GitOps controllers, built from their modules, against the real API server: `make gitops` collects these tests."""
