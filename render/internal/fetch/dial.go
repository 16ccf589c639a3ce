package fetch

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"maquette.dev/render/internal/failure"
)

// connectTime bounds the setting up of one connection.
const connectTime = 10 * time.Second

// Addresses that no repository has, but that answer with a machine's credentials or are the machine itself.
var neverAsked = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud's metadata
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure's host
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle Cloud's metadata
	netip.MustParsePrefix("224.0.0.0/3"),
	netip.MustParsePrefix("::/128"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fd00:ec2::/32"), // AWS's services of an instance
	netip.MustParsePrefix("fd20:ce::254/128"),
	netip.MustParsePrefix("ff00::/8"),
}

// Prefixes whose addresses stand for an IPv4 address, with the byte at which it begins.
var embedding = map[netip.Prefix]int{
	netip.MustParsePrefix("64:ff9b::/96"): 12,
	netip.MustParsePrefix("::/96"):        12,
	netip.MustParsePrefix("2002::/16"):    2,
}

// refused tells whether an address must not be asked.
func (network Network) refused(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	for prefix, start := range embedding {
		if prefix.Contains(address) && !address.IsLoopback() {
			bytes := address.As16()
			if network.refused(netip.AddrFrom4([4]byte(bytes[start : start+4]))) {
				return true
			}
		}
	}
	if isWithin(address, network.Denied) && !isWithin(address, network.Allowed) {
		return true
	}
	if address.IsLoopback() {
		return !network.AllowLoopback
	}
	return isWithin(address, neverAsked)
}

func isWithin(address netip.Addr, prefixes []netip.Prefix) bool {
	return slices.ContainsFunc(prefixes, func(prefix netip.Prefix) bool { return prefix.Contains(address) })
}

// dial connects. The address is judged after its name was looked up, right before the connection is made, so that
// what is judged is what is asked.
func (network Network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: connectTime, KeepAlive: 15 * time.Second}
	dialer.Control = func(_, found string, _ syscall.RawConn) error {
		port, err := netip.ParseAddrPort(found)
		if err != nil || network.refused(port.Addr()) {
			return failure.New(AddressRefused, "Host of %q has address %q, which is not asked for sources: "+
				"use a repository elsewhere, or have the operator's networks changed", address, found)
		}
		return nil
	}
	connection, err := dialer.DialContext(ctx, kind, address)
	if err == nil {
		return connection, nil
	}
	return nil, unreachable(ctx, address, err)
}

// unreachable explains an error of the network.
func unreachable(ctx context.Context, address string, err error) error {
	var known *failure.Failure
	var noName *net.DNSError
	switch {
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &noName) && noName.IsNotFound:
		return failure.New(HostUnreachable, "Host of %q is not known to DNS: check the repository's URL", address)
	default:
		return failure.New(HostUnreachable, "Host %q cannot be reached: check the repository's URL and the network: %v", address, err)
	}
}
