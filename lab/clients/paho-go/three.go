package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// three is a client of github.com/eclipse/paho.mqtt.golang, which speaks 3.1.1.
type three struct {
	mqtt     mqtt.Client
	conn     net.Conn
	received chan message
	present  bool
}

func done(token mqtt.Token) error {
	if !token.WaitTimeout(patience) {
		return errLate
	}
	return token.Error()
}

func (r *run) connectThree(name string, how options) (client, error) {
	c := &three{received: make(chan message, 100)}
	path := ""
	if r.transport == "ws" || r.transport == "wss" {
		path = "/mqtt"
	}
	o := mqtt.NewClientOptions().
		AddBroker(r.scheme() + "://" + r.address + path).
		SetClientID(r.prefix + "/" + name).
		SetCleanSession(!how.lasting).
		SetProtocolVersion(4).
		SetAutoReconnect(false).
		SetConnectTimeout(patience).
		SetTLSConfig(r.tls).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
			c.received <- message{payload: string(m.Payload()), qos: m.Qos(), retain: m.Retained()}
		})
	if how.will != "" {
		o.SetWill(how.will, "gone", 1, false)
	}
	// The connection is made here, so that it can be cut.
	o.SetCustomOpenConnectionFn(func(uri *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
		var err error
		switch r.transport {
		case "tcp":
			c.conn, err = net.DialTimeout("tcp", r.address, patience)
		case "tls":
			c.conn, err = tls.Dial("tcp", r.address, r.tls)
		default:
			c.conn, err = mqtt.NewWebsocket(uri.String(), r.tls, patience, http.Header{}, nil)
		}
		return c.conn, err
	})
	c.mqtt = mqtt.NewClient(o)
	token := c.mqtt.Connect()
	if err := done(token); err != nil {
		return nil, err
	}
	c.present = token.(*mqtt.ConnectToken).SessionPresent()
	return c, nil
}

func (c *three) subscribe(topic string, qos byte) error {
	return done(c.mqtt.Subscribe(topic, qos, nil))
}

func (c *three) publish(topic, payload string, qos byte, retain bool) error {
	return done(c.mqtt.Publish(topic, qos, retain, payload))
}

func (c *three) next() (message, error) {
	select {
	case m := <-c.received:
		return m, nil
	case <-time.After(patience):
		return message{}, errLate
	}
}

func (c *three) sessionPresent() bool { return c.present }

func (c *three) cut() { c.conn.Close() }

func (c *three) close() error {
	c.mqtt.Disconnect(250)
	return nil
}
