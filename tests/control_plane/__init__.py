"""A real control plane on this machine: what is emitted is applied to it, scaled by it, and runs as real Celery.

``cluster`` starts etcd, the API server, the controllers and KEDA; ``kubelet`` runs the pods of workers as processes;
``faster`` divides the times in what is applied, so that hours take minutes.
"""
