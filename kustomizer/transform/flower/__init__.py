"""Flower: its Deployment, Service, Secrets, and what monitors and exposes it."""
