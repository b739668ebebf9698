"""KEDA's objects for a worker that scales with its queue: ScaledObject and TriggerAuthentication."""
