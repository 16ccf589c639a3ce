package fetch

import (
	"context"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"maquette.dev/render/internal/failure"
)

// open greets the server and learns what it can do.
func (client *uploadPack) open(ctx context.Context) error {
	answer, err := client.wire.greet(ctx)
	if err != nil {
		return err
	}
	return client.wire.finish(client.readGreeting(lines{answer}))
}

func (client *uploadPack) readGreeting(greeting lines) error {
	client.capabilities, client.advertised = map[string]string{}, nil
	first, more, err := greeting.text()
	if err == nil && more && strings.HasPrefix(first, "# service=") {
		if _, _, err = greeting.text(); err == nil { // the flush behind it
			first, more, err = greeting.text()
		}
	}
	if err == nil && first == "version 1" {
		first, more, err = greeting.text()
	}
	if err != nil || !more {
		return err
	}
	client.isVersion2 = first == "version 2"
	if client.isVersion2 {
		err = client.readCapabilities(greeting)
	} else {
		err = client.readAdvertised(first, greeting)
	}
	if format := client.capabilities["object-format"]; err == nil && format != "" && !strings.Contains(format, "sha1") {
		return failure.New(InvalidRepository, "Repository uses object format %q: only sha1 is supported", format)
	}
	return err
}

func (client *uploadPack) readCapabilities(greeting lines) error {
	for {
		line, more, err := greeting.text()
		if err != nil || !more {
			return err
		}
		client.addCapability(line)
	}
}

func (client *uploadPack) addCapability(text string) {
	name, value, _ := strings.Cut(text, "=")
	client.capabilities[name] = strings.TrimSpace(client.capabilities[name] + " " + value)
}

func (client *uploadPack) readAdvertised(first string, greeting lines) error {
	line, capabilities, _ := strings.Cut(first, "\x00")
	for _, capability := range strings.Fields(capabilities) {
		client.addCapability(capability)
	}
	for more := true; more; {
		hash, name, _ := strings.Cut(line, " ")
		if name != "capabilities^{}" && !strings.HasSuffix(name, "^{}") && plumbing.IsHash(hash) {
			client.advertised = append(client.advertised, reference{name: name, hash: plumbing.NewHash(hash)})
		}
		var err error
		if line, more, err = greeting.text(); err != nil {
			return err
		}
	}
	for at, reference := range client.advertised {
		if _, target, is := strings.Cut(" "+client.capabilities["symref"], " "+reference.name+":"); is {
			client.advertised[at].target, _, _ = strings.Cut(target, " ")
		}
	}
	return nil
}
