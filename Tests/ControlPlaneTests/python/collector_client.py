"""A client of the collector's control socket, of the protocol's files and the package `protobuf` alone.

    protoc -I Sources/WireMessages/Protocol --python_out=DIR Sources/WireMessages/Protocol/*.proto
    PYTHONPATH=DIR python3 ...

Everything that a client must know stands here or in the .proto files.
"""

import collections
import socket
import struct
import zlib

import collector_pb2 as protocol

HEADER = struct.Struct("<II")  # the payload's length and CRC-32, little-endian
CLIENT_PAYLOAD_BYTES, SERVER_PAYLOAD_BYTES = 64 << 10, 1 << 20


class Refused(Exception):
    """The collector answered with a failure."""

    def __init__(self, failure):
        self.code, self.message = protocol.Failure.Code.Name(failure.code), failure.message
        super().__init__(f"{self.code}: {self.message}")


class Collector:
    """One connection. Requests may overlap: what comes for one waits while another is read."""

    def __init__(self, path, name="collector_client.py", timeout=10.0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.received = bytearray()
        self.last_id = 0
        self.waiting = collections.defaultdict(collections.deque)
        # The first message must be hello; its answer says who is there, and what may be asked for.
        self.welcome = self.ask(hello=protocol.Hello(versions=[1], client=name)).welcome

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, **body):
        """Sends one message and returns its request id; ids are not 0, and differ while requests are open."""
        self.last_id += 1
        payload = protocol.ClientMessage(request_id=self.last_id, **body).SerializeToString()
        assert len(payload) <= CLIENT_PAYLOAD_BYTES
        self.socket.sendall(HEADER.pack(len(payload), zlib.crc32(payload)) + payload)
        return self.last_id

    def receive(self, request_id):
        """The next message for a request; raises Refused for a failure, TimeoutError when nothing comes."""
        while not self.waiting[request_id]:
            message = self._read()
            # Failures without a request concern the connection, which ends with them.
            if message.request_id == 0 and message.WhichOneof("body") == "failure":
                raise Refused(message.failure)
            self.waiting[message.request_id].append(message)
        message = self.waiting[request_id].popleft()
        if message.WhichOneof("body") == "failure":
            raise Refused(message.failure)
        return message

    def ask(self, **body):
        """Sends a request and returns the first message of its answer."""
        return self.receive(self.send(**body))

    def _read(self):
        # A frame is taken entire or not at all, so that a time-out in the midst of one loses nothing.
        self._fill(HEADER.size)
        length, checksum = HEADER.unpack_from(self.received)
        assert 0 < length <= SERVER_PAYLOAD_BYTES
        self._fill(HEADER.size + length)
        payload = bytes(self.received[HEADER.size : HEADER.size + length])
        del self.received[: HEADER.size + length]
        assert zlib.crc32(payload) == checksum
        return protocol.ServerMessage.FromString(payload)

    def _fill(self, count):
        while len(self.received) < count:
            piece = self.socket.recv(64 << 10)
            if not piece:
                raise ConnectionError("the collector closed the connection")
            self.received += piece

    # ---- Requests

    def status(self):
        return self.ask(status=protocol.StatusRequest()).status

    def accounts(self):
        return self.ask(accounts=protocol.AccountsRequest()).accounts

    def settings(self):
        return self.ask(settings=protocol.SettingsRequest()).settings

    def subscribe(self, **wanted):
        """Takes the fields of Subscribe: filter, after, credit, when_slow, event_limit."""
        return Subscription(self, self.send(subscribe=protocol.Subscribe(**wanted)))

    def task(self, **wanted):
        """Takes the fields of DetectionTask; yields its pages and asks for the next one when it is wanted."""
        request_id = self.send(task=protocol.DetectionTask(**wanted))
        while True:
            page = self.receive(request_id).task_result
            yield page
            if page.is_last:
                return
            self.send(next_page=protocol.NextPage(request_id=request_id))


class Subscription:
    """A stream of events. `position` is where to go on with `after`, on this connection or another one."""

    def __init__(self, collector, request_id):
        self.collector = collector
        self.request_id = request_id
        self.position = collector.receive(request_id).subscribed.position
        self.end = None

    def __iter__(self):
        """Yields ServerMessages with `events`, `gap` or `source_status`; ends with the stream."""
        while self.end is None:
            message = self.collector.receive(self.request_id)
            kind = message.WhichOneof("body")
            if kind == "events":
                self._advance(message.events)
            if kind == "stream_end":
                self.end = message.stream_end
            else:
                yield message

    def credit(self, count):
        """Lets the collector send so many events more."""
        self.collector.send(credit=protocol.Credit(request_id=self.request_id, events=count))

    def cancel(self):
        self.collector.send(cancel=protocol.Cancel(request_id=self.request_id))

    def _advance(self, batch):
        sequence = max(batch.through, batch.events[-1].sequence if batch.events else 0)
        for source in self.position.sources:
            if source.source == batch.source:
                source.sequence = max(source.sequence, sequence)
                return
        self.position.sources.add(source=batch.source, sequence=sequence)
