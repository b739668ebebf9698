package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// Broker is what lms.env.yml and cms.env.yml say about Redis.
type Broker struct {
	Transport string `yaml:"CELERY_BROKER_TRANSPORT"`
	Hostname  string `yaml:"CELERY_BROKER_HOSTNAME"`
	Database  string `yaml:"CELERY_BROKER_VHOST"`
	User      string `yaml:"CELERY_BROKER_USER"`
	Password  string `yaml:"CELERY_BROKER_PASSWORD"`
}

// scale returns a ScaledObject and a PodDisruptionBudget for each worker, and the items without the autoscalers that
// KEDA takes over.
func scale(
	items []*yaml.RNode, config *Config, variants []Variant, deployments []*yaml.RNode,
) (added, kept []*yaml.RNode, err error) {
	broker, err := brokerOf(items, variants[0].service)
	if err != nil {
		return nil, nil, err
	}
	kept = items
	for i, variant := range variants {
		rival, err := autoscalerOf(kept, variant)
		if err != nil {
			return nil, nil, err
		}
		takesOver := ""
		if rival >= 0 {
			if !config.Spec.Defaults.Keda.ReplaceHPA {
				return nil, nil, fmt.Errorf("%s has an autoscaler already", variant.deployment)
			}
			takesOver = kept[rival].GetName()
			kept = slices.Delete(slices.Clone(kept), rival, rival+1)
		}
		object, err := scaledObject(variant, deployments[i], broker, takesOver)
		if err != nil {
			return nil, nil, err
		}
		budget, err := disruptionBudget(variant, deployments[i])
		if err != nil {
			return nil, nil, err
		}
		added = append(added, object, budget)
	}
	return added, kept, nil
}

func brokerOf(items []*yaml.RNode, service string) (*Broker, error) {
	configMap := find(items, "ConfigMap", "openedx-config")
	if configMap == nil {
		return nil, errors.New("no ConfigMap openedx-config")
	}
	var broker Broker
	if err := yaml.Unmarshal([]byte(configMap.GetDataMap()[service+".env.yml"]), &broker); err != nil {
		return nil, err
	}
	if broker.Transport != "redis" || broker.User != "" || broker.Password != "" {
		return nil, errors.New("only a Redis without credentials is measured")
	}
	host, port, err := net.SplitHostPort(broker.Hostname)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(host, ".") {
		host += "." + configMap.GetNamespace()
	}
	broker.Hostname = net.JoinHostPort(host, port)
	return &broker, nil
}

func autoscalerOf(items []*yaml.RNode, variant Variant) (int, error) {
	for i, item := range items {
		if item.GetKind() != "HorizontalPodAutoscaler" {
			continue
		}
		target, err := item.GetString("spec.scaleTargetRef.name")
		if err != nil {
			return 0, err
		}
		if target == variant.deployment {
			return i, nil
		}
	}
	return -1, nil
}

func scaledObject(variant Variant, deployment *yaml.RNode, broker *Broker, takesOver string) (*yaml.RNode, error) {
	metadata := siteMeta(deployment, variant.deployment+"-scaledobject")
	advanced := map[string]any{"restoreToOriginalReplicaCount": true}
	if takesOver != "" {
		metadata["annotations"].(map[string]any)["scaledobject.keda.sh/transfer-hpa-ownership"] = "true"
		advanced["horizontalPodAutoscalerConfig"] = map[string]any{"name": takesOver}
	}
	triggers := []any{}
	for i, queue := range variant.queues {
		triggers = append(triggers, trigger(fmt.Sprintf("queued%d", i+1), queue, "40", broker))
	}
	triggers = append(triggers, trigger("inflight", "unacked"+variant.unackedSuffix(), "1000000", broker))
	most := 30
	if variant.isDefault() {
		most = 10
	}
	return yaml.FromMap(map[string]any{
		"apiVersion": "keda.sh/v1alpha1",
		"kind":       "ScaledObject",
		"metadata":   metadata,
		"spec": map[string]any{
			"scaleTargetRef":  map[string]any{"kind": "Deployment", "name": variant.deployment},
			"minReplicaCount": 0,
			"maxReplicaCount": most,
			"advanced":        advanced,
			"triggers":        triggers,
		},
	})
}

func trigger(name, key, perPod string, broker *Broker) map[string]any {
	metadata := map[string]any{"listName": key, "listLength": perPod, "address": broker.Hostname}
	if broker.Database != "" && broker.Database != "0" {
		metadata["databaseIndex"] = broker.Database
	}
	return map[string]any{"type": "redis", "name": name, "metadata": metadata}
}

func disruptionBudget(variant Variant, deployment *yaml.RNode) (*yaml.RNode, error) {
	labels := map[string]any{}
	selector, err := deployment.Pipe(yaml.Lookup("spec", "selector", "matchLabels"))
	if err != nil {
		return nil, err
	}
	if err := selector.VisitFields(func(field *yaml.MapNode) error {
		labels[field.Key.YNode().Value] = field.Value.YNode().Value
		return nil
	}); err != nil {
		return nil, err
	}
	return yaml.FromMap(map[string]any{
		"apiVersion": "policy/v1",
		"kind":       "PodDisruptionBudget",
		"metadata":   siteMeta(deployment, variant.deployment),
		"spec": map[string]any{
			"maxUnavailable": 1,
			"selector":       map[string]any{"matchLabels": labels},
		},
	})
}
