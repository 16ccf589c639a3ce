package testkit

import (
	"fmt"
	"strings"
)

// Bomb is YAML whose aliases expand to a billion values.
func Bomb() string {
	text := "a0: &a0 lol\n"
	for level := range 9 {
		items := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", level), 10), ", ")
		text += fmt.Sprintf("a%d: &a%d [%s]\n", level+1, level+1, items)
	}
	return text
}
