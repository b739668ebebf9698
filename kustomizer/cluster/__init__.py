"""The live cluster: what is applied, which pods run, what is in flight.

May import `advice` and what stands below it.
"""
