module maquette.dev/tests/control-plane/supervisor

go 1.26.0
