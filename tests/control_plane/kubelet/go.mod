module maquette.dev/tests/control-plane/kubelet

go 1.26.0
