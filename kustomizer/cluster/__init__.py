"""The live cluster: what is applied, which pods run, what is in flight.

May import `overlay` and the layers below it (docs/architecture.md).
"""
