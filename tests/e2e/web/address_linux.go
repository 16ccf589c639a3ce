package main

import (
	"net"
	"syscall"
	"unsafe"
)

// ifreq of netdevice(7): a name and an IPv4 socket address.
type interfaceRequest struct {
	name   [syscall.IFNAMSIZ]byte
	family uint16
	port   uint16
	ip     [4]byte
	_      [16]byte
}

// setAddress gives an interface alias ("lo:1") an IPv4 address; 0.0.0.0 takes it away. It needs CAP_NET_ADMIN.
func setAddress(alias string, ip net.IP) error {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	request := interfaceRequest{family: syscall.AF_INET}
	copy(request.name[:], alias)
	copy(request.ip[:], ip.To4())
	_, _, code := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), syscall.SIOCSIFADDR, uintptr(unsafe.Pointer(&request)))
	if code != 0 {
		return code
	}
	return nil
}
