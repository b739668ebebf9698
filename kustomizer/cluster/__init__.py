"""The live cluster: what is applied, which pods run, what is in flight.

May import `site` and `overlay`, and what stands below them.
"""
