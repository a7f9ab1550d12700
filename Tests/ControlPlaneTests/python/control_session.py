"""Asks a running collector everything that a client can ask; prints what it saw, a JSON object a line.

    control_session.py SOCKET [FILE]

FILE lies below a watched root of the files domain. Each object has `step`; a step that the collector refused has `failure`
and `message`. Needs the modules of the protocol: see collector_client.py.
"""

import hashlib
import json
import os
import subprocess
import sys

import collector_pb2 as protocol
from collector_client import Collector, Refused


def tell(step, **seen):
    print(json.dumps({"step": step, **seen}), flush=True)


def attempt(step, body):
    """Runs a step; a refusal is a result, too."""
    try:
        tell(step, **body())
    except Refused as refusal:
        tell(step, failure=refusal.code, message=refusal.message)


class Children:
    """Processes that run `cat` until they are let go: each of them executes a program once, and lives to be looked at."""

    program = os.path.realpath("/bin/cat")

    def __init__(self, count):
        self.processes = [
            subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) for _ in range(count)
        ]
        self.pids = {process.pid for process in self.processes}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.stdin.close()
            process.wait()


def executions():
    """Events of our children, and of whoever else runs the same program."""
    return protocol.Filter(topics=["events.process.exec"], executable_prefix=Children.program)


def read(subscription, done, seen):
    """Reads until done(seen); seen gets (id, pid) of each event, and gaps as causes."""
    for message in subscription:
        if message.WhichOneof("body") == "events":
            for event in message.events.events:
                identity = (message.events.run.run_id, message.events.source, event.sequence)
                seen["events"].append((identity, event.process.identity.pid))
        elif message.WhichOneof("body") == "gap":
            seen["gaps"].append(message.gap.cause)
        if done(seen):
            return


def pids(seen):
    return {pid for _, pid in seen["events"]}


def follow(path):
    """Subscribes with little credit, leaves, misses something, comes back and gets exactly that."""
    seen = {"events": [], "gaps": []}
    with Collector(path, timeout=2.0) as collector:
        subscription = collector.subscribe(filter=executions(), credit=2)
        with Children(5) as children:
            read(subscription, lambda seen: len(seen["events"]) >= 2, seen)
            with_credit = len(seen["events"])
            try:
                read(subscription, lambda seen: len(seen["events"]) > 2, seen)
                is_held_back = False
            except TimeoutError:
                is_held_back = True
            subscription.credit(1_000)
            read(subscription, lambda seen: children.pids <= pids(seen), seen)
        position = subscription.position
    first = {identity for identity, _ in seen["events"]}
    tell(
        "subscribe", with_credit=with_credit, is_held_back=is_held_back, wanted=sorted(children.pids),
        seen=sorted(children.pids & pids(seen)), gaps=seen["gaps"], repeated=len(seen["events"]) - len(first))

    with Children(3) as missed, Collector(path) as collector:
        later = {"events": [], "gaps": []}
        subscription = collector.subscribe(filter=executions(), after=position, credit=1_000)
        read(subscription, lambda seen: missed.pids <= pids(seen), later)
        subscription.cancel()
        read(subscription, lambda seen: False, later)
        tell(
            "resume", wanted=sorted(missed.pids), seen=sorted(missed.pids & pids(later)), gaps=later["gaps"],
            repeated=len(first & {identity for identity, _ in later["events"]}),
            end=protocol.Failure.Code.Name(subscription.end.reason.code),
            delivered=subscription.end.account.delivered, events=len(later["events"]))

    with Collector(path) as collector:
        position.run.run_id += 1_000
        subscription = collector.subscribe(after=position, credit=1)
        other = {"events": [], "gaps": []}
        read(subscription, lambda seen: seen["gaps"], other)
        tell("resume_elsewhere", gaps=other["gaps"])

    with Collector(path) as collector:
        subscription = collector.subscribe(filter=executions(), credit=100, event_limit=2)
        limited = {"events": [], "gaps": []}
        with Children(4):
            read(subscription, lambda seen: False, limited)
        tell("event_limit", events=len(limited["events"]), delivered=subscription.end.account.delivered)


def pages(collector, **task):
    results = list(collector.task(**task))
    return {
        "pages": len(results), "total": results[-1].total,
        "pids": [process.identity.pid for page in results for process in page.processes],
        "paths": [file.path for page in results for file in page.files],
    }


