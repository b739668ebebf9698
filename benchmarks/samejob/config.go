package main

import (
	"sort"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// Config is the part of a CeleryWorkers object that the recommended configuration uses.
type Config struct {
	yaml.ResourceMeta `yaml:",inline"`
	Spec              struct {
		Defaults struct {
			Keda Keda `yaml:"keda"`
		} `yaml:"defaults"`
		Workers map[string]map[string]Worker `yaml:"workers"`
	} `yaml:"spec"`
}

// Keda says whether KEDA scales the workers.
type Keda struct {
	Enabled    bool `yaml:"enabled"`
	ReplaceHPA bool `yaml:"replaceHPA"`
}

// Worker is what can be said about one worker.
type Worker struct {
	Queues []string `yaml:"queues"`
}

// Variant is one worker Deployment to be.
type Variant struct {
	service    string
	name       string
	deployment string
	queues     []string
}

const defaultVariant = "default"

func (v Variant) isDefault() bool { return v.name == defaultVariant }

func (v Variant) settingsName() string { return v.deployment + "-celery-settings" }

// unackedSuffix is empty for the default worker: it restores what pods from before the split left.
func (v Variant) unackedSuffix() string {
	if v.isDefault() {
		return ""
	}
	return "." + v.deployment
}

func (v Variant) isReports() bool { return v.service == "lms" && v.name == "high_mem" }

// variants returns the workers of a service, the default one first.
func (c *Config) variants(service string) []Variant {
	names := []string{defaultVariant}
	for _, name := range sortedKeys(c.Spec.Workers[service]) {
		if name != defaultVariant {
			names = append(names, name)
		}
	}
	result := make([]Variant, 0, len(names))
	for _, name := range names {
		variant := Variant{service: service, name: name, deployment: service + "-worker"}
		if !variant.isDefault() {
			variant.deployment += "-" + strings.ReplaceAll(name, "_", "-")
		}
		variant.queues = c.Spec.Workers[service][name].Queues
		if len(variant.queues) == 0 {
			variant.queues = []string{"edx." + service + ".core." + name}
		}
		result = append(result, variant)
	}
	return result
}

func sortedKeys[V any](values map[string]V) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
