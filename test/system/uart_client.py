"""A host program as others write them: pyserial, AT lines, nothing of this package.

usage: uart_client.py DEVICE SSID PASSPHRASE HOST PORT PATH LENGTH
Prints one JSON object; `failed` in it names the first step whose answer was not the documented one.
"""
import hashlib
import json
import re
import sys
import time

import serial

DEVICE, SSID, PASSPHRASE, HOST, PORT, PATH, LENGTH = sys.argv[1:]
BLOCK = 1460


class Module:
    def __init__(self, device):
        self.port = serial.Serial(device, 230400, timeout=5)
        self.events = []
        self.pending = {}
        self.closed = set()

    def note(self, line):
        """Keeps an event. What a socket has to read is a state, as of the moment it was told."""
        found = re.match(r"\+SOCK(RXT|CL):(\d+)(?:,(\d+))?$", line)
        if not found:
            self.events.append(line)
        elif found.group(1) == "RXT":
            self.pending[found.group(2)] = int(found.group(3))
        else:
            self.closed.add(found.group(2))

    def line(self, timeout=10):
        """The next line without its CR LF, and without the CR or prompt before it."""
        self.port.timeout = timeout
        raw = self.port.read_until(b"\r\n")
        if not raw.endswith(b"\r\n"):
            raise AssertionError("silence; so far %r" % raw)
        return raw[:-2].lstrip(b"\r>").decode("latin1")

    def command(self, text, wanted=r"OK$"):
        """Sends a line; answers its information lines. What comes unasked is kept for `event`."""
        self.port.write(text.encode("latin1") + b"\r\n")
        answers = []
        while True:
            line = self.line()
            if line in ("", text):
                continue
            if re.match(r"(OK|ERROR)", line):
                assert re.match(wanted, line), "%s: %s" % (text, line)
                return answers
            answers.append(line)

    def event(self, pattern, timeout=10):
        """The first event that matches, of those kept and those to come."""
        for kept in self.events:
            if re.match(pattern, kept):
                self.events.remove(kept)
                return re.match(pattern, kept)
        deadline = time.monotonic() + timeout
        while True:
            line = self.line(max(0.01, deadline - time.monotonic()))
            found = re.match(pattern, line)
            if found:
                return found
            self.note(line)

    def raw(self, text):
        """Sends a line that is answered by raw mode. Events may still come before the "#", none after it."""
        self.port.write(text.encode() + b"\r\n")
        while True:
            first = self.read_raw(1)
            if first == b"#":
                return
            assert first == b"\r", "%s: %r" % (text, first)
            self.note(self.line())

    def read_raw(self, count):
        self.port.timeout = 10
        data = self.port.read(count)
        assert len(data) == count, "wanted %d bytes, got %r" % (count, data)
        return data


def echo_and_prompt(module):
    module.port.write(b"AT\r\n")
    assert module.port.read_until(b"OK\r\n>") == b"AT\r\nOK\r\n>", "echo, status, prompt"
    module.port.write(b"ATE0\r\n")
    assert module.port.read_until(b"OK\r\n").endswith(b"OK\r\n")
    module.port.timeout = 0.2
    assert module.port.read(1) == b"", "no prompt without echo"


def system(module):
    (version,) = module.command("AT+GMR")
    assert re.match(r'\+GMR:"\d+\.\d+\.\d+ .*"$', version), version
    module.command("AT+NOSUCH", r'ERROR:0\.3,"Unknown AT Command"$')
    module.command("AT+WSCN=7", r'ERROR:0\.4,"Invalid Parameter"$')
    module.command("AT+PING", r'ERROR:0\.5,"Incorrect Number of Parameters"$')


def scan(module):
    module.command("AT+WSCN=1")
    module.event(r'\+WSCNIND:-\d+,\d+,\d+,"[0-9A-F:]{17}","%s"$' % re.escape(SSID))
    module.event(r"\+WSCNDONE:1$")


def join(module):
    module.command('AT+WSTAC=1,"%s"' % SSID)
    module.command("AT+WSTAC=2,3")
    module.command('AT+WSTAC=3,"not the passphrase"')
    module.command("AT+WSTA=1")
    module.event(r'\+WSTAERR:20\.3,"STA Connection Failed"$', 20)
    module.command('AT+WSTAC=3,"%s"' % PASSPHRASE)
    module.command("AT+WSTA=1")
    module.event(r'\+WSTALU:\d+,"[0-9A-F:]{17}",\d+$')
    module.event(r'\+WSTAAIP:\d+,"10\.0\.2\.15"$')
    module.command("AT+WSTA=1", r'ERROR:20\.2,"STA Connection Not Permitted"$')


def names(module):
    module.command('AT+DNSRESOLV=1,"host.test"')
    module.event(r'\+DNSRESOLV:1,"host\.test","%s"$' % re.escape(HOST))
    module.command('AT+DNSRESOLV=1,"0000.example.com"')
    module.event(r'\+DNSERR:5\.4,"DNS Non-Existent Domain",1,"0000\.example\.com"$')


def ping(module):
    module.command('AT+PING="%s"' % HOST)
    module.event(r'\+PING:"%s",\d+$' % re.escape(HOST))


def refused(module):
    socket = re.match(r"\+SOCKO:(\d+)$", module.command("AT+SOCKO=2,4")[0]).group(1)
    module.command('AT+SOCKBR=%s,"%s",1' % (socket, HOST))
    module.event(r"\+SOCKERR:%s,14\.\d+" % socket)
    module.command("AT+SOCKCL=%s" % socket)


def fetch(module):
    """HTTP/1.0, received in binary blocks; answers the body."""
    socket = re.match(r"\+SOCKO:(\d+)$", module.command("AT+SOCKO=2,4")[0]).group(1)
    module.command('AT+SOCKBR=%s,"%s",%s' % (socket, HOST, PORT))
    module.event(r'\+SOCKIND:%s,"10\.0\.2\.15",\d+,"%s",%s$' % (socket, re.escape(HOST), PORT))
    request = ("GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" % (PATH, HOST)).encode()
    module.raw("AT+SOCKWR=%s,%d" % (socket, len(request)))
    module.port.write(request)
    assert module.read_raw(4) == b"OK\r\n"
    received = bytearray()
    while module.pending.get(socket) or socket not in module.closed:
        if not module.pending.get(socket):
            module.note(module.line())
            continue
        count = min(module.pending[socket], BLOCK)
        module.raw("AT+SOCKRD=%s,2,%d" % (socket, count))
        received += module.read_raw(count)
        module.pending[socket] -= count
        assert module.read_raw(4) == b"OK\r\n", "OK right after the data"
    module.command("AT+SOCKCL=%s" % socket)
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    assert len(body) == int(LENGTH), "%d bytes" % len(body)
    return body


def main():
    module = Module(DEVICE)
    result = {}
    step = None
    try:
        for step in (echo_and_prompt, system, scan, join, names, ping, refused):
            step(module)
        step = fetch
        started = time.monotonic()
        result["sha256"] = hashlib.sha256(fetch(module)).hexdigest()
        result["seconds"] = round(time.monotonic() - started, 2)
    except Exception as error:
        result["failed"] = "%s: %s" % (step.__name__, error)
        result["events"] = module.events
    print(json.dumps(result))


main()
