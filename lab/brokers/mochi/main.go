// mochi-mqtt with the listeners that are wanted: mochi CERTIFICATES tcp|tls|ws|wss...
package main

import (
	"crypto/tls"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: mochi CERTIFICATES tcp|tls|ws|wss...")
	}
	certificate, err := tls.LoadX509KeyPair(
		filepath.Join(os.Args[1], "server.crt"), filepath.Join(os.Args[1], "server.key"))
	if err != nil {
		log.Fatal(err)
	}
	secure := &tls.Config{Certificates: []tls.Certificate{certificate}}

	server := mqtt.New(nil)
	if err := server.AddHook(new(auth.AllowHook), nil); err != nil {
		log.Fatal(err)
	}
	all := map[string]listeners.Listener{
		"tcp": listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:21070"}),
		"tls": listeners.NewTCP(listeners.Config{ID: "tls", Address: "127.0.0.1:21071", TLSConfig: secure}),
		"ws":  listeners.NewWebsocket(listeners.Config{ID: "ws", Address: "127.0.0.1:21072"}),
		"wss": listeners.NewWebsocket(listeners.Config{ID: "wss", Address: "127.0.0.1:21073", TLSConfig: secure}),
	}
	for _, name := range os.Args[2:] {
		listener, known := all[name]
		if !known {
			log.Fatal("there is no listener ", name)
		}
		if err := server.AddListener(listener); err != nil {
			log.Fatal(err)
		}
	}
	if err := server.Serve(); err != nil {
		log.Fatal(err)
	}

	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
	server.Close()
}
