"""The PrometheusRule: alerts on queues, workers and Flower."""
