"""The live cluster: what is applied, which pods run, what is in flight.

May import `overlay` and what stands above it.
"""
