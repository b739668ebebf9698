package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const (
	nameLabel   = "app.kubernetes.io/name"
	sitePrefix  = "app.kubernetes.io/"
	settingsKey = "production.py"
)

// bookkeeping is kustomize's own: a clone that keeps it makes references to the worker ambiguous.
var bookkeeping = []string{
	"internal.config.kubernetes.io/", "config.kubernetes.io/", "config.k8s.io/", "kustomize.config.k8s.io/id",
}

// protection is what the cluster autoscaler and Karpenter heed.
var protection = map[string]string{
	"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
	"karpenter.sh/do-not-disrupt":                    "true",
}

// split restricts the worker of a service and adds its copies, their settings and what scales them.
func split(items []*yaml.RNode, config *Config, service string) ([]*yaml.RNode, error) {
	worker := find(items, "Deployment", service+"-worker")
	settings := find(items, "ConfigMap", "openedx-settings-"+service)
	if worker == nil || settings == nil {
		return nil, errors.New("no worker, or no settings")
	}
	variants := config.variants(service)
	if err := checkQueues(worker, variants); err != nil {
		return nil, err
	}
	// Each made from the worker as Tutor emitted it.
	deployments := make([]*yaml.RNode, len(variants))
	deployments[0] = worker
	for i, variant := range variants[1:] {
		clone, err := cloneOf(worker, variant)
		if err != nil {
			return nil, err
		}
		deployments[i+1] = clone
	}
	added := []*yaml.RNode{}
	for i, variant := range variants {
		if err := configure(deployments[i], config, variant, settings); err != nil {
			return nil, err
		}
		configMap, err := settingsFor(variant, deployments[i])
		if err != nil {
			return nil, err
		}
		if i > 0 {
			added = append(added, deployments[i])
		}
		added = append(added, configMap)
	}
	at := slices.Index(items, worker) + 1
	if config.Spec.Defaults.Keda.Enabled {
		scalers, kept, err := scale(items, config, variants, deployments)
		if err != nil {
			return nil, err
		}
		items, added = kept, append(added, scalers...)
		at = slices.Index(items, worker) + 1
	}
	return slices.Insert(items, at, added...), nil
}

func find(items []*yaml.RNode, kind, name string) *yaml.RNode {
	for _, item := range items {
		if item.GetKind() == kind && item.GetName() == name {
			return item
		}
	}
	return nil
}

func checkQueues(worker *yaml.RNode, variants []Variant) error {
	args, err := worker.Pipe(yaml.Lookup("spec", "template", "spec", "containers", "0", "args"))
	if err != nil || args == nil {
		return errors.Join(err, errors.New("the worker has no arguments"))
	}
	assigned := map[string]bool{}
	for _, variant := range variants {
		for _, queue := range variant.queues {
			assigned[queue] = true
		}
	}
	for _, arg := range args.Content() {
		queues, found := strings.CutPrefix(arg.Value, "--queues=")
		if !found {
			continue
		}
		for _, queue := range strings.Split(queues, ",") {
			if !assigned[queue] {
				return fmt.Errorf("no worker would consume %s", queue)
			}
		}
	}
	return nil
}

func cloneOf(worker *yaml.RNode, variant Variant) (*yaml.RNode, error) {
	clone := worker.Copy()
	annotations := clone.GetAnnotations()
	for key := range annotations {
		if slices.ContainsFunc(bookkeeping, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
			delete(annotations, key)
		}
	}
	if err := clone.SetAnnotations(annotations); err != nil {
		return nil, err
	}
	if err := clone.SetName(variant.deployment); err != nil {
		return nil, err
	}
	for _, path := range [][]string{
		{"metadata", "labels"},
		{"spec", "selector", "matchLabels"},
		{"spec", "template", "metadata", "labels"},
	} {
		if err := setString(clone, variant.deployment, append(path, nameLabel)...); err != nil {
			return nil, err
		}
	}
	return clone, setString(clone, variant.deployment, "spec", "template", "spec", "containers", "0", "name")
}

func configure(deployment *yaml.RNode, config *Config, variant Variant, settings *yaml.RNode) error {
	if err := restrict(deployment, variant); err != nil {
		return err
	}
	grace := 600
	if variant.isReports() {
		grace = 3600
	}
	pod, err := deployment.Pipe(yaml.Lookup("spec", "template", "spec"))
	if err != nil {
		return err
	}
	node := yaml.NewRNode(&yaml.Node{Kind: yaml.ScalarNode, Tag: yaml.NodeTagInt, Value: fmt.Sprint(grace)})
	if err := pod.PipeE(yaml.SetField("terminationGracePeriodSeconds", node)); err != nil {
		return err
	}
	if config.Spec.Defaults.Keda.Enabled {
		if err := deployment.PipeE(yaml.Lookup("spec"), yaml.Clear("replicas")); err != nil {
			return err
		}
	}
	if config.Spec.Defaults.Keda.Enabled || variant.isReports() {
		for key, value := range protection {
			if err := setString(deployment, value, "spec", "template", "metadata", "annotations", key); err != nil {
				return err
			}
		}
	}
	return mount(pod, variant, settings)
}

// restrict gives the worker its queues, and a copy the node name of its own.
func restrict(deployment *yaml.RNode, variant Variant) error {
	args, err := deployment.Pipe(yaml.Lookup("spec", "template", "spec", "containers", "0", "args"))
	if err != nil {
		return err
	}
	for _, arg := range args.Content() {
		if strings.HasPrefix(arg.Value, "--queues=") {
			arg.Value = "--queues=" + strings.Join(variant.queues, ",")
		}
		if strings.HasPrefix(arg.Value, "--hostname=") && !variant.isDefault() {
			arg.Value = fmt.Sprintf("--hostname=edx.%s.core.%s.%%h", variant.service, variant.name)
		}
	}
	return nil
}

func setString(node *yaml.RNode, value string, path ...string) error {
	last := len(path) - 1
	return node.PipeE(
		yaml.LookupCreate(yaml.MappingNode, path[:last]...), yaml.SetField(path[last], yaml.NewStringRNode(value)))
}

// siteMeta returns the metadata of a new object that belongs to the site as its owner does.
func siteMeta(owner *yaml.RNode, name string) map[string]any {
	return map[string]any{
		"name":        name,
		"namespace":   owner.GetNamespace(),
		"labels":      sites(owner.GetLabels()),
		"annotations": sites(owner.GetAnnotations()),
	}
}

func sites(given map[string]string) map[string]any {
	kept := map[string]any{}
	for key, value := range given {
		if strings.HasPrefix(key, sitePrefix) {
			kept[key] = value
		}
	}
	return kept
}
