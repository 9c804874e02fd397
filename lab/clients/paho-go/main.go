// Paho for Go against a broker: client VERSION TRANSPORT PORT CA
//
// Prints a line per step, and ends with 1 if one failed. There is a library for each version of MQTT: three.go has that
// for 3.1.1, five.go that for 5.0.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	patience = 10 * time.Second
	messages = 20
)

var errLate = errors.New("nothing comes within 10 s")

// message is what a subscriber gets, in either library.
type message struct {
	payload    string
	qos        byte
	retain     bool
	properties any
}

// options of a connection.
type options struct {
	lasting bool
	will    string
}

// client is what the steps need of a library.
type client interface {
	subscribe(topic string, qos byte) error
	publish(topic, payload string, qos byte, retain bool) error
	next() (message, error)
	sessionPresent() bool
	// cut ends the connection without DISCONNECT.
	cut()
	close() error
}

// run says how the run is configured.
type run struct {
	version, transport, prefix, address string
	tls                                 *tls.Config
	connect                             func(name string, how options) (client, error)
	properties                          func() error
}

func (r *run) scheme() string {
	if r.transport == "tcp" {
		return "mqtt"
	}
	return r.transport
}

func (r *run) expect(from client, payload string) (message, error) {
	came, err := from.next()
	if err == nil && came.payload != payload {
		err = fmt.Errorf("%q came instead of %q", came.payload, payload)
	}
	return came, err
}

func (r *run) bothWays(qos byte) error {
	topic := fmt.Sprintf("%s/qos%d", r.prefix, qos)
	c, err := r.connect(fmt.Sprintf("qos%d", qos), options{})
	if err != nil {
		return err
	}
	if err := c.subscribe(topic, qos); err != nil {
		return err
	}
	for number := range messages {
		if err := c.publish(topic, fmt.Sprint(number), qos, false); err != nil {
			return err
		}
	}
	for number := range messages {
		came, err := r.expect(c, fmt.Sprint(number))
		if err != nil {
			return err
		}
		if came.qos != qos {
			return fmt.Errorf("QoS %d came", came.qos)
		}
	}
	return c.close()
}

func (r *run) retained() error {
	topic := r.prefix + "/retained"
	c, err := r.connect("retained", options{})
	if err != nil {
		return err
	}
	if err := c.publish(topic, "kept", 1, true); err != nil {
		return err
	}
	if err := c.subscribe(topic, 1); err != nil {
		return err
	}
	came, err := r.expect(c, "kept")
	if err != nil {
		return err
	}
	if !came.retain {
		return errors.New("RETAIN is 0")
	}
	if err := c.publish(topic, "", 1, true); err != nil {
		return err
	}
	return c.close()
}

func (r *run) will() error {
	topic := r.prefix + "/will"
	watcher, err := r.connect("watcher", options{})
	if err != nil {
		return err
	}
	if err := watcher.subscribe(topic, 1); err != nil {
		return err
	}
	lost, err := r.connect("will", options{will: topic})
	if err != nil {
		return err
	}
	lost.cut()
	if _, err := r.expect(watcher, "gone"); err != nil {
		return err
	}
	return watcher.close()
}

func (r *run) resumption() error {
	topic := r.prefix + "/resumption"
	first, err := r.connect("resumption", options{lasting: true})
	if err != nil {
		return err
	}
	if err := first.subscribe(topic, 1); err != nil {
		return err
	}
	if err := first.close(); err != nil {
		return err
	}
	sender, err := r.connect("sender", options{})
	if err != nil {
		return err
	}
	if err := sender.publish(topic, "meanwhile", 1, false); err != nil {
		return err
	}
	if err := sender.close(); err != nil {
		return err
	}
	second, err := r.connect("resumption", options{lasting: true})
	if err != nil {
		return err
	}
	if !second.sessionPresent() {
		return errors.New("Session Present is 0")
	}
	if _, err := r.expect(second, "meanwhile"); err != nil {
		return err
	}
	if err := second.close(); err != nil {
		return err
	}
	last, err := r.connect("resumption", options{})
	if err != nil {
		return err
	}
	return last.close()
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: client VERSION TRANSPORT PORT CA")
		os.Exit(2)
	}
	r := &run{version: os.Args[1], transport: os.Args[2], address: "127.0.0.1:" + os.Args[3]}
	r.prefix = fmt.Sprintf("lab/paho-go/%s/%s", r.version, r.transport)
	authority, err := os.ReadFile(os.Args[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	r.tls = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
	if r.version == "5.0" {
		r.connect, r.properties = r.connectFive, r.propertiesFive
	} else {
		r.connect = r.connectThree
	}

	steps := []struct {
		name string
		step func() error
	}{
		{"connect", func() error {
			c, err := r.connect("connect", options{})
			if err != nil {
				return err
			}
			return c.close()
		}},
		{"qos0", func() error { return r.bothWays(0) }},
		{"qos1", func() error { return r.bothWays(1) }},
		{"qos2", func() error { return r.bothWays(2) }},
		{"retained", r.retained},
		{"will", r.will},
		{"resumption", r.resumption},
		{"properties", r.properties},
	}
	failed := 0
	for _, s := range steps {
		if s.step == nil {
			continue
		}
		if err := s.step(); err != nil {
			failed = 1
			fmt.Printf("paho-go %s %s %s FAILED %v\n", r.version, r.transport, s.name, err)
		} else {
			fmt.Printf("paho-go %s %s %s ok\n", r.version, r.transport, s.name)
		}
	}
	os.Exit(failed)
}
