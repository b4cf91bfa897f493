"""Plays written exchanges against modules, byte by byte, with pyserial and nothing of this package.

stdin: a JSON list of {"name", "device", "echo", "given", "lines", "cues"}. A line starting with "> " is typed, with CR LF
or, after "(raw)", as it is; every other one is to be heard, those of a list in any order. `given` leads to where the exchange begins. stdout: JSON lines,
{"name", "cue"} when a line of `cues` is due, so that somebody makes it happen, and one
{"name", "compared", "failed", "heard"} for each exchange, which ends at its first difference.

How lines are framed: what answers a command ends in CR LF, what comes unasked begins with CR, too. With echo on the module
repeats what is typed and puts ">" behind a status line and behind what comes unasked; without, it does neither.
"""
import ipaddress
import json
import re
import sys
import threading

import serial

PATIENCE = 25
SILENCE = 0.2
STATUS = re.compile(r"(OK|ERROR(:.*)?)$")
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[[0-9A-F]*\]|-?(?:0x[0-9A-F]+|\d+(?:\.\d+)?)')

# Elements the world decides, by position: ids, addresses, channels, levels, times.
FREE = {
    "NETIFC": {1},
    "PING": {1},
    "SOCKIND": {1, 2},
    "WSCNIND": {0},
    "WSTAAIP": {0, 1},
    "WSTALD": {0},
    "WSTALU": {0, 1, 2},
    "WSTAROAM": {0},
}


def take_apart(line):
    """Name and elements of an information line or event."""
    head = re.match(r"\+(\w+)(?::(.*))?$", line)
    if not head:
        return None
    rest = head.group(2)
    elements = [] if rest is None else TOKEN.findall(rest)
    return (head.group(1), elements) if ",".join(elements) == (rest or "") else None


def shape(element):
    """What an element is, whatever its value."""
    if not element.startswith('"'):
        return "negative" if element.startswith("-") else "number"
    text = element[1:-1]
    if re.match(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}$", text):
        return "MAC"
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "text"
    assert text == text.upper(), text
    return "IPv%d%s" % (address.version, " link-local" if address.is_link_local else "")


class Exchange:
    def __init__(self, name, device, echo, cues):
        self.name, self.echo, self.cues = name, echo, cues
        self.port = serial.Serial(device, 230400, timeout=PATIENCE)
        self.ids = {}
        self.heard = b""
        self.asked = False
        self.compared = 0
        self.port.write(b"ATE1\r\n" if echo else b"ATE0\r\n")
        self.port.read_until(b"OK\r\n>" if echo else b"OK\r\n")
        self.quiet()

    def quiet(self):
        self.port.timeout = SILENCE
        more = self.port.read(1000)
        self.port.timeout = PATIENCE
        assert more == b"", "not expected: %r" % more

    def exact(self, wanted):
        found = self.port.read(len(wanted))
        self.heard += found
        assert found == wanted, "expected %r, heard %r" % (wanted, found)

    def play(self, step):
        """Answers how many lines were compared."""
        if isinstance(step, list):
            left = list(step)
            while left:
                left.remove(self.hear(*left))
            return len(step)
        if step.startswith("> "):
            self.type(step[2:])
            return 0
        if step.startswith("#"):
            self.exact(step.replace("(raw)", "").encode("latin1"))
        else:
            self.hear(step)
        return 1

    def type(self, text):
        if text.startswith("(raw)"):
            self.port.write(text[5:].encode("latin1"))
            return
        own = lambda found: found.group(1) + self.ids.get(found.group(2), found.group(2))
        typed = re.sub(r"^(AT\+SOCK\w+=)(\d+)", own, text).encode("latin1") + b"\r\n"
        self.asked = True
        self.port.write(typed)
        if self.echo:
            self.exact(typed)

    def hear(self, *wanted):
        """Answers which of the wanted lines came."""
        for cue in self.cues:
            if cue in wanted:
                say({"name": self.name, "cue": cue})
        if not self.asked:
            self.exact(b"\r")
        raw = self.port.read_until(b"\r\n")
        self.heard += raw
        assert raw.endswith(b"\r\n"), "expected %s, heard %r" % (wanted, raw)
        line = raw[:-2].decode("latin1")
        came = next((one for one in wanted if self.same(one, line)), None)
        assert came is not None, "expected %s, heard %r" % (wanted, line)
        # After a restart the echo is on, whatever it was.
        prompt = self.echo or line.startswith("+BOOT:")
        if prompt and (not self.asked or STATUS.match(line)):
            self.exact(b">")
        if STATUS.match(line):
            self.asked = False
        return came

    def same(self, wanted, found):
        if wanted == found:
            return True
        a, b = take_apart(wanted), take_apart(found)
        if a is None or b is None or a[0] != b[0] or len(a[1]) != len(b[1]):
            return False
        name = a[0]
        for at, (x, y) in enumerate(zip(a[1], b[1])):
            if name.startswith("SOCK") and at == 0:
                if self.ids.setdefault(x, y) != y:
                    return False
            elif at in FREE.get(name, ()):
                if shape(x) != shape(y):
                    return False
            elif x != y:
                return False
        return True


printing = threading.Lock()


def say(message):
    with printing:
        print(json.dumps(message), flush=True)


def run(name, device, echo, given, lines, cues):
    exchange = failed = None
    try:
        exchange = Exchange(name, device, echo, cues)
        for step in given:
            exchange.play(step)
        for step in lines:
            exchange.compared += exchange.play(step)
        exchange.quiet()
    except Exception as error:
        failed = str(error) or repr(error)
    heard = exchange.heard.decode("latin1") if exchange else ""
    compared = exchange.compared if exchange else 0
    say({"name": name, "compared": compared, "failed": failed, "heard": heard})


players = [threading.Thread(target=run, kwargs=one) for one in json.load(sys.stdin)]
for player in players:
    player.start()
for player in players:
    player.join()
