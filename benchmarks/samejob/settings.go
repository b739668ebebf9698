package main

import (
	"fmt"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const head = `# Made by tutor-kustomizer from the CeleryWorkers configuration.
import os as _os
import signal as _signal
import sys as _sys
from pathlib import Path as _Path

# A worker that is told to stop while it starts ends at once. The kernel keeps SIGTERM from the first process of a
# container until that has a handler, and Celery sets its own, in place of this one, only when Django is loaded.
if _os.getpid() == 1 and "worker" in _sys.argv and _signal.getsignal(_signal.SIGTERM) == _signal.SIG_DFL:
    _signal.signal(_signal.SIGTERM, lambda *_: _os._exit(143))

_tutor = _Path(__file__).with_name('tutor_production.py')
exec(compile(_tutor.read_bytes(), str(_tutor), "exec"), globals())

CELERY_ACKS_LATE = True
`

// mount puts a projected volume with our settings module in the place of Tutor's settings volume.
func mount(pod *yaml.RNode, variant Variant, settings *yaml.RNode) error {
	volumes, err := pod.Pipe(yaml.Lookup("volumes"))
	if err != nil {
		return err
	}
	old, new := "settings-"+variant.service, "celery-settings-"+variant.service
	items := []any{}
	if err := settings.PipeE(yaml.Lookup("data"), yaml.FilterFunc(func(data *yaml.RNode) (*yaml.RNode, error) {
		names, err := data.Fields()
		for _, name := range names {
			path := name
			if name == settingsKey {
				path = "tutor_" + name
			}
			items = append(items, map[string]any{"key": name, "path": path})
		}
		return data, err
	})); err != nil {
		return err
	}
	ours := []any{map[string]any{"key": settingsKey, "path": settingsKey}}
	volume, err := yaml.FromMap(map[string]any{
		"name": new,
		"projected": map[string]any{"sources": []any{
			map[string]any{"configMap": map[string]any{"name": settings.GetName(), "items": items}},
			map[string]any{"configMap": map[string]any{"name": variant.settingsName(), "items": ours}},
		}},
	})
	if err != nil {
		return err
	}
	for i, node := range volumes.Content() {
		if name := yaml.NewRNode(node).Field("name"); name != nil && name.Value.YNode().Value == old {
			volumes.YNode().Content[i] = volume.YNode()
		}
	}
	mounts, err := pod.Pipe(yaml.Lookup("containers", "0", "volumeMounts"))
	if err != nil {
		return err
	}
	return mounts.VisitElements(func(node *yaml.RNode) error {
		if name := node.Field("name"); name != nil && name.Value.YNode().Value == old {
			name.Value.YNode().Value = new
		}
		return nil
	})
}

// settingsFor returns the ConfigMap with a worker's own settings module.
func settingsFor(variant Variant, owner *yaml.RNode) (*yaml.RNode, error) {
	metadata := siteMeta(owner, variant.settingsName())
	metadata["annotations"].(map[string]any)["internal.config.kubernetes.io/needsHashSuffix"] = "enabled"
	return yaml.FromMap(map[string]any{
		"apiVersion": "v1",
		"kind":       "ConfigMap",
		"metadata":   metadata,
		"data":       map[string]any{settingsKey: head + transportOptions(variant)},
	})
}

func transportOptions(variant Variant) string {
	options := []string{}
	if !variant.isDefault() {
		for _, key := range []string{"unacked", "unacked_index", "unacked_mutex"} {
			options = append(options, fmt.Sprintf("    '%s_key': '%s%s',\n", key, key, variant.unackedSuffix()))
		}
	}
	if variant.isReports() {
		options = append(options, "    'visibility_timeout': 7200,\n")
	}
	if len(options) == 0 {
		return ""
	}
	return "BROKER_TRANSPORT_OPTIONS = {\n    **(globals().get('BROKER_TRANSPORT_OPTIONS') or {}),\n" +
		strings.Join(options, "") + "}\n"
}
