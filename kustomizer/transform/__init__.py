"""The function's steps, in the order in which they run: plan, copies, scaling, budgets, routing,
Flower, what puts orphans back, alerts.

`keda/`, `flower/` and `alerts/` are imported only for a configuration that asks for them.

May import `openedx` and `tasks`, and what stands below them.
"""
