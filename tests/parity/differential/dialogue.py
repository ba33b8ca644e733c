"""An SMTP client that plays the lines of a dialogue, and writes both sides down as the lab does."""
import socket
import ssl

import model

REPLY_S = 15            # as long as a reply may take on a busy machine
RAW_S = 0.4             # and no more lines after that: the bytes are answered
GREETING_S = 6          # a service that has not said anything by then has not started
SILENCE = "S: (no reply)"


class Dialogue:
    """Lines sent one at a time, each answered before the next, written down as the lab writes them."""

    def __init__(self, port):
        self.port, self.buffer, self.transcript, self.connection = port, b"", [], None

    def say(self, side, text):
        self.transcript.append(f"{side}: {text}")

    def reply(self):
        while True:
            while b"\r\n" not in self.buffer:
                try:
                    chunk = self.connection.recv(65536)
                except socket.timeout:
                    self.say("S", "(no reply)")
                    return ""
                except OSError:
                    chunk = b""
                if not chunk:
                    self.say("S", "(closed)")
                    return ""
                self.buffer += chunk
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            text = line.decode("utf-8", "backslashreplace")
            self.say("S", text)
            if text[3:4] != "-":
                return text[:3]

    def send(self, data):
        try:
            self.connection.sendall(data)
            return True
        except OSError:
            self.say("S", "(closed)")
            return False

    def play(self, lines):
        self.connection = socket.create_connection((model.HOST_ADDRESS, self.port), REPLY_S, (model.CLIENT_ADDRESS, 0))
        try:
            self.talk(lines)
        finally:
            self.connection.close()
        return self.transcript

    def talk(self, lines):
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.settimeout(GREETING_S)
        code, in_data = self.reply(), False
        self.connection.settimeout(REPLY_S)
        if self.transcript == [SILENCE]:
            return
        for item in lines:
            if isinstance(item, dict) and "raw" in item:
                if not self.play_raw(item["raw"], RAW_S if in_data else REPLY_S):
                    return
                continue
            group = item["group"] if isinstance(item, dict) else [item]
            for line in group:
                self.say("C", line)
            if not self.send("".join(line + "\r\n" for line in group).encode()):
                return
            if in_data and isinstance(item, str) and item != ".":
                continue
            for _ in group:
                code = self.reply()
                if not code:
                    return
            in_data = code == "354"
            if code == "220" and item == "STARTTLS" and not self.start_tls():
                return

    def play_raw(self, text, patience):
        """Bytes, and what is said to them: at least one line, and more as long as they come at once."""
        self.say("C", f"(raw) {text}")
        bytes_ = text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")
        self.connection.settimeout(patience)
        try:
            self.connection.sendall(bytes_)
            while True:
                while b"\r\n" in self.buffer:
                    line, self.buffer = self.buffer.split(b"\r\n", 1)
                    self.say("S", line.decode("utf-8", "backslashreplace"))
                    self.connection.settimeout(RAW_S)
                chunk = self.connection.recv(65536)
                if not chunk:
                    raise OSError("closed")
                self.buffer += chunk
        except socket.timeout:
            self.connection.settimeout(REPLY_S)
            return True
        except OSError:
            self.say("S", "(closed)")
            return False

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            self.connection = context.wrap_socket(self.connection)
        except OSError:
            self.say("S", "(TLS failure)")
            return False
        self.say("C", "(TLS)")
        return True
