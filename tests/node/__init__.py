"""A real node: kubelet, containerd and the kernel run what is emitted, beside the real control plane. `make node`.

``run`` starts the tests in namespaces of their own; ``machine`` is what happens there before and after; ``node`` starts
kubelet and containerd; ``images`` makes what they run; ``names`` is the cluster's DNS; ``site`` is a site on it.
"""
