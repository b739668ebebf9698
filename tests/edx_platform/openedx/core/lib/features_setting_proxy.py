class FeaturesProxy:
    """Feature flags that are settings: it has to be given the namespace of the module that Django loads."""

    def __init__(self, namespace):
        self.ns = namespace
