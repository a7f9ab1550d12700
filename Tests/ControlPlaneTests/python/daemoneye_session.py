"""A client of the DaemonEye protocol, made from daemoneye.proto and Google's package `protobuf` alone.

    daemoneye_session.py SOCKET [FILE]

Asks a running collector for everything that this protocol knows, and prints what it saw, a JSON object a line. FILE lies
below a watched root of the files domain. What a client must know stands here and in the .proto file:

    protoc -I Sources/WireMessages/Protocol --python_out=DIR Sources/WireMessages/Protocol/daemoneye.proto
"""

import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import time

import daemoneye_pb2 as protocol

HEADER = struct.Struct("<II")  # the payload's length and CRC-32C, little-endian
CLIENT_PAYLOAD_BYTES, SERVER_PAYLOAD_BYTES = 64 << 10, 1 << 20


def table_entry(value):
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


TABLE = [table_entry(byte) for byte in range(256)]


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


class Collector:
    """One connection: one request at a time, and no word before the first."""

    def __init__(self, path, timeout=10.0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.last_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def exchange(self, payload, answer):
        assert len(payload) <= CLIENT_PAYLOAD_BYTES
        self.socket.sendall(HEADER.pack(len(payload), crc32c(payload)) + payload)
        length, checksum = HEADER.unpack(self._read(HEADER.size))
        assert 0 < length <= SERVER_PAYLOAD_BYTES
        payload = self._read(length)
        assert crc32c(payload) == checksum
        return answer.FromString(payload)

    def task(self, task_type, **fields):
        """Carries out a task; a result without success is a result, too."""
        self.last_id += 1
        task_id = f"task {self.last_id}"
        task = protocol.DetectionTask(task_id=task_id, task_type=task_type, **fields)
        result = self.exchange(task.SerializeToString(), protocol.DetectionResult)
        assert result.task_id == task_id
        return result

    def capabilities(self, *domains):
        """What the collector can do; the domains must not be none, or the request looks like a task."""
        request = protocol.CapabilityRequest(client_id="daemoneye_session.py", requested_domains=domains)
        return self.exchange(request.SerializeToString(), protocol.CapabilityResponse)

    def _read(self, count):
        data = bytearray()
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError("the collector closed the connection")
            data += piece
        return bytes(data)


def tell(step, result, **seen):
    if isinstance(result, protocol.DetectionResult):
        seen.update(success=result.success, message=result.error_message)
    print(json.dumps({"step": step, **seen}), flush=True)


def pids(result):
    return [process.pid for process in result.processes]


def processes(collector):
    me = os.getpid()
    children = [
        subprocess.Popen([os.path.realpath("/bin/cat"), "-u"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for _ in range(3)
    ]
    wanted = sorted(child.pid for child in children)
    # Executions are seen when the kernel tells of them: ask until they are there.
    pattern = protocol.ProcessFilter(pids=wanted, executable_pattern="*/cat")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        result = collector.task(protocol.ENUMERATE_PROCESSES, process_filter=pattern)
        if pids(result) == wanted:
            break
    record = result.processes[0] if result.processes else protocol.ProcessRecord()
    tell(
        "filtered", result, is_same=pids(result) == wanted, ppid=record.ppid == me, name=record.name,
        path=record.executable_path == os.path.realpath("/bin/cat"), command_line=list(record.command_line),
        user=record.user_id == str(os.geteuid()), accessible=record.accessible, file_exists=record.file_exists)

    result = collector.task(protocol.ENUMERATE_PROCESSES)
    tell("all", result, has_all=set(pids(result)) >= {1, me, *wanted}, repeated=len(pids(result)) - len(set(pids(result))))
    negotiation = collector.task(protocol.ENUMERATE_PROCESSES, metadata="capability_negotiation")
    tell("negotiation_by_task", negotiation, has_me=me in pids(negotiation))
    result = collector.task(protocol.MONITOR_PROCESS_TREE, process_filter=protocol.ProcessFilter(pids=[me]))
    tell("tree", result, is_same=set(wanted) | {me} <= set(pids(result)))
    tell("no_such_process", collector.task(
        protocol.MONITOR_PROCESS_TREE, process_filter=protocol.ProcessFilter(pids=[4_194_304])))
    result = collector.task(protocol.VERIFY_EXECUTABLE, process_filter=protocol.ProcessFilter(pids=[me]))
    with open("/proc/self/exe", "rb") as image:
        digest = hashlib.sha256(image.read()).hexdigest()
    tell("verify_executable", result, is_same=result.hash_result.hash_value == digest)
    for child in children:
        child.stdin.close()
        child.wait()


def files(collector, path):
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    for step, expected in [("hash", digest), ("other_hash", "0" * 64)]:
        result = collector.task(protocol.CHECK_PROCESS_HASH, hash_check=protocol.HashCheck(
            executable_path=path, hash_algorithm="sha256", expected_hash=expected))
        tell(step, result, is_same=result.hash_result.hash_value == digest, is_match=result.hash_result.success)
    tell("no_file", collector.task(
        protocol.CHECK_PROCESS_HASH, hash_check=protocol.HashCheck(executable_path="/etc/passwd")))


def main(path, file=None):
    with Collector(path) as collector:
        for step, domains in [
            ("capabilities", [protocol.PROCESS]), ("missing", [protocol.PROCESS, protocol.PERFORMANCE]),
        ]:
            response = collector.capabilities(*domains)
            tell(
                step, response, negotiated=response.negotiation_success, message=response.error_message,
                domains=[protocol.MonitoringDomain.Name(domain) for domain in response.capabilities.supported_domains],
                realtime=response.capabilities.advanced.realtime, version=response.server_version)
        processes(collector)
        if file:
            files(collector, file)
        for task in [protocol.MONITOR_NETWORK_CONNECTIONS, protocol.TRACK_FILE_OPERATIONS,
                     protocol.COLLECT_PERFORMANCE_METRICS, 99]:
            tell(f"task_type_{task}", collector.task(task))
    with Collector(path) as collector:
        # Whoever has nothing more to ask gets the answer all the same.
        payload = protocol.DetectionTask(
            task_id="last", process_filter=protocol.ProcessFilter(pids=[os.getpid()])).SerializeToString()
        collector.socket.sendall(HEADER.pack(len(payload), crc32c(payload)) + payload)
        collector.socket.shutdown(socket.SHUT_WR)
        length, _ = HEADER.unpack(collector._read(HEADER.size))
        result = protocol.DetectionResult.FromString(collector._read(length))
        tell("half_closed", result, has_me=pids(result) == [os.getpid()])
    with Collector(path) as collector:
        payload = protocol.DetectionTask(task_id="x").SerializeToString()
        collector.socket.sendall(HEADER.pack(len(payload), crc32c(payload) ^ 1) + payload)
        length, _ = HEADER.unpack(collector._read(HEADER.size))
        result = protocol.DetectionResult.FromString(collector._read(length))
        tell("bad_checksum", result, is_closed=collector.socket.recv(1) == b"")
    tell("done", None)


if __name__ == "__main__":
    main(*sys.argv[1:])
