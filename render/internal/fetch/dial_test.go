package fetch

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAddressesThatMustNotBeAsked(t *testing.T) {
	network := Network{Denied: []netip.Prefix{netip.MustParsePrefix("10.96.0.0/12"), netip.MustParsePrefix("fd12::/16")}}
	for text, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true, "0.0.0.0": true, "::": true,
		"169.254.169.254": true, "::ffff:169.254.169.254": true, "64:ff9b::a9fe:a9fe": true, "2002:a9fe:a9fe::1": true,
		"fe80::1": true, "fd00:ec2::254": true, "100.100.100.200": true, "168.63.129.16": true, "224.0.0.1": true,
		"255.255.255.255": true, "ff02::1": true, "::169.254.169.254": true, "64:ff9b::10.96.0.1": true,
		"10.96.0.1": true, "10.111.255.255": true, "fd12::1": true,
		"10.0.0.1": false, "192.168.1.1": false, "172.16.0.1": false, "140.82.121.3": false, "2606:50c0:8000::153": false,
		"64:ff9b::808:808": false, "fd00::1": false, "169.253.0.1": false,
	} {
		equal(t, text+" is refused", network.refused(netip.MustParseAddr(text)), want)
	}
	network.Allowed = []netip.Prefix{netip.MustParsePrefix("10.96.7.0/24"), netip.MustParsePrefix("169.254.0.0/16")}
	for text, want := range map[string]bool{
		"10.96.7.1": false, "64:ff9b::10.96.7.1": false, "10.96.8.1": true, "169.254.169.254": true, "127.0.0.1": true,
	} {
		equal(t, text+" is refused", network.refused(netip.MustParseAddr(text)), want)
	}
	network.AllowLoopback = true
	for text, want := range map[string]bool{"127.0.0.1": false, "::1": false, "169.254.169.254": true, "0.0.0.0": true} {
		equal(t, text+" is refused", network.refused(netip.MustParseAddr(text)), want)
	}
	network.Denied = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	equal(t, "a denied loopback is refused", network.refused(netip.MustParseAddr("127.0.0.1")), true)
}

func TestNameIsJudgedByTheAddressItLeadsTo(t *testing.T) {
	tree := newRepository(t)
	tree.onMain(files{"a": "1"})
	for name, request := range map[string]Request{
		"http": serveHttp(t, tree).request(t, Ref{}),
		"ssh":  serveSsh(t, tree).request(t, Ref{}),
	} {
		t.Run(name, func(t *testing.T) {
			fetched(t, request)
			request.Network.AllowLoopback = false
			request.CacheDir = t.TempDir()
			contains(t, refused(t, request, AddressRefused), "127.0.0.1")
			request.RepositoryUrl = strings.Replace(request.RepositoryUrl, "127.0.0.1", "localhost", 1)
			request.Credentials.Host = strings.Replace(request.Credentials.Host, "127.0.0.1", "localhost", 1)
			refused(t, request, AddressRefused)
		})
	}
}

func TestHostThatIsNotThereIsSaid(t *testing.T) {
	for name, url := range map[string]string{
		"no such name":        "https://none.invalid/a.git",
		"nobody listens":      "http://127.0.0.1:1/a.git",
		"nobody speaks there": "ssh://127.0.0.1:1/a.git",
	} {
		t.Run(name, func(t *testing.T) {
			request := Request{RepositoryUrl: url, CacheDir: t.TempDir(), Network: Network{AllowLoopback: true}}
			refused(t, request, HostUnreachable)
		})
	}
}
