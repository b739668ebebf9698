"""The live cluster: what is applied, which pods run, what is in flight.

May import `advice` and the layers below it (docs/architecture.md).
"""
