package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"github.com/gorilla/websocket"
)

// five is a client of github.com/eclipse/paho.golang, which speaks 5.0.
type five struct {
	mqtt     *paho.Client
	conn     net.Conn
	received chan message
	present  bool
}

// stream makes a stream of bytes of a WebSocket.
type stream struct {
	*websocket.Conn
	rest []byte
}

func (s *stream) Read(into []byte) (int, error) {
	for len(s.rest) == 0 {
		_, data, err := s.ReadMessage()
		if err != nil {
			return 0, err
		}
		s.rest = data
	}
	count := copy(into, s.rest)
	s.rest = s.rest[count:]
	return count, nil
}

func (s *stream) Write(data []byte) (int, error) {
	return len(data), s.WriteMessage(websocket.BinaryMessage, data)
}

func (s *stream) SetDeadline(at time.Time) error {
	return errors.Join(s.SetReadDeadline(at), s.SetWriteDeadline(at))
}

func (r *run) dial() (net.Conn, error) {
	switch r.transport {
	case "tcp":
		return net.DialTimeout("tcp", r.address, patience)
	case "tls":
		conn, err := tls.Dial("tcp", r.address, r.tls)
		if err != nil {
			return nil, err
		}
		// The library writes a packet in pieces, which those of another packet must not come between.
		return packets.NewThreadSafeConn(conn), nil
	}
	dialer := websocket.Dialer{Subprotocols: []string{"mqtt"}, TLSClientConfig: r.tls, HandshakeTimeout: patience}
	socket, _, err := dialer.Dial(r.transport+"://"+r.address+"/mqtt", http.Header{})
	if err != nil {
		return nil, err
	}
	return packets.NewThreadSafeConn(&stream{Conn: socket}), nil
}

func (r *run) connectFive(name string, how options) (client, error) {
	conn, err := r.dial()
	if err != nil {
		return nil, err
	}
	c := &five{conn: conn, received: make(chan message, 100)}
	c.mqtt = paho.NewClient(paho.ClientConfig{
		Conn: conn,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			m := p.Packet
			c.received <- message{string(m.Payload), m.QoS, m.Retain, m.Properties}
			return true, nil
		}},
	})
	expiry := uint32(0)
	if how.lasting {
		expiry = 600
	}
	connect := &paho.Connect{
		ClientID:   r.prefix + "/" + name,
		CleanStart: !how.lasting,
		KeepAlive:  30,
		Properties: &paho.ConnectProperties{SessionExpiryInterval: &expiry},
	}
	if how.will != "" {
		connect.WillMessage = &paho.WillMessage{Topic: how.will, Payload: []byte("gone"), QoS: 1}
		connect.WillProperties = &paho.WillProperties{}
	}
	connack, err := c.mqtt.Connect(context.Background(), connect)
	if err != nil {
		return nil, err
	}
	c.present = connack.SessionPresent
	return c, nil
}

func (c *five) subscribe(topic string, qos byte) error { return c.subscribeAs(topic, qos, nil) }

func (c *five) subscribeAs(topic string, qos byte, properties *paho.SubscribeProperties) error {
	answer, err := c.mqtt.Subscribe(context.Background(), &paho.Subscribe{
		Properties:    properties,
		Subscriptions: []paho.SubscribeOptions{{Topic: topic, QoS: qos}},
	})
	if err == nil && answer.Reasons[0] != qos {
		err = fmt.Errorf("SUBACK %#x", answer.Reasons[0])
	}
	return err
}

func (c *five) publish(topic, payload string, qos byte, retain bool) error {
	_, err := c.mqtt.Publish(context.Background(), &paho.Publish{Topic: topic, Payload: []byte(payload), QoS: qos, Retain: retain})
	return err
}

func (c *five) next() (message, error) {
	select {
	case m := <-c.received:
		return m, nil
	case <-time.After(patience):
		return message{}, errLate
	}
}

func (c *five) sessionPresent() bool { return c.present }

func (c *five) cut() { c.conn.Close() }

func (c *five) close() error { return c.mqtt.Disconnect(&paho.Disconnect{}) }

func (r *run) propertiesFive() error {
	opened, err := r.connectFive("properties", options{})
	if err != nil {
		return err
	}
	c := opened.(*five)
	topic := r.prefix + "/properties"
	identifier := 7
	if err := c.subscribeAs(topic, 1, &paho.SubscribeProperties{SubscriptionIdentifier: &identifier}); err != nil {
		return err
	}
	expiry, text := uint32(100), byte(1)
	sent := &paho.PublishProperties{
		PayloadFormat:   &text,
		MessageExpiry:   &expiry,
		ContentType:     "text/plain",
		ResponseTopic:   r.prefix + "/answers",
		CorrelationData: []byte{0, 1},
		User:            paho.UserProperties{{Key: "a", Value: "1"}, {Key: "a", Value: "2"}},
	}
	_, err = c.mqtt.Publish(context.Background(), &paho.Publish{Topic: topic, Payload: []byte("told"), QoS: 1, Properties: sent})
	if err != nil {
		return err
	}
	m, err := r.expect(c, "told")
	if err != nil {
		return err
	}
	came := m.properties.(*paho.PublishProperties)
	switch {
	case came.PayloadFormat == nil || *came.PayloadFormat != 1:
		return errors.New("Payload Format Indicator is not what was sent")
	case came.MessageExpiry == nil || *came.MessageExpiry > 100:
		return errors.New("Message Expiry Interval is not what was sent")
	case came.ContentType != sent.ContentType:
		return errors.New("Content Type is not what was sent")
	case came.ResponseTopic != sent.ResponseTopic:
		return errors.New("Response Topic is not what was sent")
	case !slices.Equal(came.CorrelationData, sent.CorrelationData):
		return errors.New("Correlation Data is not what was sent")
	case !slices.Equal(came.User, sent.User):
		return errors.New("User Property is not what was sent")
	case came.SubscriptionIdentifier == nil || *came.SubscriptionIdentifier != identifier:
		return errors.New("Subscription Identifier is not that of the subscription")
	}
	return c.close()
}