def hashes(collector, path, **task):
    """The digest as the collector computes it, beside our own."""
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    result = list(collector.task(**task))[-1].hash
    return {
        "is_same": result.digest == digest, "is_match": result.is_match, "obstacle": result.obstacle,
        "on_disk": result.on_disk}


def listed(seen, wanted):
    """A listing in short: whether it has all that is wanted, and nothing twice."""
    return {
        "pages": seen["pages"], "total": seen["total"], "results": len(seen["pids"]),
        "has_all": wanted <= set(seen["pids"]), "repeated": len(seen["pids"]) - len(set(seen["pids"]))}


def tasks(collector, file):
    me = os.getpid()
    with Children(3) as children:
        attempt("process_tree", lambda: listed(
            pages(collector, type=protocol.TASK_TYPE_PROCESS_TREE, pid=me, page_size=2), children.pids | {me}))
    attempt("enumerate_processes", lambda: listed(
        pages(collector, type=protocol.TASK_TYPE_ENUMERATE_PROCESSES, page_size=3), {me}))
    only = protocol.ProcessFilter(pids=[me])
    attempt("enumerate_one", lambda: listed(
        pages(collector, type=protocol.TASK_TYPE_ENUMERATE_PROCESSES, process_filter=only), {me}))
    attempt("verify_executable", lambda: hashes(
        collector, "/proc/self/exe", type=protocol.TASK_TYPE_VERIFY_EXECUTABLE, pid=me))
    attempt("verify_nobody", lambda: hashes(
        collector, "/proc/self/exe", type=protocol.TASK_TYPE_VERIFY_EXECUTABLE, pid=4_194_304))
    if file is None:
        return
    with open(file, "rb") as opened:
        digest = hashlib.sha256(opened.read()).hexdigest()
    for step, expected in [("check_hash", digest), ("check_other_hash", "0" * 64)]:
        check = protocol.HashCheck(path=file, algorithm="sha256", expected=expected)
        attempt(step, lambda: hashes(collector, file, type=protocol.TASK_TYPE_CHECK_HASH, hash_check=check))
    folder = protocol.FileFilter(path_prefix=os.path.dirname(file))
    seen = pages(collector, type=protocol.TASK_TYPE_LIST_FILES, file_filter=folder, page_size=1)
    tell(
        "list_files", has_file=file in seen["paths"], pages=seen["pages"], files=len(seen["paths"]),
        is_ordered=[path.encode() for path in seen["paths"]] == sorted({path.encode() for path in seen["paths"]}))


def mistakes(collector):
    """What makes no sense is refused with a reason, and the connection goes on."""
    attempt("bad_topic", lambda: {
        "position": str(collector.subscribe(filter=protocol.Filter(topics=["events..exec"])).position)})
    attempt("bad_task", lambda: pages(collector, type=99))
    attempt("no_such_process", lambda: pages(collector, type=protocol.TASK_TYPE_PROCESS_TREE, pid=4_194_304))
    attempt("after_mistakes", lambda: {"uptime_ns": collector.status().telemetry.uptime_ns})


def main(path, file=None):
    with Collector(path, name="control_session.py") as collector:
        welcome = collector.welcome
        tell(
            "hello", version=welcome.version, server=welcome.server, boot_id=welcome.run.boot_id,
            run_id=welcome.run.run_id, role=protocol.Welcome.Role.Name(welcome.role),
            sources=list(welcome.capabilities.sources), capabilities=list(welcome.capabilities.capabilities),
            tasks=[protocol.TaskType.Name(task) for task in welcome.capabilities.tasks])
        status = collector.status()
        tell(
            "status", level=status.health.overall.level, resident_bytes=status.telemetry.resources.resident_bytes,
            sources={source.source: source.state for source in status.health.sources},
            listeners=[listener.path for listener in status.listeners])
        accounts = collector.accounts()
        tell("accounts", sources={
            account.source: account.kernel == account.emitted + account.coalesced + account.lost
            + sum(entry.count for tally in (account.filtered, account.dropped) for entry in tally.entries)
            for account in accounts.sources
        }, streams=[account.subscriber for account in accounts.streams])
        tell("settings", count=len(collector.settings().settings))
        tasks(collector, file)
        mistakes(collector)
    follow(path)
    tell("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
