"""Publishes with confirms, consumes and acks through kombu; prints what it got as JSON lines."""
import json
import socket
import sys

from kombu import Connection, Consumer, Exchange, Producer, Queue

url, count = sys.argv[1], int(sys.argv[2])
exchange = Exchange("kombu", type="topic")
queue = Queue("kombu.orders", exchange, routing_key="order.#", queue_arguments={"x-queue-type": "quorum"})

with Connection(url, transport_options={"confirm_publish": True}, heartbeat=5) as connection:
    connection.connect()
    producer = Producer(connection.channel(), exchange=exchange, serializer="json")
    for n in range(count):
        producer.publish({"n": n}, routing_key="order.created", declare=[queue], headers={"n": n}, mandatory=True)
    got = []

    def received(body, message):
        got.append(body["n"])
        message.ack()

    with Consumer(connection.channel(), queues=[queue], callbacks=[received], accept=["json"], prefetch_count=10):
        while len(got) < count:
            connection.drain_events(timeout=5)
        try:
            connection.drain_events(timeout=0.2)
        except socket.timeout:
            pass
    left = queue(connection.default_channel).queue_declare(passive=True).message_count
    print(json.dumps({"got": got, "left": left, "uri": connection.as_uri()}))
