// Command samejob does with kustomize's own framework what tutor-kustomizer does for the recommended configuration with
// KEDA: the same objects, without the checks, the messages and the other fields. It is there to be measured.
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
)

func main() {
	if err := framework.Execute(framework.ResourceListProcessorFunc(process), nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func process(list *framework.ResourceList) error {
	var config Config
	if err := framework.LoadFunctionConfig(list.FunctionConfig, &config); err != nil {
		return err
	}
	for _, service := range sortedKeys(config.Spec.Workers) {
		items, err := split(list.Items, &config, service)
		if err != nil {
			return fmt.Errorf("%s: %w", service, err)
		}
		list.Items = items
	}
	return nil
}
