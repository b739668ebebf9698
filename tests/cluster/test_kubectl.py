"""Kinds that a cluster doesn't know are said once each, in kubectl's words of two kinds: alone, and among others."""

from __future__ import annotations

from subprocess import CompletedProcess

from kustomizer.cluster.kubectl import refusal

VPA = (
    'resource mapping not found for name: "{}-vpa" namespace: "openedx" from "STDIN": '
    'no matches for kind "VerticalPodAutoscaler" in version "autoscaling.k8s.io/v1"\nensure CRDs are installed first'
)
SCALED = (
    'resource mapping not found for name: "lms-worker-scaledobject" namespace: "openedx" from "STDIN": '
    'no matches for kind "ScaledObject" in version "keda.sh/v1alpha1"\nensure CRDs are installed first'
)
NAMES = ("caddy", "cms", "lms", "mfe")


def said(stderr: str) -> str:
    return str(refusal("kubectl apply", CompletedProcess(["kubectl"], 1, "", stderr)))


def test_each_kind_is_said_once() -> None:
    words = "\n".join([*map(VPA.format, NAMES), SCALED])
    assert said(f"Warning: PollingInterval isn't relevant.\n{words}\n").split("\n") == [
        "kubectl apply: the cluster doesn't know VerticalPodAutoscaler of autoscaling.k8s.io/v1: "
        "caddy-vpa, cms-vpa and 2 more",
        "the cluster doesn't know ScaledObject of keda.sh/v1alpha1, which KEDA brings: lms-worker-scaledobject. "
        "Install what brings such a kind, or take the objects out of the build",
    ]


def test_what_else_is_wrong_is_said_too() -> None:
    words = ", ".join(map(VPA.format, NAMES[:2]))
    invalid = 'Error from server (Invalid): Deployment.apps "cms" is invalid: spec.replicas: Invalid value'
    assert said(f"[{words}]\n{invalid}\n").split("\n") == [
        f"kubectl apply: {invalid}",
        "the cluster doesn't know VerticalPodAutoscaler of autoscaling.k8s.io/v1: caddy-vpa and cms-vpa. "
        "Install what brings such a kind, or take the objects out of the build",
    ]


def test_other_errors_stay_as_they_are() -> None:
    assert said("error: it is so\n") == "kubectl apply: it is so"
    assert said("Warning: nothing else\n") == "kubectl apply: Warning: nothing else"
    assert said("") == "kubectl apply: exit status 1"
